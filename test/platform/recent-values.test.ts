/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError } from '../../src/errors.ts'
import { RecentValues } from '../../src/platform/recent-values.ts'

/** A cache over a table whose reads the test decides, with a clock of its own. */
function cacheOf() {
  // lru-cache takes a time of 0 for none.
  const table = { nowMs: 1, readCount: 0, read: async (): Promise<string | undefined> => 'first' }
  const values = new RecentValues(
    async () => {
      table.readCount += 1
      return table.read()
    },
    () => table.nowMs
  )
  return { table, values }
}

const isAway = async (): Promise<never> => {
  throw new ServiceError('UNAVAILABLE', 'Cannot read the table: TimeoutError')
}

test('RecentValues reads a value once a second', async () => {
  const { table, values } = cacheOf()
  assert.deepEqual(await Promise.all([values.get('k'), values.get('k')]), ['first', 'first'])
  table.read = async () => 'second'
  table.nowMs = 1000
  assert.equal(await values.get('k'), 'first')
  table.nowMs = 1002
  assert.equal(await values.get('k'), 'second')
  assert.equal(table.readCount, 2)
})

test('RecentValues gives the last value for ten minutes while the table is unavailable', async () => {
  const { table, values } = cacheOf()
  await values.get('k')
  table.read = isAway
  for (table.nowMs = 2000; table.nowMs <= 600_000; table.nowMs += 2000) assert.equal(await values.get('k'), 'first')
  table.nowMs = 602_000
  await assert.rejects(values.get('k'), { code: 'UNAVAILABLE' })
  await assert.rejects(values.get('never read'), { code: 'UNAVAILABLE' })
  table.read = async () => 'second'
  assert.equal(await values.get('k'), 'second')
})

test('RecentValues waits half a second at most for a table that does not answer, once a second', async () => {
  const { table, values } = cacheOf()
  await values.get('k')
  table.read = async () => new Promise(() => undefined)
  table.nowMs = 2000
  assert.equal(await values.get('k'), 'first')
  assert.equal(await values.get('k'), 'first')
  assert.equal(table.readCount, 2)
})

test('RecentValues gives no earlier value in place of another failure, or of a change by this process', async () => {
  const { table, values } = cacheOf()
  await values.get('k')
  table.read = async () => {
    throw new TypeError('a bug')
  }
  table.nowMs = 2000
  await assert.rejects(values.get('k'), TypeError)
  table.read = isAway
  values.forget('k')
  await assert.rejects(values.get('k'), { code: 'UNAVAILABLE' })
})
