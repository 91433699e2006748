/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { EncodeOptions, EncodeTimings } from '../embedding/encoder.ts'
import type { Prediction } from '../learning/prediction.ts'
import type { FeatureTable } from '../table/feature-table.ts'
import type { ModelVersion } from '../versions/model-store.ts'

/** Options of {@link Classifier.predict}. */
export interface PredictOptions extends EncodeOptions {
  /** Number of ranked classes for each row. @default 1 */
  readonly topK?: number
}

/** Predictions of a classifier for a table's rows. */
export interface Predictions {
  /** One prediction for each row. */
  readonly rows: readonly Prediction[]
  /** Undefined when nothing had to be encoded. */
  readonly timings: EncodeTimings | undefined
}

/** A version of a named model, ready to predict, of any architecture. */
export interface Classifier {
  /** The version; its signature names the columns that {@link Classifier.predict} reads. */
  readonly version: ModelVersion
  /** Classes in the order of the model's outputs. */
  readonly classIds: readonly string[]
  /**
   * Predicts the class of each row. Columns that the signature does not name are ignored.
   * @throws {ServiceError} INVALID_REQUEST when a column of the signature is missing or has another type; what the
   *   encoder throws
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
