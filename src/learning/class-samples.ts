/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Grams } from './character-grams.ts'
import type { FloatMatrix } from './tensor-engine.ts'

/** Samples, or questions, with their texts' n-grams. */
export interface EncodedTexts {
  /** Embeddings, n × d, L2 norm 1. */
  readonly features: FloatMatrix
  /** The n-grams of each text; undefined without texts. */
  readonly grams?: readonly Grams[] | undefined
}

/** Samples with the texts that a model stores to show those that are near a question. */
export interface SampleTexts extends EncodedTexts {
  /** Undefined for a model that stores no texts. */
  readonly texts?: readonly string[] | undefined
}

/** Training samples by class. */
export interface ClassSamples extends EncodedTexts {
  /** Rows of each class. */
  readonly rowsOfClass: readonly Int32Array[]
}

/** Groups the samples at `indices` by class. */
export function groupByClass(
  { features, grams }: EncodedTexts,
  labels: Int32Array,
  classCount: number,
  indices: Int32Array
): ClassSamples {
  const rows: number[][] = Array.from({ length: classCount }, () => [])
  for (const index of indices) rows[labels[index]!]!.push(index)
  return { features, grams, rowsOfClass: rows.map((ofClass) => Int32Array.from(ofClass)) }
}
