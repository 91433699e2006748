/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { SampleTexts } from './class-samples.ts'
import type { OffTopicBound } from './off-topic-bound.ts'

/** A training set: embeddings of the samples, and the n-grams of their texts where these are known. */
export interface TrainingSet extends SampleTexts {
  /** Class of each sample, 0 to classCount − 1. */
  readonly labels: Int32Array
  readonly classCount: number
  /**
   * Group of each sample: samples with equal texts are in one group, so that none is judged by a model that was trained
   * on its duplicate.
   */
  readonly groups?: Int32Array
  /** Off-topic questions. They are learned as an additional class, which is never the answer. */
  readonly offTopic?: SampleTexts
}

export interface TrainingOptions {
  /** @default 5 */
  readonly foldCount?: number
  /** Called with the share that is done, 0 to 1. */
  readonly onProgress?: (share: number) => void
  /** Checked between fits. */
  readonly signal?: AbortSignal
  /** Bound of the off-topic rule. @default the threshold of the prior */
  readonly offTopicBound?: OffTopicBound | undefined
}

/** A training set whose last class is the off-topic class, if there are off-topic questions. */
export interface TaughtSet extends TrainingSet {
  readonly offTopicClass: number | undefined
  /** Counts without the off-topic class. */
  readonly onTopic: { readonly sampleCount: number; readonly classCount: number }
}

/** Adds the off-topic questions as an additional class. */
export function withOffTopicClass(set: TrainingSet): TaughtSet {
  const { features, grams, labels, classCount, groups, offTopic } = set
  const onTopic = { sampleCount: features.rows, classCount }
  if (offTopic === undefined || offTopic.features.rows === 0) return { ...set, offTopicClass: undefined, onTopic }
  const added = offTopic.features
  const values = new Float32Array(features.values.length + added.values.length)
  values.set(features.values)
  values.set(added.values, features.values.length)
  const rows = features.rows + added.rows
  const firstGroup = groups === undefined ? features.rows : groups.reduce((a, b) => Math.max(a, b), -1) + 1
  return {
    features: { values, rows, columns: features.columns },
    ...(grams !== undefined && offTopic.grams !== undefined && { grams: [...grams, ...offTopic.grams] }),
    labels: Int32Array.from({ length: rows }, (_, i) => labels[i] ?? classCount),
    classCount: classCount + 1,
    groups: Int32Array.from({ length: rows }, (_, i) =>
      i < features.rows ? (groups?.[i] ?? i) : firstGroup + i - features.rows
    ),
    offTopicClass: classCount,
    onTopic
  }
}
