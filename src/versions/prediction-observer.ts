/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { ConfidenceBin } from '../learning/confidence-drift.ts'

/** The version that made a prediction. */
export interface ObservedVersion {
  /** Name in the model store. */
  readonly name: string
  readonly version: number
}

/** One prediction. */
export interface ObservedPrediction {
  /** Number of characters of all its texts; undefined where the input had only numbers. */
  readonly inputCharacters: number | undefined
  readonly classId: string
  readonly confidence: number
}

/** Observer of predictions, for metrics. */
export interface PredictionObserver {
  /**
   * @param readTrainingBins reads the histogram of the version's out-of-fold confidences, undefined when unknown;
   *   called once for each version
   */
  predicted(
    version: ObservedVersion,
    predictions: readonly ObservedPrediction[],
    readTrainingBins: () => Promise<readonly ConfidenceBin[] | undefined>
  ): void
}
