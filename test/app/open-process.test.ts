/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import process from 'node:process'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { openOrGiveUp } from '../../src/app/open-process.ts'
import { loadConfig } from '../../src/config/load-config.ts'

async function fillDisk(): Promise<void> {
  using database = new DatabaseSync(':memory:')
  database.exec('PRAGMA max_page_count = 2; CREATE TABLE kept (bytes BLOB)')
  database.exec('INSERT INTO kept VALUES (zeroblob(100000))')
}

test('openOrGiveUp() says of a full disk where the data is, and closes the process', async (t) => {
  const written = t.mock.method(process.stderr, 'write', () => true)
  const exitCode = process.exitCode
  t.after(() => (process.exitCode = exitCode))
  const config = loadConfig({ DATA_DIR: '/srv/data' })
  let isClosed = false
  const close = async () => {
    isClosed = true
  }
  assert.equal(await openOrGiveUp({ config, close }, fillDisk), undefined)
  assert.ok(isClosed)
  assert.deepEqual(
    written.mock.calls.map(({ arguments: [line] }) => line),
    ['Cannot open the data in /srv/data: the disk is full (database or disk is full)\n']
  )
})
