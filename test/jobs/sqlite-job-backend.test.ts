/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { ServiceError } from '../../src/errors.ts'
import { DEFAULT_JOB_POLICY, SUPERSEDED_TEXT } from '../../src/jobs/job.ts'
import { packPayload } from '../../src/jobs/payload.ts'
import { Producer } from '../../src/jobs/producer.ts'
import { RoomWatch } from '../../src/jobs/room-watch.ts'
import { SqliteJobBackend } from '../../src/jobs/sqlite-job-backend.ts'

const JOB_PROCESS = fileURLToPath(new URL('../fixtures/jobs/job-process.ts', import.meta.url))

async function temporaryDatabase(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'jobs-'))
  t.after(() => rm(directory, { recursive: true }))
  return join(directory, 'jobs.db')
}

/** Records every end of a job in a table of its own, so that a second end of the same job would show. */
function recordEnds(database: DatabaseSync): void {
  database.exec(`
    CREATE TABLE ends (id TEXT NOT NULL);
    CREATE TRIGGER record_end AFTER UPDATE OF status ON jobs WHEN NEW.status IN ('SUCCESS', 'FAILURE')
    BEGIN INSERT INTO ends VALUES (NEW.id); END;
  `)
}

type Line = ['accepted', number, string] | ['done', number]

function startProcess(
  database: string,
  produceCount: number,
  hear: (line: Line) => void,
  ...more: string[]
): ChildProcess {
  const args = [JOB_PROCESS, '--database', database, '--produce', String(produceCount), ...more]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  assert(child.stdout !== null)
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line: Line = JSON.parse(text)
    hear(line)
  })
  return child
}

test(
  '200 jobs each end exactly once, although their process is killed again and again',
  { timeout: 120_000 },
  async (t) => {
    const path = await temporaryDatabase(t)
    const backend = await SqliteJobBackend.open({ path })
    t.after(() => backend.close())
    const database = new DatabaseSync(path)
    t.after(() => database.close())
    recordEnds(database)

    const jobCount = 200
    const accepted = new Map<number, string>()
    const ended = new Set<string>()
    let killCount = 0
    while (ended.size < jobCount) {
      // Killed at the line that chance picks: while it hands in, computes, or commits.
      let linesLeft = 20 + Math.floor(Math.random() * 60)
      const child = startProcess(path, jobCount, (line) => {
        if (line[0] === 'accepted') {
          const [, n, id] = line
          assert.equal(accepted.get(n) ?? id, id, 'one key, one job')
          accepted.set(n, id)
        }
        linesLeft -= 1
        if (linesLeft === 0 && killCount < 6) {
          killCount += 1
          child.kill('SIGKILL')
        }
      })
      const exited = once(child, 'exit')
      const allEnded = (async () => {
        while (accepted.size < jobCount && child.exitCode === null && child.signalCode === null) {
          await Promise.race([exited, new Promise(setImmediate)])
        }
        for (const id of accepted.values()) {
          if (child.exitCode !== null || child.signalCode !== null) return
          const job = await Promise.race([backend.waitUntilEnded(id, 60_000), exited])
          if (job !== undefined && 'id' in job) ended.add(job.id)
        }
      })()
      await Promise.race([exited, allEnded])
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      await exited
      await allEnded
    }

    assert(killCount >= 3, `the process was killed ${killCount} times`)
    const rows = database.prepare('SELECT count(*) AS jobs, count(DISTINCT id) AS ids FROM jobs').get()
    assert.deepEqual({ ...rows }, { jobs: jobCount, ids: jobCount })
    const ends = database.prepare('SELECT count(*) AS ends, count(DISTINCT id) AS ids FROM ends').get()
    assert.deepEqual({ ...ends }, { ends: jobCount, ids: jobCount })
    const producer = new Producer<number, number>(backend)
    for (const [n, id] of accepted) assert.equal(await producer.retrieveResult(id), 2 * n)
  }
)

