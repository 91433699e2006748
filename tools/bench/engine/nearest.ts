/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** For each vector, the index of the one most similar to it among the others. All vectors have L2 norm 1. */
export function nearestOthers(vectors: readonly Float32Array[]): Int32Array {
  return Int32Array.from(vectors, (vector, index) => {
    let best = -1
    let bestSimilarity = Number.NEGATIVE_INFINITY
    for (const [other, candidate] of vectors.entries()) {
      if (other === index) continue
      const similarity = dot(vector, candidate)
      if (similarity <= bestSimilarity) continue
      best = other
      bestSimilarity = similarity
    }
    return best
  })
}

/** For how many of the vectors the nearest other is the same in both; as a share. */
export function sameNeighbourShare(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  const neighbours = nearestOthers(b)
  const same = nearestOthers(a).filter((neighbour, index) => neighbour === neighbours[index])
  return same.length / a.length
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let column = 0; column < a.length; column += 1) sum += (a[column] ?? 0) * (b[column] ?? 0)
  return sum
}
