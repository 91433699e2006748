/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Samples of a training, before they are encoded. Sample i is `texts[i]`. */
export interface TrainingSamples {
  /** Sanitized questions and paraphrases, in the mentor's order. */
  readonly texts: readonly string[]
  /** Position in {@link answerIds} of each sample's answer. */
  readonly labels: Int32Array
  /** Answers that have a sample. */
  readonly answerIds: readonly string[]
  /** Group of each sample: samples with equal texts are in one group. */
  readonly groups: Int32Array
  /** Sanitized questions that people judged to have no answer. */
  readonly offTopicTexts?: readonly string[]
}