test('two consumer processes share the work, and no job is done twice', { timeout: 60_000 }, async (t) => {
  const path = await temporaryDatabase(t)
  const backend = await SqliteJobBackend.open({ path })
  t.after(() => backend.close())
  const database = new DatabaseSync(path)
  t.after(() => database.close())
  recordEnds(database)

  const doneBy = [new Set<number>(), new Set<number>()]
  const children = doneBy.map((done) =>
    startProcess(path, 0, (line) => {
      if (line[0] === 'done') done.add(line[1])
    })
  )
  const producer = new Producer<number, number>(backend)
  const numbers = Array.from({ length: 300 }, (_, n) => n)
  // The work lasts until both have had some of it.
  const results: number[] = []
  while (doneBy.some((done) => done.size === 0) || results.length === 0) {
    results.push(...(await Promise.all(numbers.map((n) => producer.post(n, { timeoutMs: 30_000 })))))
  }
  const exited = children.map((child) => once(child, 'exit'))
  for (const child of children) child.kill('SIGTERM')
  const codes = await Promise.all(exited)
  assert.deepEqual(
    codes.map(([code]: unknown[]) => code),
    [0, 0]
  )
  assert.deepEqual(
    results,
    results.map((_, index) => 2 * (index % numbers.length))
  )
  const ends = database.prepare('SELECT count(*) AS ends, count(DISTINCT id) AS ids FROM ends').get()
  assert.deepEqual({ ...ends }, { ends: results.length, ids: results.length })
})

test(
  'of a group one job is at work at a time, in two processes of four places each',
  { timeout: 60_000 },
  async (t) => {
    const path = await temporaryDatabase(t)
    const backend = await SqliteJobBackend.open({ path })
    t.after(() => backend.close())
    const doneBy = [0, 0]
    const children = doneBy.map((_, index) =>
      startProcess(
        path,
        0,
        () => {
          doneBy[index] = (doneBy[index] ?? 0) + 1
        },
        '--alone',
        `${path}-alone`
      )
    )
    const enqueue = async (n: number): Promise<string> => {
      const enqueued = await backend.enqueue({ type: 'default', input: packPayload(n), concurrencyGroup: 'g' })
      assert(enqueued.outcome === 'added')
      return enqueued.job.id
    }
    // Until both processes have had some: of each handful the last is done for sure, and others as chance has it.
    let n = 0
    while (doneBy.some((count) => count < 5)) {
      const ids: string[] = []
      for (let k = 0; k < 5; k += 1) ids.push(await enqueue((n += 1)))
      for (const id of ids) await backend.waitUntilEnded(id, 30_000)
      const jobs = await Promise.all(ids.map((id) => backend.find(id)))
      assert.equal(jobs.at(-1)?.status, 'SUCCESS')
      for (const job of jobs) {
        assert(job?.status === 'SUCCESS' || job?.lastError === SUPERSEDED_TEXT, `${job?.status}: ${job?.lastError}`)
        assert(job.attempts <= 1, 'none met another one')
      }
    }
    const exited = children.map((child) => once(child, 'exit'))
    for (const child of children) child.kill('SIGTERM')
    await Promise.all(exited)
  }
)

/** What makes a file of an earlier version of one of today. */
const EARLIER_FILES = {
  'before there were groups': `
    PRAGMA user_version = 0;
    DROP INDEX jobs_expecting;
    DROP INDEX jobs_queued_of_group;
    DROP INDEX jobs_in_progress_of_group;
    ALTER TABLE jobs DROP COLUMN concurrency_group;
    ALTER TABLE jobs DROP COLUMN expected_bytes;
  `,
  'before jobs said how much room they want': `
    PRAGMA user_version = 0;
    DROP INDEX jobs_expecting;
    ALTER TABLE jobs DROP COLUMN expected_bytes;
  `,
  'before files counted their versions': 'PRAGMA user_version = 0'
}

for (const [age, undo] of Object.entries(EARLIER_FILES)) {
  test(
    `a file from ${age} is opened with its jobs, also by several at the same moment`,
    { timeout: 60_000 },
    async (t) => {
      for (let round = 0; round < 2; round += 1) {
        const path = await temporaryDatabase(t)
        const before = await SqliteJobBackend.open({ path })
        const enqueued = await before.enqueue({ type: 'work', input: packPayload(1) })
        assert(enqueued.outcome === 'added')
        await before.close()
        const database = new DatabaseSync(path)
        database.exec(undo)
        database.close()
        // Each has a thread and a connection of its own.
        const opened = await Promise.allSettled(Array.from({ length: 4 }, () => SqliteJobBackend.open({ path })))
        const backends = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
        t.after(() => Promise.all(backends.map((backend) => backend.close())))
        assert.equal(backends.length, opened.length)
        for (const [index, backend] of backends.entries()) {
          assert.equal((await backend.find(enqueued.job.id))?.status, 'QUEUED')
          const added = await backend.enqueue({ type: 'work', input: packPayload(2), concurrencyGroup: `g${index}` })
          assert.equal(added.outcome, 'added')
        }
      }
    }
  )
}

