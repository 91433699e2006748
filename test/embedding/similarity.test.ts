/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cosineMatrix, cosineOf, dotProduct, rowNorms, type Rows } from '../../src/embedding/similarity.ts'
import { countTurns } from './count-turns.ts'
import { randomRows } from './random-rows.ts'

test('dotProduct() sums the products, of any number of dimensions and from any place', () => {
  const a = Float32Array.of(9, 1, 2, 3, 4, 5, 6, 7)
  const b = Float32Array.of(1, 10, 100, 1000, 10_000, 100_000, 1_000_000)
  assert.equal(dotProduct(a, 1, b, 0, 7), 7_654_321)
  assert.equal(dotProduct(a, 1, b, 0, 3), 321)
  assert.equal(dotProduct(a, 3, b, 1, 0), 0)
})

test('cosineOf() of a row with itself is exactly 1, and never beyond', async () => {
  const rows = randomRows(200, 384, 7)
  const norms = rowNorms(rows)
  for (const [index, norm] of norms.entries()) {
    const start = index * rows.dimensions
    assert.equal(cosineOf(dotProduct(rows.values, start, rows.values, start, 384), norm, norm), 1)
  }
  assert.equal(cosineOf(1.000_000_1, 1, 1), 1)
  assert.equal(cosineOf(-1.000_000_1, 1, 1), -1)
  assert.equal(cosineOf(0, 0, 1), 0)
})

test('cosineMatrix() has a row for each of a and a column for each of b', async () => {
  const a: Rows = { values: Float32Array.of(1, 0, 0, 2, 3, 4), dimensions: 2 }
  const b: Rows = { values: Float32Array.of(0, 5, 6, 8), dimensions: 2 }
  const expected = Float32Array.of(0, 0.6, 1, 0.8, 0.8, 1)
  assert.deepEqual(await cosineMatrix(a, b), expected)
})

test('cosineMatrix() lets the event loop run, and stops when it is aborted', async () => {
  const rows = randomRows(300, 384, 1)
  const turnCount = await countTurns(() => cosineMatrix(rows, rows))
  assert.ok(turnCount >= 300 ** 2 / 10_000, `${turnCount} turns`)
  await assert.rejects(cosineMatrix(rows, rows, AbortSignal.abort()), { name: 'AbortError' })
})
