/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { TrainingSamples } from './training-samples.ts'
import type { FloatMatrix, TensorEngine } from './tensor-engine.ts'

/** Two similar phrases of different answers: a question may get either answer. */
export interface NearDuplicate {
  readonly phrases: readonly [string, string]
  readonly answerIds: readonly [string, string]
  /** Cosine similarity of their embeddings. */
  readonly similarity: number
}

export interface NearDuplicateOptions {
  /** @default 0.95 */
  readonly minSimilarity?: number
  /** Maximum number of pairs, the nearest first. @default 100 */
  readonly maxFindings?: number
}

const BLOCK_ROWS = 512

/**
 * Finds near-duplicates across answers, the nearest first. The same phrase of two answers is a finding of the lint
 * instead.
 * Cost: n² · dimensions / 2 multiply-adds.
 * @param embeddings embeddings of the samples' texts, in their order; L2 norm 1
 * @throws RangeError when the numbers of embeddings and samples differ
 */
export async function findNearDuplicates(
  engine: TensorEngine,
  { texts, labels, answerIds }: TrainingSamples,
  embeddings: FloatMatrix,
  { minSimilarity = 0.95, maxFindings = 100 }: NearDuplicateOptions = {}
): Promise<NearDuplicate[]> {
  if (embeddings.rows !== texts.length) {
    throw new RangeError(`Cannot compare samples: ${embeddings.rows} embeddings of ${texts.length} texts`)
  }
  const pairs: { similarity: number; i: number; j: number }[] = []
  const { columns } = embeddings
  const cosines = new Float32Array(Math.min(BLOCK_ROWS, texts.length) * texts.length)
  for (let from = 0; from < texts.length; from += BLOCK_ROWS) {
    const rows = Math.min(BLOCK_ROWS, texts.length - from)
    // Each pair once: a block is compared with itself and with what follows it.
    const later = texts.length - from
    const block = { values: embeddings.values.subarray(from * columns, (from + rows) * columns), rows, columns }
    const rest = { values: embeddings.values.subarray(from * columns), rows: later, columns }
    await engine.product(block, rest, cosines.subarray(0, rows * later))
    for (let i = 0; i < rows; i++) {
      for (let j = i + 1; j < later; j++) {
        if (cosines[i * later + j]! < minSimilarity) continue
        const [a, b] = [from + i, from + j]
        if (labels[a] === labels[b] || texts[a] === texts[b]) continue
        pairs.push({ similarity: cosines[i * later + j]!, i: a, j: b })
      }
    }
  }
  return pairs
    .toSorted((a, b) => b.similarity - a.similarity || a.i - b.i || a.j - b.j)
    .slice(0, maxFindings)
    .map(({ similarity, i, j }) => ({
      phrases: [texts[i]!, texts[j]!],
      answerIds: [answerIds[labels[i]!]!, answerIds[labels[j]!]!],
      similarity
    }))
}