test('a commit of one process wakes another one without polling', { timeout: 20_000 }, async (t) => {
  const path = await temporaryDatabase(t)
  const open = async (): Promise<SqliteJobBackend> => {
    const backend = await SqliteJobBackend.open({ path, lookEveryMs: 2 ** 31 - 1 })
    t.after(() => backend.close())
    return backend
  }
  const [front, worker] = [await open(), await open()]
  const request = { types: ['work'], limit: 1, leaseMs: 60_000, waitMs: 600_000 }
  for (let round = 0; round < 20; round += 1) {
    const claiming = worker.claim(request)
    const enqueued = await front.enqueue({ type: 'work', input: packPayload(round) })
    assert(enqueued.outcome === 'added')
    const ending = front.waitUntilEnded(enqueued.job.id, 600_000)
    const [claim] = await claiming
    assert(claim !== undefined)
    await worker.finish(claim.lease, packPayload(round))
    assert.equal((await ending)?.status, 'SUCCESS')
  }
})

test('a full disk refuses jobs with 503, keeps what was accepted, and recovers', async (t) => {
  const path = await temporaryDatabase(t)
  let nowMs = 0
  const clock = { wallMs: () => nowMs, monotonicMs: () => nowMs }
  const backend = await SqliteJobBackend.open({ path, clock, maxBytes: 1_000_000 })
  t.after(() => backend.close())
  const input = packPayload(new Uint8Array(20_000).fill(7))
  const outcomes = await Promise.allSettled(
    Array.from({ length: 100 }, (_, n) => backend.enqueue({ id: `job-${n}`, type: 'work', input }))
  )
  const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
  assert(refused.length > 0 && refused.length < 100, `${refused.length} of 100 refused`)
  for (const error of refused) {
    assert(error instanceof Error && 'statusCode' in error)
    assert.equal(error.statusCode, 503)
    assert.match(error.message, /kept for the results of those accepted/)
  }
  for (const [n, outcome] of outcomes.entries()) {
    const job = await backend.find(`job-${n}`)
    assert.equal(job?.status, outcome.status === 'fulfilled' ? 'QUEUED' : undefined, `job-${n}`)
  }

  // A result finds no room either; the job is not lost by it.
  const [claim] = await backend.claim({ types: ['work'], limit: 1, leaseMs: 1000, waitMs: 0 })
  assert(claim !== undefined)
  const large = packPayload(new Uint8Array(500_000))
  await assert.rejects(backend.finish(claim.lease, large), { code: 'UNAVAILABLE' })
  assert.equal((await backend.find(claim.job.id))?.status, 'IN_PROGRESS')

  assert.equal((await backend.cancel(claim.job.id)).outcome, 'changed')
  nowMs += DEFAULT_JOB_POLICY.retentionMs
  assert.equal((await backend.sweep()).deletedCount, 1)
  assert.equal((await backend.enqueue({ type: 'work', input })).outcome, 'added')
})

test('a file that cannot be opened is refused when the backend opens', async (t) => {
  const path = await temporaryDatabase(t)
  await assert.rejects(SqliteJobBackend.open({ path: join(path, '..') }), /unable to open database file/)
})

test('after close() every call is refused with 503, and close() may be repeated', async (t) => {
  const backend = await SqliteJobBackend.open({ path: await temporaryDatabase(t) })
  const enqueuing = backend.enqueue({ type: 'work', input: packPayload(1) })
  const waiting = backend.claim({ types: ['other'], limit: 1, leaseMs: 1000, waitMs: 600_000 })
  await backend.close()
  assert.equal((await enqueuing).outcome, 'added')
  assert.deepEqual(await waiting, [])
  await assert.rejects(backend.find('x'), { code: 'UNAVAILABLE' })
  await backend.close()
})

