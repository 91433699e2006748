/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { ConfidenceBin } from '../learning/confidence-drift.ts'

/** A version that predicted. */
export interface ObservedVersion {
  /** In the store of models. */
  readonly name: string
  readonly version: number
}

/** One prediction. */
export interface ObservedPrediction {
  /** Characters of all its texts together; undefined where numbers alone went in. */
  readonly inputCharacters: number | undefined
  readonly classId: string
  readonly confidence: number
}

/** Observer of predictions, for metrics. */
export interface PredictionObserver {
  /**
   * @param readTrainingBins where the version's confidences lay out of fold; asked once for each version, undefined when
   *   it is not known
   */
  predicted(
    version: ObservedVersion,
    predictions: readonly ObservedPrediction[],
    readTrainingBins: () => Promise<readonly ConfidenceBin[] | undefined>
  ): void
}
