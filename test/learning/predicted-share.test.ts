/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logOddsOf } from '../../src/learning/foresight.ts'
import { predictShare } from '../../src/learning/predicted-share.ts'

test('predictShare() without doubt has the quantiles of the binomial distribution', () => {
  // Of 20 questions with a probability of 0.5: P(X < 6) = 0.021, P(X ≤ 6) = 0.058, and the same above.
  assert.deepEqual(predictShare(0, 0, 20), { low: 6 / 20, high: 14 / 20 })
  // 0.99 to the 60th is 0.55.
  const { low, high } = predictShare(Math.log(99), 0, 60)
  assert.deepEqual([low, high], [58 / 60, 1])
})

test('predictShare() with doubt has the quantiles of the log-odds, where questions are many', () => {
  const { low, high } = predictShare(1, 0.8, 20_000)
  assert.ok(Math.abs(logOddsOf(low) - (1 - 1.645 * 0.8)) < 0.02, `${low}`)
  assert.ok(Math.abs(logOddsOf(high) - (1 + 1.645 * 0.8)) < 0.02, `${high}`)
})

test('predictShare() is finite at the ends', () => {
  assert.deepEqual(predictShare(800, 1, 400), { low: 1, high: 1 })
  assert.deepEqual(predictShare(-800, 1, 400), { low: 0, high: 0 })
  assert.deepEqual(predictShare(9, 3, 1), { low: 1, high: 1 })
})
