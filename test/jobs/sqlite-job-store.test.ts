/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'

import { DEFAULT_JOB_POLICY, type NewJob } from '../../src/jobs/job.ts'
import { packPayload } from '../../src/jobs/payload.ts'
import { SqliteJobStore } from '../../src/jobs/sqlite-job-store.ts'

const NOW = { wallMs: 1_800_000_000_000, monotonicMs: 0 }
const CLAIM = { types: ['work'], limit: 1, leaseMs: 30_000 }
const GROUPED: NewJob = { type: 'work', input: packPayload(0), concurrencyGroup: 'g' }

async function openStore(t: TestContext): Promise<{ store: SqliteJobStore; path: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'jobs-'))
  const path = join(directory, 'jobs.db')
  const store = new SqliteJobStore({ path, policy: DEFAULT_JOB_POLICY, busyTimeoutMs: 1000 })
  t.after(async () => {
    store.close()
    await rm(directory, { recursive: true })
  })
  return { store, path }
}

test('claim() names no due time while all that waits waits for its group: who asks would come again at once', async (t) => {
  const { store } = await openStore(t)
  store.enqueue(GROUPED, NOW)
  const [claim] = store.claim(CLAIM, NOW).claims
  assert(claim !== undefined)
  store.enqueue(GROUPED, NOW)
  assert.deepEqual(store.claim(CLAIM, NOW), { claims: [], nextRunAtMs: undefined })
  store.fail(claim.lease, { message: 'no', isPermanent: true }, 0, NOW)
  assert.equal(store.claim(CLAIM, NOW).claims.length, 1)
})

test('claim() names the time at which the next try is due', async (t) => {
  const { store } = await openStore(t)
  store.enqueue({ ...GROUPED, concurrencyGroup: 'h' }, NOW)
  const [claim] = store.claim(CLAIM, NOW).claims
  assert(claim !== undefined)
  store.fail(claim.lease, { message: 'broken', isPermanent: false }, 0.5, NOW)
  assert.deepEqual(store.claim(CLAIM, NOW), { claims: [], nextRunAtMs: NOW.wallMs + 500 })
})

test('a claim looks into an index, and a heartbeat changes none', async (t) => {
  const { store, path } = await openStore(t)
  store.enqueue({ type: 'work', input: packPayload(0) }, NOW)
  const statements: string[] = []
  const prepare = t.mock.method(DatabaseSync.prototype, 'prepare')
  const [claim] = store.claim(CLAIM, NOW).claims
  assert(claim !== undefined)
  store.extend(claim.lease, undefined, NOW)
  statements.push(...prepare.mock.calls.map(({ arguments: [sql] }) => sql))
  prepare.mock.restore()
  const database = new DatabaseSync(path)
  const plans = statements.map((sql) => {
    const rows = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...Array.from(sql.matchAll(/\?/g), () => 0))
    return rows.map(({ detail }) => String(detail)).join('; ')
  })
  const opcodes = (sql: string): string[] => {
    const rows = database.prepare(`EXPLAIN ${sql}`).all(...Array.from(sql.matchAll(/\?/g), () => 0))
    return rows.map(({ opcode }) => String(opcode))
  }
  const heartbeat = statements.find(
    (sql) => sql.startsWith('UPDATE') && sql.includes('beat') && !sql.includes('status')
  )
  assert(heartbeat !== undefined, statements.join('\n'))
  assert(!opcodes(heartbeat).some((opcode) => opcode.startsWith('Idx')), opcodes(heartbeat).join(' '))
  database.close()
  assert(statements.length >= 4)
  for (const [index, plan] of plans.entries()) assert.doesNotMatch(plan, /SCAN|TEMP B-TREE/, statements[index])
})