test('what was accepted can be finished however many jobs follow, and finished ones make room', async (t) => {
  const path = await temporaryDatabase(t)
  let nowMs = 0
  const clock = { wallMs: () => nowMs, monotonicMs: () => nowMs }
  const backend = await SqliteJobBackend.open({ path, clock, maxBytes: 3_000_000, reserveBytes: 300_000 })
  t.after(() => backend.close())
  const job = { type: 'work', input: packPayload(new Uint8Array(20_000).fill(7)), expectedResultBytes: 100_000 }
  const fill = async (): Promise<number> => {
    for (let count = 0; ; count += 1) {
      try {
        await backend.enqueue(job)
      } catch (error) {
        assert(error instanceof ServiceError)
        assert.equal(error.code, 'UNAVAILABLE')
        assert.equal(error.retryAfterSeconds, 30)
        return count
      }
    }
  }
  const count = await fill()
  assert(count > 10 && count < 25, `${count} accepted`)
  const claims = await backend.claim({ types: ['work'], limit: 100, leaseMs: 60_000, waitMs: 0 })
  assert.equal(claims.length, count)
  for (const { lease } of claims) {
    assert.equal(await backend.finish(lease, packPayload(new Uint8Array(100_000).fill(8))), 'held')
  }
  const full = await backend.room()
  assert(full.freeBytes >= 0)
  // Their time is over: there is as much room as before, without a restart.
  nowMs += DEFAULT_JOB_POLICY.retentionMs + 1
  await backend.sweep()
  assert.equal((await backend.room()).isFull, false)
  assert.equal(await fill(), count)
})

test('RoomWatch tells readiness of a full disk, and of its end', async () => {
  let isFull = false
  const lines: string[] = []
  const log = (_fields: object, line: string): void => void lines.push(line)
  const watch = new RoomWatch(
    { room: async () => ({ freeBytes: 10, reservedBytes: isFull ? 20 : 5, isFull }) },
    { warn: log, info: log }
  )
  await watch.look()
  assert.deepEqual(watch.notes(), [])
  isFull = true
  await watch.look()
  await watch.look()
  assert.match(watch.notes().join(), /new jobs are refused/)
  isFull = false
  await watch.look()
  assert.deepEqual(watch.notes(), [])
  assert.deepEqual(lines, ['new jobs are refused: there is no room for them', 'new jobs are accepted again'])
})

test('a job that was queued while the clock was a day ahead does not wait for that day', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'jobs-clock-'))
  t.after(() => rm(folder, { recursive: true }))
  let nowMs = Date.now()
  const clock = { wallMs: () => nowMs, monotonicMs: () => nowMs }
  const backend = await SqliteJobBackend.open({ path: join(folder, 'jobs.db'), clock })
  t.after(() => backend.close())
  const rightMs = nowMs
  nowMs += 24 * 60 * 60_000
  await backend.enqueue({ id: 'ahead', type: 'work', input: packPayload('a') })
  nowMs = rightMs
  await backend.enqueue({ id: 'right', type: 'work', input: packPayload('b') })
  const claims = await backend.claim({ types: ['work'], limit: 5, leaseMs: 1000, waitMs: 0 })
  assert.deepEqual(
    claims.map(({ job }) => job.id),
    ['right', 'ahead']
  )
})

test('SqliteJobBackend: a large input is not kept in memory once it is written', async (t) => {
  const path = await temporaryDatabase(t)
  const module = JSON.stringify(new URL('../../src/jobs/sqlite-job-backend.ts', import.meta.url).href)
  const program = `
    import { SqliteJobBackend } from ${module}
    const backend = await SqliteJobBackend.open({ path: ${JSON.stringify(path)} })
    const add = (length) => backend.enqueue({ type: 'work', input: { contentType: 'text/plain', bytes: new Uint8Array(length) } })
    await add(10)
    gc()
    const before = process.memoryUsage.rss()
    await add(${50 * 2 ** 20})
    gc()
    console.log(process.memoryUsage.rss() - before)
    await backend.close()
  `
  const env = { ...process.env, MALLOC_MMAP_THRESHOLD_: '131072' }
  const file = join(dirname(path), 'program.mjs')
  await writeFile(file, program)
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', file], { env })
  assert.ok(Number(stdout) < 25 * 2 ** 20, `${stdout.trim()} bytes more`)
})
