/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { trainClassifier } from '../classifier/classifier-trainer.ts'
import { TRAIN_CLASSIFIER_JOB_TYPE } from '../classifier/classifier-trainer.ts'
import { Classifiers } from '../classifier/classifiers.ts'
import type { Config } from '../config/settings.ts'
import type { Encoder } from '../embedding/encoder.ts'
import type { JobBackend } from '../jobs/job-backend.ts'
import type { JobHandler } from '../jobs/job-runner.ts'
import { PermanentJobError } from '../jobs/job.ts'
import { packPayload } from '../jobs/payload.ts'
import { OnnxProcessPool } from '../onnx/onnx-process-pool.ts'
import type { ReadingLine } from '../reading/reading-line.ts'
import type { ClassifierRouteOptions } from '../server/routes/classifiers/classifier-requests.ts'
import { PACKED_TABLE_TYPE } from '../table/packed-table.ts'
import { TrainingReader } from '../table/training-reader.ts'
import type { LoadedModels } from '../versions/loaded-models.ts'
import type { ModelStore } from '../versions/model-store.ts'
import type { PredictionObserver } from '../versions/prediction-observer.ts'
import type { VersionTrainer } from '../versions/version-trainer.ts'

/** Classifiers of this process: options of their routes, and handlers of their jobs. */
export interface ClassifierArea {
  readonly routes: ClassifierRouteOptions
  /** By type of job. */
  readonly handlers: ReadonlyMap<string, JobHandler>
}

/** Dependencies of classifiers, shared with mentors. */
export interface ClassifierDependencies {
  readonly models: ModelStore
  readonly loadedModels: LoadedModels
  readonly trainer: VersionTrainer
  readonly encoder: Encoder
  readonly jobs: JobBackend
  /** Queue of large tables to read. */
  readonly line: ReadingLine
  /** Observes predictions. */
  readonly observer: PredictionObserver | undefined
  /** Closes the processes of models that users brought. */
  readonly closing: AsyncDisposableStack
}

/** Creates the classifiers, with their routes' options and their job handlers. */
export function createClassifiers(config: Config, shared: ClassifierDependencies): ClassifierArea {
  const { models, loadedModels, trainer, encoder, jobs, observer, line, closing } = shared
  const onnxProcesses =
    config.onnxProcesses === 0
      ? undefined
      : new OnnxProcessPool({
          processCount: config.onnxProcesses,
          memoryLimitBytes: config.onnxMemoryBytes,
          timeLimitMs: config.onnxTimeLimitMs
        })
  closing.defer(() => onnxProcesses?.close())
  const { maxTrainingRows, maxTrainingColumns, maxTextCharacters, maxJsonDepth } = config
  return {
    routes: {
      models,
      classifiers: new Classifiers({ models, loadedModels, encoder, onnxProcesses, observer }),
      reader: new TrainingReader(
        { maxTrainingRows, maxTrainingColumns, maxTextCharacters, maxJsonDepth },
        encoder,
        line
      ),
      jobs,
      uploads: onnxProcesses && { pool: onnxProcesses, encoder, bodyLimitBytes: config.onnxBodyLimitBytes },
      encoder,
      promotionMargin: config.promotionMarginPercent / 100,
      classifierBodyLimitBytes: config.classifierBodyLimitBytes
    },
    handlers: new Map([[TRAIN_CLASSIFIER_JOB_TYPE, trainClassifierJob(trainer)]])
  }
}

/** Trains a classifier from a packed table; the result is a `TrainOutcome`. */
function trainClassifierJob(trainer: VersionTrainer): JobHandler {
  return async ({ contentType, bytes }, context) => {
    const { job, signal } = context
    const classifier = job.labels['classifier']
    if (contentType !== PACKED_TABLE_TYPE || classifier === undefined) {
      throw new PermanentJobError('Cannot train: the job is not a training of a classifier')
    }
    const request = { classifier, packedTable: bytes, jobId: job.id, by: job.owner }
    return packPayload(
      await trainClassifier(trainer, request, { signal, onProgress: (share) => context.progress(share) })
    )
  }
}
