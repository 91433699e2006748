/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findNativeFunctions } from '../../src/embedding/native-program.ts'
import { INT16_STEPS, PORTABLE_PRODUCTS, toInt16 } from '../../src/learning/embedding-products.ts'

const { products: native } = await findNativeFunctions()
const needsNative = { skip: native === undefined && 'there is no native program for this machine' }

/** Column counts about the number of partial sums, and those of real embeddings. */
const COLUMN_COUNTS = [1, 3, 7, 8, 9, 15, 16, 37, 384, 768]

/** Numbers from −1 to 1 that look random and are the same each time. */
function numbers(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(seed + i * i * 0.37))
}

function integers(length: number, seed: number): Int8Array {
  return Int8Array.from(numbers(length, seed), (value) => Math.round(value * 127))
}

test('addProducts() adds the product with each row, also of rows that lie apart', () => {
  for (const columns of COLUMN_COUNTS) {
    const embedding = numbers(columns, 1)
    const stride = columns + 3
    const rows = numbers(stride * 9, 2)
    const sums = Float64Array.from({ length: 9 }, (_, row) => row)
    PORTABLE_PRODUCTS.addProducts(embedding, rows, stride, sums)
    for (const [row, sum] of sums.entries()) {
      const expected = embedding.reduce((total, value, j) => total + value * rows[row * stride + j]!, row)
      assert.ok(Math.abs(sum - expected) < 1e-12 * columns, `${columns} columns, row ${row}`)
    }
  }
})

test('multiplyRows() gives the exact product with each chosen row', () => {
  for (const columns of COLUMN_COUNTS) {
    const embedding = toInt16(numbers(columns, 3))
    const rows = integers(columns * 5, 4)
    const products = new Int32Array(3)
    PORTABLE_PRODUCTS.multiplyRows(embedding, rows, Int32Array.of(4, 0, 4), products)
    const expected = [4, 0, 4].map((row) =>
      Number(embedding.reduce((total, value, j) => total + BigInt(value) * BigInt(rows[row * columns + j]!), 0n))
    )
    assert.deepEqual([...products], expected, `${columns} columns`)
  }
})

test('the native program and JavaScript give the same bits', needsNative, () => {
  for (const columns of COLUMN_COUNTS) {
    const embedding = numbers(columns, 5)
    const rows = numbers((columns + 1) * 11, 6)
    const samples = integers(columns * 11, 7)
    const results = [native!, PORTABLE_PRODUCTS].map((products) => {
      const sums = new Float64Array(11).fill(0.1)
      products.addProducts(embedding, rows, columns + 1, sums)
      const chosen = new Int32Array(4)
      products.multiplyRows(toInt16(embedding), samples, Int32Array.of(10, 3, 0, 3), chosen)
      return { sums, chosen }
    })
    assert.deepEqual(results[0], results[1], `${columns} columns`)
  }
})

test('the native program refuses arrays that do not fit each other', needsNative, () => {
  const { multiplyRows, addProducts } = native!
  const embedding = toInt16(numbers(8, 1))
  for (const row of [-1, 2]) {
    const call = () => multiplyRows(embedding, new Int8Array(16), Int32Array.of(row), new Int32Array(1))
    assert.throws(call, /there is no such row/)
  }
  const tooFew = () => multiplyRows(embedding, new Int8Array(16), Int32Array.of(0, 1), new Int32Array(1))
  assert.throws(tooFew, /do not fit each other/)
  assert.throws(() => addProducts(numbers(8, 1), numbers(15, 1), 8, new Float64Array(2)), /do not fit each other/)
  assert.throws(() => addProducts(numbers(8, 1), numbers(16, 1), 7, new Float64Array(2)), /do not fit each other/)
})

test('toInt16() rounds to the nearest of its steps, and keeps what is out of range within it', () => {
  const embedding = Float32Array.of(1, -1, 0, 0.5, 1.0001, -2)
  assert.deepEqual([...toInt16(embedding)], [INT16_STEPS, -INT16_STEPS, 0, 16_384, INT16_STEPS, -INT16_STEPS])
})
