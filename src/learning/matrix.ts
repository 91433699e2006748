/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** A dense matrix: element (i, j) is `values[i * columns + j]`. */
export interface Matrix {
  readonly values: Float32Array | Float64Array
  readonly rows: number
  readonly columns: number
}

/**
 * Wraps values as a matrix; nothing is copied.
 * @throws RangeError when there are not `rows × columns` values
 */
export function matrix(values: Float32Array | Float64Array, rows: number, columns: number): Matrix {
  if (values.length !== rows * columns) {
    throw new RangeError(`Cannot shape ${values.length} values: ${rows} × ${columns} wanted`)
  }
  return { values, rows, columns }
}

/** Row `index`: a view, not a copy. */
export function matrixRow(of: Matrix, index: number): Float32Array | Float64Array {
  return of.values.subarray(index * of.columns, (index + 1) * of.columns)
}

/** The rows at `indices`, in that order, as a copy of the same precision. */
export function takeRows(of: Matrix, indices: ArrayLike<number>): Matrix {
  const { columns } = of
  const length = indices.length * columns
  const values = of.values instanceof Float32Array ? new Float32Array(length) : new Float64Array(length)
  for (let i = 0; i < indices.length; i++) values.set(matrixRow(of, indices[i]!), i * columns)
  return { values, rows: indices.length, columns }
}

/** Position of the greatest value, the first of equals; -1 for no values. */
export function argmax(values: ArrayLike<number>): number {
  let best = values.length === 0 ? -1 : 0
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i
  return best
}

/**
 * Lower triangle (diagonal included) of A·Aᵀ, A being `rows × columns`; the upper triangle is left at 0.
 *
 * Works through the columns in panels that stay in the first-level cache and keeps 2 × 4 sums in registers: each value
 * read serves several products, which a plain triple loop does not do. Cost: rows²·columns / 2 multiply-adds.
 */
export function lowerGram(values: Float64Array, rows: number, columns: number): Float64Array {
  const gram = new Float64Array(rows * rows)
  const panelColumns = 256
  for (let from = 0; from < columns; from += panelColumns) {
    const width = Math.min(panelColumns, columns - from)
    for (let i = 0; i < rows; i += 2) {
      const hasPair = i + 1 < rows
      const a0 = i * columns + from
      const a1 = hasPair ? a0 + columns : a0
      for (let j = 0; j <= i + 1 && j < rows; j += 4) {
        // A block beyond the last row repeats that row; the surplus sums are dropped below.
        const b0 = j * columns + from
        const b1 = Math.min(j + 1, rows - 1) * columns + from
        const b2 = Math.min(j + 2, rows - 1) * columns + from
        const b3 = Math.min(j + 3, rows - 1) * columns + from
        let s00 = 0
        let s01 = 0
        let s02 = 0
        let s03 = 0
        let s10 = 0
        let s11 = 0
        let s12 = 0
        let s13 = 0
        for (let k = 0; k < width; k++) {
          const x = values[a0 + k]!
          const y = values[a1 + k]!
          const p = values[b0 + k]!
          const q = values[b1 + k]!
          const r = values[b2 + k]!
          const s = values[b3 + k]!
          s00 += x * p
          s01 += x * q
          s02 += x * r
          s03 += x * s
          s10 += y * p
          s11 += y * q
          s12 += y * r
          s13 += y * s
        }
        addBelowDiagonal(gram, rows, i, j, s00, s01, s02, s03)
        if (hasPair) addBelowDiagonal(gram, rows, i + 1, j, s10, s11, s12, s13)
      }
    }
  }
  return gram
}

function addBelowDiagonal(
  gram: Float64Array,
  size: number,
  row: number,
  column: number,
  s0: number,
  s1: number,
  s2: number,
  s3: number
): void {
  const at = row * size + column
  const last = row - column
  if (last >= 0) gram[at]! += s0
  if (last >= 1) gram[at + 1]! += s1
  if (last >= 2) gram[at + 2]! += s2
  if (last >= 3) gram[at + 3]! += s3
}

/**
 * Factors a symmetric positive definite matrix A = L·Lᵀ in place: reads the lower triangle, leaves L in it.
 *
 * Row by row, so that both operands of the inner product are contiguous, and four columns at a time, since each subtraction
 * from one sum waits for the one before. Cost: size³/6 multiply-adds.
 * @throws RangeError when A is not positive definite
 */
export function choleskyInPlace(lower: Float64Array, size: number): void {
  for (let i = 0; i < size; i++) {
    const rowI = i * size
    let j = 0
    for (; j + 3 < i; j += 4) eliminateFour(lower, size, rowI, j)
    for (; j <= i; j++) {
      const rowJ = j * size
      let sum = lower[rowI + j]!
      for (let k = 0; k < j; k++) sum -= lower[rowI + k]! * lower[rowJ + k]!
      if (j < i) {
        lower[rowI + j] = sum / lower[rowJ + j]!
      } else if (sum > 0) {
        lower[rowI + i] = Math.sqrt(sum)
      } else {
        throw new RangeError(`Cannot factor the matrix: not positive definite at row ${i}`)
      }
    }
  }
}

/** Computes elements j to j + 3 of a row of L, left of the diagonal. */
function eliminateFour(lower: Float64Array, size: number, row: number, j: number): void {
  const row0 = j * size
  const row1 = row0 + size
  const row2 = row1 + size
  const row3 = row2 + size
  let sum0 = lower[row + j]!
  let sum1 = lower[row + j + 1]!
  let sum2 = lower[row + j + 2]!
  let sum3 = lower[row + j + 3]!
  for (let k = 0; k < j; k++) {
    const value = lower[row + k]!
    sum0 -= value * lower[row0 + k]!
    sum1 -= value * lower[row1 + k]!
    sum2 -= value * lower[row2 + k]!
    sum3 -= value * lower[row3 + k]!
  }
  const value0 = sum0 / lower[row0 + j]!
  const value1 = (sum1 - value0 * lower[row1 + j]!) / lower[row1 + j + 1]!
  const value2 = (sum2 - value0 * lower[row2 + j]! - value1 * lower[row2 + j + 1]!) / lower[row2 + j + 2]!
  sum3 = sum3 - value0 * lower[row3 + j]! - value1 * lower[row3 + j + 1]! - value2 * lower[row3 + j + 2]!
  lower[row + j] = value0
  lower[row + j + 1] = value1
  lower[row + j + 2] = value2
  lower[row + j + 3] = sum3 / lower[row3 + j + 3]!
}

/**
 * Solves L·Lᵀ·X = B in place, L from {@link choleskyInPlace}; B is `size × columns`, row-major, and becomes X.
 * Cost: size²·columns multiply-adds, along contiguous rows of B.
 */
export function choleskySolveInPlace(lower: Float64Array, size: number, right: Float64Array, columns: number): void {
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < i; j++) subtractScaledRow(right, columns, i, j, lower[i * size + j]!)
    scaleRow(right, columns, i, 1 / lower[i * size + i]!)
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let j = i + 1; j < size; j++) subtractScaledRow(right, columns, i, j, lower[j * size + i]!)
    scaleRow(right, columns, i, 1 / lower[i * size + i]!)
  }
}

function subtractScaledRow(
  values: Float64Array,
  columns: number,
  target: number,
  source: number,
  factor: number
): void {
  const to = target * columns
  const from = source * columns
  for (let k = 0; k < columns; k++) values[to + k]! -= factor * values[from + k]!
}

function scaleRow(values: Float64Array, columns: number, row: number, factor: number): void {
  const start = row * columns
  for (let k = 0; k < columns; k++) values[start + k]! *= factor
}
