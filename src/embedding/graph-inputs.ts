/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Tensor } from 'onnxruntime-node'
import type { TokenBatch } from './token-batch.ts'

/**
 * Makes the inputs of a compiled graph. Where the batch has fewer sentences than the graph takes, the others are empty.
 * @param maxSentences how many sentences the graph takes
 * @throws RangeError when the batch has more
 */
export function graphInputs({ ids, lengths }: TokenBatch, maxSentences: number): Readonly<Record<string, Tensor>> {
  if (lengths.length > maxSentences) {
    throw new RangeError(`Cannot encode ${lengths.length} sentences at once: the graph takes ${maxSentences}`)
  }
  const shape = [1, ids.length]
  const all = new BigInt64Array(maxSentences)
  for (const [index, length] of lengths.entries()) all[index] = BigInt(length)
  return {
    input_ids: new Tensor('int32', ids, shape),
    positions: new Tensor('int32', positionsOf(lengths, ids.length), shape),
    lengths: new Tensor('int64', all, [maxSentences])
  }
}

/** The position of each token in its sentence: 0, 1, 2, 0, 1, … */
function positionsOf(lengths: readonly number[], tokenCount: number): Int32Array {
  const positions = new Int32Array(tokenCount)
  let start = 0
  for (const length of lengths) {
    for (let position = 0; position < length; position++) positions[start + position] = position
    start += length
  }
  return positions
}
