/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { SampleTexts } from './candidates.ts'
import type { OffTopicBound } from './off-topic-bound.ts'

/** What a classifier is trained from: samples, embedded, with the n-grams of their texts where these are known. */
export interface TrainingSet extends SampleTexts {
  /** Class of each sample, 0 to classCount − 1. */
  readonly labels: Int32Array
  readonly classCount: number
  /** Samples of the same text have the same number here, so that none is judged by a model that saw its twin. */
  readonly groups?: Int32Array
  /** Questions that no class answers. They are learned as one more class, which is never the answer. */
  readonly offTopic?: SampleTexts
}

export interface TrainingOptions {
  /** @default 5 */
  readonly foldCount?: number
  /** Called with the share done, 0 to 1. */
  readonly onProgress?: (share: number) => void
  /** Checked between fits. */
  readonly signal?: AbortSignal
  /** What the off-topic rule is to keep to. @default the line that serves most mentors */
  readonly offTopicBound?: OffTopicBound | undefined
}

/** A set whose last class is what was taught as off topic, if anything was. */
export interface TaughtSet extends TrainingSet {
  readonly offTopicClass: number | undefined
  /** Without what was taught as off topic. */
  readonly onTopic: { readonly sampleCount: number; readonly classCount: number }
}

/** Makes what was taught as off topic one more class. */
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
