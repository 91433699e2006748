/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gateFailures, INT8_GATE, measureQuality, spearman } from '../../../tools/compile-model/quality.ts'

function unit(...values: number[]): Float32Array {
  const norm = Math.hypot(...values)
  return Float32Array.from(values, (value) => value / norm)
}

test('measureQuality() of equal embeddings is 1 throughout', () => {
  const vectors = [unit(1, 0, 0), unit(1, 1, 0), unit(0, 1, 2)]
  const { meanCosine, minCosine, spearman: rank } = measureQuality(vectors, vectors)
  for (const value of [meanCosine, minCosine, rank]) assert.ok(Math.abs(value - 1) < 1e-6)
})

test('measureQuality() tells the worst sentence from the mean', () => {
  const { meanCosine, minCosine } = measureQuality([unit(1, 0), unit(0, 1)], [unit(1, 0), unit(1, 1)])
  assert.ok(Math.abs(minCosine - Math.SQRT1_2) < 1e-6)
  assert.ok(Math.abs(meanCosine - (1 + Math.SQRT1_2) / 2) < 1e-6)
})

test('measureQuality() refuses numbers that differ, and fewer than two', () => {
  assert.throws(() => measureQuality([unit(1)], [unit(1)]), RangeError)
  assert.throws(() => measureQuality([unit(1), unit(1)], [unit(1)]), /found 1 embeddings and 2 references/)
})

test('spearman() is that of scipy.stats.spearmanr, ties included', () => {
  // scipy 1.17: spearmanr([1, 2, 2, 4, 5], [2, 1, 3, 3, 9]).statistic
  const found = spearman(Float64Array.of(1, 2, 2, 4, 5), Float64Array.of(2, 1, 3, 3, 9))
  assert.ok(Math.abs(found - 0.763_157_894_736_842) < 1e-12, String(found))
})

test('gateFailures() names each figure below its gate; NaN passes none', () => {
  const good = { sentences: 300, meanCosine: 0.999, minCosine: 0.994, spearman: 0.998 }
  assert.deepEqual(gateFailures(good, INT8_GATE), [])
  assert.deepEqual(gateFailures({ ...good, minCosine: 0.9929 }, INT8_GATE), [
    'minCosine is 0.99290, wanted at least 0.993'
  ])
  const broken = { sentences: 300, meanCosine: Number.NaN, minCosine: Number.NaN, spearman: Number.NaN }
  assert.equal(gateFailures(broken, INT8_GATE).length, 3)
})
