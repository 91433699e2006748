/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addProducts, dotFloat32 } from '../../src/learning/embedding-products.ts'

test('addProducts() adds the product with each row, also where rows are no multiple of those multiplied at once', () => {
  const embedding = Float32Array.from({ length: 37 }, (_, j) => Math.sin(j))
  for (const rowCount of [1, 7, 8, 9, 24, 27]) {
    const rows = Float32Array.from({ length: 37 * rowCount }, (_, i) => Math.cos(i * i))
    const sums = Float64Array.from({ length: rowCount }, (_, row) => row)
    addProducts(embedding, rows, sums)
    for (const [row, sum] of sums.entries()) {
      assert.ok(Math.abs(sum - row - dotFloat32(embedding, rows, 37 * row)) < 1e-9, `row ${row} of ${rowCount}`)
    }
  }
})
