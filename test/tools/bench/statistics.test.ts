/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import test from 'node:test'
import { mcNemar, pairedRatios, percentile, spreadOf } from '../../../tools/bench/measure/statistics.ts'

const ONE_TO_HUNDRED = Array.from({ length: 100 }, (_, index) => index + 1)

test('percentile() takes the nearest rank', () => {
  assert.equal(percentile(ONE_TO_HUNDRED, 0.5), 50)
  assert.equal(percentile(ONE_TO_HUNDRED, 0.95), 95)
  assert.equal(percentile(ONE_TO_HUNDRED, 0.99), 99)
  assert.equal(percentile(ONE_TO_HUNDRED, 0.991), 100)
  assert.equal(percentile([1, 2, 3, 4], 0.5), 2)
})

test('percentile() of 0 and 1 are the least and the greatest', () => {
  assert.equal(percentile(ONE_TO_HUNDRED, 0), 1)
  assert.equal(percentile(ONE_TO_HUNDRED, 1), 100)
  assert.equal(percentile([7], 0.99), 7)
})

test('percentile() and spreadOf() refuse to make a figure of nothing', () => {
  assert.throws(() => percentile([], 0.5), RangeError)
  assert.throws(() => spreadOf([]), RangeError)
})

test('spreadOf() sorts by value, and takes the mean of the middle two', () => {
  assert.deepEqual(spreadOf([10, 9, 100]), { median: 10, min: 9, max: 100 })
  assert.deepEqual(spreadOf([4, 1, 3, 2]), { median: 2.5, min: 1, max: 4 })
})

test('pairedRatios() compares within a round: what slows a whole round down does not show', () => {
  // The second round ran at a tenth of the speed; the ratio of the medians would be 200 / 100 = 2 by luck, of the means too.
  assert.deepEqual(pairedRatios([300, 20, 200], [100, 10, 100]), { median: 2, min: 2, max: 3 })
})

test('pairedRatios() refuses rounds that have no partner', () => {
  assert.throws(() => pairedRatios([1, 2], [1]), /2 rounds with 1/)
})

test('mcNemar() is the chance of a difference as great where both are equally good', () => {
  // Of 6 coins all show one side, or all the other: 2 of 64.
  assert.equal(mcNemar(6, 0), 2 / 64)
  assert.equal(mcNemar(0, 6), 2 / 64)
  assert.equal(mcNemar(3, 3), 1)
  assert.equal(mcNemar(0, 0), 1)
  assert.ok(Math.abs(mcNemar(9, 24) - 0.0135) < 1e-4)
})
