/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newJobId } from '../../src/jobs/job-id.ts'

test('newJobId() is a UUID of version 7 whose first 48 bits are the time in milliseconds', () => {
  // The time of the example in RFC 9562, appendix A.6.
  const id = newJobId(0x017f22e279b0)
  assert.match(id, /^017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  const before = Date.now()
  const made = Number.parseInt(newJobId().replace('-', '').slice(0, 12), 16)
  assert.ok(made >= before && made <= Date.now())
})

test('newJobId() never repeats, and every free bit takes both values', () => {
  const ids = Array.from({ length: 2000 }, () => newJobId(1))
  assert.equal(new Set(ids).size, ids.length)
  const numbers = ids.map((id) => BigInt(`0x${id.replaceAll('-', '')}`))
  const free = 0x0fff_3fff_ffff_ffff_ffffn
  assert.equal(numbers.reduce((seen, number) => seen | number, 0n) & free, free)
  assert.equal(numbers.reduce((seen, number) => seen & number, free) & free, 0n)
})
