/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { EncodeOptions, EncodeTimings } from '../embedding/encoder.ts'
import type { Prediction } from '../learning/prediction.ts'
import type { FeatureTable } from '../table/feature-table.ts'
import type { ModelVersion } from '../versions/model-store.ts'

/** How to predict: for whom texts are encoded, until when, and how much is told. */
export interface PredictOptions extends EncodeOptions {
  /** Classes ranked of each row. @default 1 */
  readonly topK?: number
}

/** Predictions of a classifier for a table's rows. */
export interface Predictions {
  /** One a row. */
  readonly rows: readonly Prediction[]
  /** Undefined when nothing had to be encoded. */
  readonly timings: EncodeTimings | undefined
}

/** A version of a named model, ready to predict, whatever it is made of. */
export interface Classifier {
  /** With its signature: the columns that {@link Classifier.predict} reads. */
  readonly version: ModelVersion
  /** In the order of the model's outputs. */
  readonly classIds: readonly string[]
  /**
   * Predicts the class of each row. Columns that the signature does not name do not matter.
   * @throws {ServiceError} INVALID_REQUEST when a column of the signature is missing or of another type; what the encoder throws
   */
  predict(table: FeatureTable, options: PredictOptions): Promise<Predictions>
}

/** Adds the timings of two calls. */
export function addTimings(sum: EncodeTimings | undefined, added: EncodeTimings): EncodeTimings {
  if (sum === undefined) return added
  return {
    tokenizeMs: sum.tokenizeMs + added.tokenizeMs,
    queueMs: sum.queueMs + added.queueMs,
    inferenceMs: sum.inferenceMs + added.inferenceMs
  }
}
