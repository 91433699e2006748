/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  argmax,
  choleskyInPlace,
  choleskySolveInPlace,
  lowerGram,
  matrix,
  matrixRow,
  takeRows
} from '../../src/learning/matrix.ts'
import {
  addScaledAndDot,
  dot,
  dotOfAny,
  greatestMagnitude,
  negateAndDot,
  setToSum
} from '../../src/learning/vectors.ts'

test('lowerGram() equals the plain triple loop for every shape, panels wider than the cache included', () => {
  const shape = fc.record({ rows: fc.integer({ min: 1, max: 11 }), columns: fc.integer({ min: 1, max: 600 }) })
  fc.assert(
    fc.property(shape, ({ rows, columns }) => {
      const values = Float64Array.from({ length: rows * columns }, (_, i) => ((i * 7919) % 23) - 11)
      const of = matrix(values, rows, columns)
      const gram = lowerGram(values, rows, columns)
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < rows; j++) {
          const wanted = j > i ? 0 : dotOfAny(matrixRow(of, i), matrixRow(of, j))
          assert.equal(gram[i * rows + j], wanted)
        }
      }
    }),
    { numRuns: 50 }
  )
})

test('choleskySolveInPlace() solves what choleskyInPlace() factored', () => {
  // A = L·Lᵀ of L = [[2, 0], [1, 3]]; the upper triangle is not read.
  const lower = Float64Array.of(4, 99, 2, 10)
  choleskyInPlace(lower, 2)
  assert.deepEqual([...lower], [2, 99, 1, 3])
  const right = Float64Array.of(8, 4, 22, 20)
  choleskySolveInPlace(lower, 2, right, 2)
  assert.deepEqual([...right], [1, 0, 2, 2])
})

test('choleskyInPlace() finds L of any size, with L·Lᵀ the matrix', () => {
  for (let size = 1; size < 14; size++) {
    const factor = (i: number, j: number) => (j > i ? 0 : j === i ? i + 1 : Math.sin(i * size + j))
    const places = Array.from({ length: size * size }, (_, at) => [Math.floor(at / size), at % size] as const)
    const lower = Float64Array.from(places, ([i, j]) =>
      j > i ? 0 : Array.from({ length: size }, (_, k) => factor(i, k) * factor(j, k)).reduce((a, b) => a + b)
    )
    choleskyInPlace(lower, size)
    for (const [at, [i, j]] of places.entries())
      assert.ok(Math.abs(lower[at]! - factor(i, j)) < 1e-12, `${i}, ${j} of ${size}`)
  }
})

test('choleskyInPlace() refuses a matrix that is not positive definite', () => {
  assert.throws(() => choleskyInPlace(Float64Array.of(1, 0, 2, 4), 2), /not positive definite at row 1/)
  assert.throws(() => choleskyInPlace(Float64Array.of(Number.NaN), 1), RangeError)
})

test('matrix() refuses values that do not fill the shape', () => {
  assert.throws(() => matrix(new Float32Array(5), 2, 3), /5 values: 2 × 3 wanted/)
})

test('takeRows() copies rows in the given order and keeps the precision', () => {
  const taken = takeRows(matrix(Float32Array.of(1, 2, 3, 4, 5, 6), 3, 2), [2, 0])
  assert.deepEqual(taken, { values: Float32Array.of(5, 6, 1, 2), rows: 2, columns: 2 })
})

test('argmax() takes the first of equals and says when there is none', () => {
  assert.equal(argmax([1, 3, 3]), 1)
  assert.equal(argmax([]), -1)
})

test('sums in parts are those of plain loops, whatever the length', () => {
  for (let length = 0; length < 10; length += 1) {
    const a = Float64Array.from({ length }, (_, i) => i - 3)
    const b = Float64Array.from({ length }, (_, i) => 2 * i + 1)
    assert.equal(dot(a, b), dotOfAny(a, b))
    const wanted = Array.from(a, (value, i) => value - 2 * b[i]!)
    const [target, other, scaled] = [a.slice(), a.slice(), a.map((value) => value / 4)]
    setToSum(target, a, -2, b)
    assert.deepEqual([...target], wanted)
    assert.equal(addScaledAndDot(other, -2, b, a), dotOfAny(wanted, a))
    assert.deepEqual([...other], wanted)
    assert.equal(addScaledAndDot(scaled, -2, b, a, 4), dotOfAny(wanted, a))
    assert.deepEqual([...scaled], wanted)
    assert.equal(negateAndDot(target, a, b) + dotOfAny(a, b), 0)
    assert.deepEqual(
      [...target],
      Array.from(a, (value) => -value)
    )
  }
  assert.deepEqual([greatestMagnitude(Float64Array.of(1, -3, 2)), greatestMagnitude(Float64Array.of())], [3, 0])
  assert.equal(greatestMagnitude(Float64Array.of(5, NaN, 1)), NaN)
})
