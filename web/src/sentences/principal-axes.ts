/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Where vectors lie on the plane that shows most of how they differ. */
export interface PlanePoints {
  readonly points: readonly (readonly [x: number, y: number])[]
  /** Share of the variance that the plane shows, 0 to 1. */
  readonly explained: number
}

const MAX_STEPS = 300
const TOLERANCE = 1e-12

/**
 * Principal component analysis of a few vectors of many numbers. Works on the n × n matrix of inner products of the centred
 * vectors, whose leading eigenvectors, times the root of their eigenvalues, are the coordinates: n is small here. Eigenvectors
 * by power iteration, the second one with the first taken out.
 */
export function principalAxes(vectors: readonly (readonly number[])[]): PlanePoints {
  const count = vectors.length
  if (count === 0) return { points: [], explained: 0 }
  const gram = centredProducts(vectors)
  const total = gram.reduce((sum, row, i) => sum + (row[i] ?? 0), 0)
  if (total < TOLERANCE) return { points: vectors.map(() => [0, 0]), explained: 1 }
  const first = leadingAxis(gram, total)
  for (const [i, row] of gram.entries()) {
    for (let j = 0; j < count; j++)
      row[j] = (row[j] ?? 0) - first.value * (first.vector[i] ?? 0) * (first.vector[j] ?? 0)
  }
  const second = leadingAxis(gram, total)
  const points = vectors.map(
    (_, i) =>
      [
        Math.sqrt(Math.max(0, first.value)) * (first.vector[i] ?? 0),
        Math.sqrt(Math.max(0, second.value)) * (second.vector[i] ?? 0)
      ] as const
  )
  return { points, explained: Math.min(1, (first.value + second.value) / total) }
}

/** Inner product: the cosine, of vectors of norm 1. */
export function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0
  for (const [index, value] of a.entries()) sum += value * (b[index] ?? 0)
  return sum
}

/** Inner products of vectors less their mean: of each row and column less theirs. */
function centredProducts(vectors: readonly (readonly number[])[]): number[][] {
  const products = vectors.map((a) => vectors.map((b) => dot(a, b)))
  const means = products.map((row) => row.reduce((sum, value) => sum + value, 0) / row.length)
  const mean = means.reduce((sum, value) => sum + value, 0) / means.length
  return products.map((row, i) => row.map((value, j) => value - (means[i] ?? 0) - (means[j] ?? 0) + mean))
}

function leadingAxis(matrix: readonly (readonly number[])[], total: number): { value: number; vector: number[] } {
  // Not the same for all, which would be orthogonal to every axis of centred vectors.
  let vector = normalized(matrix.map((_, index) => Math.cos(1 + index)))
  let value = 0
  for (let step = 0; step < MAX_STEPS; step++) {
    const product = matrix.map((row) => dot(row, vector))
    const grown = Math.hypot(...product)
    if (grown < TOLERANCE * total) return { value: 0, vector: matrix.map(() => 0) }
    vector = product.map((each) => each / grown)
    if (Math.abs(grown - value) < TOLERANCE * total) break
    value = grown
  }
  return { value, vector }
}

function normalized(vector: readonly number[]): number[] {
  const norm = Math.hypot(...vector)
  return vector.map((value) => value / norm)
}
