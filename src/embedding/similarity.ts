/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { setImmediate } from 'node:timers/promises'

/** Dot product of two vectors of equal length, `a` from `aStart` and `b` from `bStart` on, summed in doubles. */
export function dotProduct(
  a: Float32Array,
  aStart: number,
  b: Float32Array,
  bStart: number,
  dimensions: number
): number {
  // Four independent sums: in a single one, each addition would wait for the one before.
  let sum0 = 0
  let sum1 = 0
  let sum2 = 0
  let sum3 = 0
  let index = 0
  for (; index + 3 < dimensions; index += 4) {
    sum0 += a[aStart + index]! * b[bStart + index]!
    sum1 += a[aStart + index + 1]! * b[bStart + index + 1]!
    sum2 += a[aStart + index + 2]! * b[bStart + index + 2]!
    sum3 += a[aStart + index + 3]! * b[bStart + index + 3]!
  }
  for (; index < dimensions; index += 1) sum0 += a[aStart + index]! * b[bStart + index]!
  return sum0 + sum1 + (sum2 + sum3)
}

/** Vectors of equal length whose similarities are computed. */
export interface Rows {
  /** n × dimensions. */
  readonly values: Float32Array
  readonly dimensions: number
}

/** Number of rows. */
export function rowCount(rows: Rows): number {
  return rows.values.length / rows.dimensions
}

/**
 * L2 norms of all rows. A float32 embedding of norm 1 has norm 1 only up to 1e-7, which shows in a cosine similarity.
 */
export function rowNorms(rows: Rows): Float64Array {
  const norms = new Float64Array(rowCount(rows))
  for (let index = 0; index < norms.length; index += 1) {
    const start = index * rows.dimensions
    norms[index] = Math.sqrt(dotProduct(rows.values, start, rows.values, start, rows.dimensions))
  }
  return norms
}

/**
 * Cosine similarity from a dot product and both norms, as a float32 between -1 and 1.
 * A row's cosine with itself is exactly 1; one with a row of zeros is 0.
 */
export function cosineOf(dot: number, normA: number, normB: number): number {
  const norms = normA * normB
  return norms === 0 ? 0 : Math.fround(Math.max(-1, Math.min(1, dot / norms)))
}

/** Number of dot products between two yields to the event loop: some 2 ms at 384 dimensions. */
const DOT_PRODUCTS_A_TURN = 4096

/**
 * Cosine similarities of every row of `a` with every row of `b`: rows(a) × rows(b), row-major.
 * Lets the event loop run every few milliseconds.
 * @throws what `signal` aborts with
 */
export async function cosineMatrix(a: Rows, b: Rows, signal?: AbortSignal): Promise<Float32Array> {
  const normsA = rowNorms(a)
  const normsB = rowNorms(b)
  const cosines = new Float32Array(normsA.length * normsB.length)
  let leftInTurn = DOT_PRODUCTS_A_TURN
  for (let row = 0; row < normsA.length; row += 1) {
    for (let column = 0; column < normsB.length; column += 1) {
      const dot = dotProduct(a.values, row * a.dimensions, b.values, column * b.dimensions, a.dimensions)
      cosines[row * normsB.length + column] = cosineOf(dot, normsA[row]!, normsB[column]!)
    }
    leftInTurn -= normsB.length
    if (leftInTurn <= 0) {
      await nextTurn(signal)
      leftInTurn = DOT_PRODUCTS_A_TURN
    }
  }
  return cosines
}

/** Yields to the event loop, so that waiting work runs. */
export async function nextTurn(signal?: AbortSignal): Promise<void> {
  await setImmediate()
  signal?.throwIfAborted()
}
