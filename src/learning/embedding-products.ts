/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Inner product of an embedding and the row that begins at `start`. Uses four sums, since with one each addition waits for
 * the one before. Each kind of array has a function, because one for both runs four times slower once it has seen both.
 */
export function dotInt8(embedding: Float32Array, rows: Int8Array, start: number): number {
  const { length } = embedding
  const unrolled = length - (length % 4)
  let sum0 = 0
  let sum1 = 0
  let sum2 = 0
  let sum3 = 0
  for (let j = 0; j < unrolled; j += 4) {
    const at = start + j
    sum0 += embedding[j]! * rows[at]!
    sum1 += embedding[j + 1]! * rows[at + 1]!
    sum2 += embedding[j + 2]! * rows[at + 2]!
    sum3 += embedding[j + 3]! * rows[at + 3]!
  }
  for (let j = unrolled; j < length; j++) sum0 += embedding[j]! * rows[start + j]!
  return sum0 + sum1 + (sum2 + sum3)
}

/** As {@link dotInt8}. */
export function dotFloat32(embedding: Float32Array, rows: Float32Array, start: number): number {
  const { length } = embedding
  const unrolled = length - (length % 4)
  let sum0 = 0
  let sum1 = 0
  let sum2 = 0
  let sum3 = 0
  for (let j = 0; j < unrolled; j += 4) {
    const at = start + j
    sum0 += embedding[j]! * rows[at]!
    sum1 += embedding[j + 1]! * rows[at + 1]!
    sum2 += embedding[j + 2]! * rows[at + 2]!
    sum3 += embedding[j + 3]! * rows[at + 3]!
  }
  for (let j = unrolled; j < length; j++) sum0 += embedding[j]! * rows[start + j]!
  return sum0 + sum1 + (sum2 + sum3)
}

/** Rows that are multiplied at once: each number of the embedding is read once for all of them. */
const ROWS_AT_ONCE = 8

/**
 * Inner products of an embedding with each row of a matrix, added to `sums`.
 * @param rows row-major; as many rows as `sums` has numbers
 */
export function addProducts(embedding: Float32Array, rows: Float32Array, sums: Float64Array): void {
  // Converted to 64 bits once, not for every row.
  const wide = Float64Array.from(embedding)
  const { length } = wide
  const blocked = sums.length - (sums.length % ROWS_AT_ONCE)
  for (let row = 0; row < blocked; row += ROWS_AT_ONCE) addEightProducts(wide, rows, row, sums)
  for (let row = blocked; row < sums.length; row++) {
    let sum = 0
    for (let j = 0; j < length; j++) sum += wide[j]! * rows[row * length + j]!
    sums[row]! += sum
  }
}

function addEightProducts(embedding: Float64Array, rows: Float32Array, row: number, sums: Float64Array): void {
  const { length } = embedding
  const start0 = row * length
  const start1 = start0 + length
  const start2 = start1 + length
  const start3 = start2 + length
  const start4 = start3 + length
  const start5 = start4 + length
  const start6 = start5 + length
  const start7 = start6 + length
  let sum0 = 0
  let sum1 = 0
  let sum2 = 0
  let sum3 = 0
  let sum4 = 0
  let sum5 = 0
  let sum6 = 0
  let sum7 = 0
  for (let j = 0; j < length; j++) {
    const value = embedding[j]!
    sum0 += value * rows[start0 + j]!
    sum1 += value * rows[start1 + j]!
    sum2 += value * rows[start2 + j]!
    sum3 += value * rows[start3 + j]!
    sum4 += value * rows[start4 + j]!
    sum5 += value * rows[start5 + j]!
    sum6 += value * rows[start6 + j]!
    sum7 += value * rows[start7 + j]!
  }
  sums[row]! += sum0
  sums[row + 1]! += sum1
  sums[row + 2]! += sum2
  sums[row + 3]! += sum3
  sums[row + 4]! += sum4
  sums[row + 5]! += sum5
  sums[row + 6]! += sum6
  sums[row + 7]! += sum7
}
