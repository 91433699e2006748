/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import type { Rows } from '../../src/embedding/similarity.ts'

/** Rows of numbers drawn from a seed, of L2 norm 1: the same at every run. */
export function randomRows(count: number, dimensions: number, seed: number): Rows {
  let state = seed
  const values = new Float32Array(count * dimensions)
  for (let row = 0; row < count; row += 1) {
    const drawn = values.subarray(row * dimensions, (row + 1) * dimensions)
    for (let index = 0; index < dimensions; index += 1) {
      // A linear congruential generator (Numerical Recipes), of which the high bits are random enough here.
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      drawn[index] = state / 2 ** 31 - 1
    }
    const norm = Math.hypot(...drawn)
    for (const [index, value] of drawn.entries()) drawn[index] = value / norm
  }
  return { values, dimensions }
}
