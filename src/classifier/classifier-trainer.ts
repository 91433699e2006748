/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { classifierModelName } from '../versions/model-name.ts'
import { unpackTable } from '../table/packed-table.ts'
import type { Signature } from '../table/signature.ts'
import type { TrainingTable } from '../table/training-table.ts'
import type {
  LearningPoint,
  TrainingData,
  TrainOptions,
  TrainOutcome,
  VersionRequest,
  VersionTrainer
} from '../versions/version-trainer.ts'

/** Type of the jobs that train a classifier; their input is a packed table. */
export const TRAIN_CLASSIFIER_JOB_TYPE = 'train-classifier'

/** A request to train a classifier. */
export interface ClassifierTrainRequest extends Pick<VersionRequest, 'jobId' | 'by'> {
  readonly classifier: string
  /** Table packed by `packTraining`. */
  readonly packedTable: Uint8Array
}

/** Trains a classifier on a table, stores the version and makes it live unless it is worse than the live one. */
export async function trainClassifier(
  trainer: VersionTrainer,
  { classifier, packedTable, jobId, by }: ClassifierTrainRequest,
  options: TrainOptions = {}
): Promise<TrainOutcome> {
  const { c, isForced, dataHash, ...table } = await unpackTable(packedTable, options.signal)
  const data = trainingDataOf(table, dataHash, c ?? undefined)
  return trainer.train({ name: classifierModelName(classifier), read: async () => data, isForced, jobId, by }, options)
}

/** Measures a classifier on growing parts of a table, as `VersionTrainer.learningCurve`. */
export async function classifierLearningCurve(
  trainer: VersionTrainer,
  packedTable: Uint8Array,
  shares: readonly number[],
  options: TrainOptions = {}
): Promise<readonly LearningPoint[]> {
  const { c, dataHash, ...table } = await unpackTable(packedTable, options.signal)
  return trainer.learningCurve(trainingDataOf(table, dataHash, c ?? undefined), shares, options)
}

function trainingDataOf(table: TrainingTable, dataHash: string, c: number | undefined): TrainingData {
  const { signature, labels, classIds, groups } = table
  const columns = signature.features.map(({ name }) => ({ name, values: table.columns.get(name) ?? [] }))
  return {
    architecture: isOneText(signature) ? 'softmax' : 'logistic',
    signature,
    dataHash,
    samples: { texts: [], labels, answerIds: classIds, groups },
    texts: columns.flatMap(({ values }) => (values instanceof Float64Array ? [] : [values])),
    columns,
    ...(c !== undefined && { c })
  }
}

/** Whether the only feature is one text, as in a mentor's model. */
function isOneText({ features }: Signature): boolean {
  return features.length === 1 && features[0]?.type === 'text'
}
