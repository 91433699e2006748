/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** What a classifier is trained from, before it is embedded. Sample i is `texts[i]`. */
export interface TrainingSamples {
  /** Sanitized questions and paraphrases, in the mentor's order. */
  readonly texts: readonly string[]
  /** Position in {@link answerIds} of the answer of each. */
  readonly labels: Int32Array
  /** Answers that have a sample. */
  readonly answerIds: readonly string[]
  /** Samples of the same text have the same number. */
  readonly groups: Int32Array
  /** Sanitized questions that none of the answers fits, as people judged them. */
  readonly offTopicTexts?: readonly string[]
}
