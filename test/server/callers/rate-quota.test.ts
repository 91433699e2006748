/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RateQuota, rateLimitHeader } from '../../../src/server/callers/rate-quota.ts'

test('RateQuota.take() allows a burst of the whole quota, then one more for each share of the window', () => {
  const quota = new RateQuota({ requests: 3, seconds: 1 })
  const nowMs = 1000
  assert.deepEqual(quota.take(nowMs), { isAllowed: true, remaining: 2, resetSeconds: 1 })
  assert.deepEqual(quota.take(nowMs).remaining, 1)
  assert.deepEqual(quota.take(nowMs).remaining, 0)
  assert.deepEqual(quota.take(nowMs), { isAllowed: false, remaining: 0, resetSeconds: 1 })
  assert.equal(quota.take(nowMs + 332).isAllowed, false)
  assert.equal(quota.take(nowMs + 334).isAllowed, true)
  assert.equal(quota.take(nowMs + 335).isAllowed, false)
})

test('RateQuota.take() says when the next request is allowed, and a refused one takes nothing', () => {
  const quota = new RateQuota({ requests: 2, seconds: 60 })
  quota.take(0)
  quota.take(0)
  for (let refused = 0; refused < 100; refused += 1) assert.equal(quota.take(0).resetSeconds, 30)
  assert.equal(quota.take(29_500).resetSeconds, 1)
  assert.deepEqual(quota.take(30_000), { isAllowed: true, remaining: 0, resetSeconds: 60 })
})

test('RateQuota.take() allows its rate in the long run, and saves up no more than one window', () => {
  const quota = new RateQuota({ requests: 7, seconds: 3 })
  let allowed = 0
  for (let nowMs = 0; nowMs < 300_000; nowMs += 10) if (quota.take(nowMs).isAllowed) allowed += 1
  assert.ok(Math.abs(allowed - 700 - 7) <= 1, String(allowed))
  allowed = 0
  for (let request = 0; request < 100; request += 1) if (quota.take(10_000_000).isAllowed) allowed += 1
  assert.equal(allowed, 7)
})

test('the headers are structured fields of draft-ietf-httpapi-ratelimit-headers-10', () => {
  const quota = new RateQuota({ requests: 50, seconds: 10 })
  assert.equal(quota.policy, '"requests";q=50;w=10')
  assert.equal(rateLimitHeader(quota.take(0)), '"requests";r=49;t=1')
})
