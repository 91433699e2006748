/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** How near embeddings are to their references, which are float32's. All vectors have L2 norm 1. */
export interface Quality {
  readonly sentences: number
  readonly meanCosine: number
  readonly minCosine: number
  /** Rank correlation of the similarities of all pairs of sentences: whether what was nearer still is. */
  readonly spearman: number
}

/** Least values of a {@link Quality} that are good enough to be served. */
export type QualityGate = Omit<Quality, 'sentences'>

export const INT8_GATE: QualityGate = { meanCosine: 0.998, minCosine: 0.993, spearman: 0.997 }
export const FP32_GATE: QualityGate = { meanCosine: 0.99999, minCosine: 0.99999, spearman: 0.99999 }

/**
 * Compares embeddings with their references, sentence by sentence and pair by pair.
 * @throws RangeError when there are fewer than two sentences, or the numbers of both differ
 */
export function measureQuality(references: readonly Float32Array[], embeddings: readonly Float32Array[]): Quality {
  if (references.length < 2 || references.length !== embeddings.length) {
    throw new RangeError(`Cannot compare: found ${embeddings.length} embeddings and ${references.length} references`)
  }
  const cosines = references.map((reference, index) => dot(reference, embeddings[index] ?? reference))
  return {
    sentences: references.length,
    meanCosine: cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length,
    minCosine: Math.min(...cosines),
    spearman: spearman(pairSimilarities(references), pairSimilarities(embeddings))
  }
}

/** What of a quality is below its gate, in words; empty when nothing is. NaN is below everything. */
export function gateFailures(quality: Quality, gate: QualityGate): string[] {
  const keys = ['meanCosine', 'minCosine', 'spearman'] as const
  return keys
    .filter((key) => !(quality[key] >= gate[key]))
    .map((key) => `${key} is ${quality[key].toFixed(5)}, wanted at least ${gate[key]}`)
}

/** Dot product of two vectors of one length, summed in double precision. */
export function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0)
}

function pairSimilarities(vectors: readonly Float32Array[]): Float64Array {
  return Float64Array.from(
    vectors.flatMap((vector, index) => vectors.slice(index + 1).map((other) => dot(vector, other)))
  )
}

/** Spearman's rank correlation: Pearson's of the ranks, ties sharing their mean rank. */
export function spearman(a: Float64Array, b: Float64Array): number {
  const ranksA = ranks(a)
  const ranksB = ranks(b)
  const mean = (a.length - 1) / 2
  let covariance = 0
  let varianceA = 0
  let varianceB = 0
  ranksA.forEach((rank, index) => {
    const deviationA = rank - mean
    const deviationB = (ranksB[index] ?? mean) - mean
    covariance += deviationA * deviationB
    varianceA += deviationA * deviationA
    varianceB += deviationB * deviationB
  })
  return covariance / Math.sqrt(varianceA * varianceB)
}

function ranks(values: Float64Array): Float64Array {
  const valueAt = (index: number): number => values[index] ?? Number.NaN
  const order = Uint32Array.from(values.keys()).toSorted((p, q) => valueAt(p) - valueAt(q))
  const result = new Float64Array(values.length)
  for (let start = 0; start < order.length;) {
    let end = start + 1
    while (end < order.length && valueAt(order[end] ?? 0) === valueAt(order[start] ?? 0)) end += 1
    for (const index of order.subarray(start, end)) result[index] = (start + end - 1) / 2
    start = end
  }
  return result
}
