/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Admission } from '../../src/embedding/admission.ts'

const options = { maxPendingTokens: 100, maxCallerShare: 0.5 }

test('admit() refuses what goes beyond the limit, and takes it once there is room', () => {
  const admission = new Admission(options)
  admission.admit('a', 50)
  admission.admit('b', 45)
  assert.throws(() => admission.admit('c', 6), { code: 'OVERLOADED', retryAfterSeconds: 1 })
  assert.equal(admission.pendingTokens, 95)
  admission.release('b', 45)
  admission.admit('c', 6)
  assert.equal(admission.pendingTokens, 56)
})

test('admit() refuses a caller beyond its share while others still get in', () => {
  const admission = new Admission(options)
  admission.admit('flood', 40)
  assert.throws(() => admission.admit('flood', 11), { code: 'TOO_MANY_REQUESTS' })
  admission.admit('other', 50)
})

test('admit() takes a call larger than every limit from a caller with nothing pending, and others beside it', () => {
  const admission = new Admission(options)
  admission.admit('huge', 1000)
  admission.admit('other', 50)
  assert.throws(() => admission.admit('third', 1), { code: 'OVERLOADED' })
  assert.throws(() => admission.admit('huge', 1), { code: 'TOO_MANY_REQUESTS' })
  admission.release('huge', 960)
  admission.admit('third', 10)
  assert.equal(admission.pendingTokens, 100)
})

test('a refusal says when to come back, by the measured rate', () => {
  const admission = new Admission({ maxPendingTokens: 10_000, maxCallerShare: 1 })
  admission.admit('a', 10_000)
  for (let nowMs = 0; nowMs <= 1000; nowMs += 100) admission.observeDrain(100, nowMs) // 1 token a millisecond
  assert.throws(() => admission.admit('b', 1), {
    code: 'OVERLOADED',
    retryAfterSeconds: 10,
    message: /come back in 10 s/
  })
})

test('admit() refuses at once what will certainly miss its deadline', () => {
  const admission = new Admission({ maxPendingTokens: 10_000, maxCallerShare: 1 })
  admission.admit('a', 5000)
  for (let nowMs = 0; nowMs <= 1000; nowMs += 100) admission.observeDrain(100, nowMs)
  assert.throws(() => admission.admit('b', 1, 4900), { code: 'OVERLOADED', message: /deadline/ })
  admission.admit('b', 1, 5100)
})

test('an idle spell does not count as slowness', () => {
  const admission = new Admission({ maxPendingTokens: 1000, maxCallerShare: 1 })
  admission.admit('a', 300)
  for (const nowMs of [0, 100, 200]) admission.observeDrain(100, nowMs)
  admission.release('a', 300)
  admission.admit('a', 1000)
  admission.observeDrain(100, 3_600_000)
  admission.observeDrain(100, 3_600_100)
  assert.throws(() => admission.admit('b', 1), { retryAfterSeconds: 1 })
})
