/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { join } from 'node:path'
import assert from 'node:assert/strict'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { AnswerRecordStore } from './classifier/answer-record.ts'
import { LoadedModels, parseModelKey } from './classifier/loaded-models.ts'
import { trainMentor } from './classifier/mentor-trainer.ts'
import { mentorModelName } from './classifier/model-name.ts'
import type { ModelStore } from './classifier/model-store.ts'
import { QuestionAnswering } from './classifier/question-answering.ts'
import { SqliteAnswerRecorder } from './classifier/sqlite-answer-recorder.ts'
import { SqliteModelStore } from './classifier/sqlite-model-store.ts'
import { VersionTrainer } from './classifier/version-trainer.ts'
import { createClassifierParts } from './classifier-parts.ts'
import type { Config } from './config.ts'
import { EmbeddingCache } from './embedding/embedding-cache.ts'
import type { Encoder } from './embedding/encoder.ts'
import { PermanentJobError } from './jobs/job.ts'
import type { JobBackend } from './jobs/job-backend.ts'
import type { JobHandler, JobLog } from './jobs/job-runner.ts'
import { packPayload, unpackPayload } from './jobs/payload.ts'
import type { MentorSource, MentorStore } from './mentor/mentor-source.ts'
import { SqliteMentorStore } from './mentor/sqlite-mentor-store.ts'
import type { MentorAreaParts } from './server/app.ts'
import type { ClassifierRouteParts } from './server/routes/classifiers.ts'
import { TRAIN_JOB_TYPE } from './server/routes/train.ts'
import { SqliteFile } from './sqlite-file.ts'

/** Mentors of this process: what its routes and its jobs need. */
export interface MentorParts {
  readonly routes: MentorAreaParts
  /** Classifiers, whose models are kept and trained beside the mentors'. */
  readonly classifiers: ClassifierRouteParts
  /** By type of job. */
  readonly handlers: ReadonlyMap<string, JobHandler>
  /** Waits for the fit at work, writes what has gathered and closes the files. */
  close(): Promise<void>
}

/** What is kept of mentors, whatever keeps it. */
interface MentorStores {
  readonly mentors: MentorStore
  readonly models: ModelStore
  readonly recorder: AnswerRecordStore
  close(): void
}

/**
 * Opens the mentors, in `DATA_DIR` or on AWS. Embeddings are remembered in `DATA_DIR` in any case: each machine may
 * make its own anew.
 */
export async function openMentorParts(
  config: Config,
  jobs: JobBackend,
  encoder: Encoder,
  log: JobLog
): Promise<MentorParts> {
  const file = new SqliteFile(join(config.dataDir, 'mentors.db'))
  const stores = await openStores(config, file, (error) => {
    log.error({ err: error }, 'asked questions could not be recorded')
  })
  const { mentors, models, recorder } = stores
  const promotionMargin = config.promotionMarginPercent / 100
  const trainer = new VersionTrainer({
    models,
    embeddings: new EmbeddingCache(file, encoder, config.maxCachedEmbeddings),
    encoder,
    ridgeOffTopicThreshold: config.offTopicThreshold,
    promotionMargin
  })
  const loadedModels = new LoadedModels({
    maxBytes: config.loadedModelsBytes,
    ridgeOffTopicThreshold: config.offTopicThreshold,
    read: (key) => {
      const { name, version } = parseModelKey(key)
      return models.read(name, version)
    }
  })
  const classifiers = createClassifierParts(config, { models, loadedModels, trainer, encoder, jobs })
  const answering = new QuestionAnswering({
    mentors,
    models,
    loadedModels,
    encoder,
    recorder,
    maxMentorBytes: config.mentorCacheBytes
  })
  return {
    routes: {
      mentors,
      models,
      answering,
      jobs,
      promotionMargin,
      mentorBodyLimitBytes: config.mentorBodyLimitBytes,
      async forget(mentorId) {
        await recorder.deleteOf(mentorId)
        await models.deleteAll(mentorModelName(mentorId))
      }
    },
    classifiers: classifiers.routes,
    handlers: new Map([[TRAIN_JOB_TYPE, trainJob(trainer, mentors)], ...classifiers.handlers]),
    async close() {
      await trainer.idle()
      await recorder.flush()
      stores.close()
      file.close()
    }
  }
}

async function openStores(
  config: Config,
  file: SqliteFile,
  onRecordsLost: (error: unknown) => void
): Promise<MentorStores> {
  const { dataDir, maxModelVersions: maxVersions, maxAnswerRecords: maxRecords } = config
  if (config.backend === 'local') {
    return {
      mentors: new SqliteMentorStore(file),
      models: new SqliteModelStore({ file, folder: join(dataDir, 'models'), maxVersions }),
      recorder: new SqliteAnswerRecorder({ file, maxRecords, onError: onRecordsLost }),
      close: () => undefined
    }
  }
  const { jobsTable: table, modelsBucket: bucket } = config
  assert(table !== undefined && bucket !== undefined, 'The settings of BACKEND=aws were not checked; this is a bug')
  // Loaded only where it is wanted: the SDK takes a quarter of a second.
  const { openAwsStores } = await import('./platform/aws-stores.ts')
  return openAwsStores(
    {
      table,
      bucket,
      maxVersions,
      forcePathStyle: config.awsEndpointUrl !== undefined || config.awsEndpointUrlS3 !== undefined
    },
    onRecordsLost
  )
}

const trainInput = Compile(
  Type.Object({ mentor: Type.String(), arch: Type.Enum(['softmax', 'ridge']), force: Type.Boolean() })
)

/** Trains a mentor; the result is a `TrainOutcome`. */
function trainJob(trainer: VersionTrainer, mentors: MentorSource): JobHandler {
  return async (payload, context) => {
    const input = unpackPayload(payload)
    if (!trainInput.Check(input)) throw new PermanentJobError('Cannot train: the job is not a training')
    const { mentor: mentorId, arch: architecture, force: isForced } = input
    const request = { mentorId, architecture, isForced, jobId: context.job.id, by: context.job.owner }
    return packPayload(
      await trainMentor(trainer, mentors, request, {
        signal: context.signal,
        onProgress: (share) => context.progress(share)
      })
    )
  }
}
