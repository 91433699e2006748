/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { LeaseWatch } from '../../src/jobs/lease-watch.ts'

const lease = { jobId: 'a', token: 1, beat: 0, leaseMs: 100 }

test('LeaseWatch.look() finds a lease whose heartbeat stood still for its whole length', () => {
  const watch = new LeaseWatch()
  assert.deepEqual(watch.look([lease], 0), [])
  assert.deepEqual(watch.look([lease], 99), [])
  assert.deepEqual(watch.look([lease], 100), [lease])
})

test('LeaseWatch.look() starts anew at a heartbeat, a new holder, and after the lease was away', () => {
  const watch = new LeaseWatch()
  watch.look([lease], 0)
  assert.deepEqual(watch.look([{ ...lease, beat: 1 }], 100), [])
  assert.deepEqual(watch.look([{ ...lease, token: 2, beat: 1 }], 200), [])
  watch.look([], 250)
  assert.deepEqual(watch.look([{ ...lease, token: 2, beat: 1 }], 300), [])
  assert.equal(watch.look([{ ...lease, token: 2, beat: 1 }], 400).length, 1)
})
