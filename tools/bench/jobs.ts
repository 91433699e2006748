/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'

import { Consumer } from '../../src/jobs/consumer.ts'
import { packPayload } from '../../src/jobs/payload.ts'
import { Producer } from '../../src/jobs/producer.ts'
import { SqliteJobBackend } from '../../src/jobs/sqlite-job-backend.ts'

/*
 * How fast the embedded job queue is: prints one JSON object. Each figure is taken on an empty table and again on one
 * that holds a million jobs that have ended. node tools/bench/jobs.ts [--directory .cache/bench-jobs] [--ended 1000000]
 * The directory must be on a disk, not in memory: a 202 promises that the job is on disk.
 */
const { values } = parseArgs({
  options: {
    directory: { type: 'string', default: '.cache/bench-jobs' },
    ended: { type: 'string', default: '1000000' },
    /** Internal: be the consumer of the measurement across processes. */
    consume: { type: 'string' }
  }
})

const CLIENT_COUNT = 64
const ENQUEUE_COUNT = 30_000
const CLAIM_CONCURRENCY = 16
const LATENCY_SAMPLE_COUNT = 300
const IDLE_MS = 2000

const INPUT = { sentences: ['How do I become an engineer?', 'What did you study in college before you went to sea?'] }

function echo(input: unknown): unknown {
  return input
}

/** Cost of one durable write on this disk, the floor of a lone enqueue: median, in milliseconds. */
function measureFsync(directory: string): number {
  const file = openSync(join(directory, 'fsync-probe'), 'w')
  const block = Buffer.alloc(4096)
  const times = Array.from({ length: 200 }, () => {
    const begun = performance.now()
    writeSync(file, block)
    fsyncSync(file)
    return performance.now() - begun
  })
  closeSync(file)
  return percentile(times, 0.5)
}

function percentile(times: readonly number[], fraction: number): number {
  const sorted = times.toSorted((a, b) => a - b)
  return rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN)
}

function rounded(value: number): number {
  return Number(value.toPrecision(4))
}

/** Durable enqueues a second, of clients that each wait for their answer before they send the next. */
async function measureEnqueue(backend: SqliteJobBackend): Promise<{ perSecond: number; p50Ms: number; p99Ms: number }> {
  const times: number[] = []
  let left = ENQUEUE_COUNT
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      const begun = performance.now()
      await backend.enqueue({ type: 'rate', input: packPayload(INPUT) })
      times.push(performance.now() - begun)
    }
  }
  const begun = performance.now()
  await Promise.all(Array.from({ length: CLIENT_COUNT }, client))
  const seconds = (performance.now() - begun) / 1000
  return {
    perSecond: Math.round(times.length / seconds),
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99)
  }
}

/** Jobs a second that are claimed, done (nothing is to do) and finished, each by a claim and a write of its own. */
async function measureClaimAndFinish(backend: SqliteJobBackend): Promise<{ perSecond: number }> {
  const result = packPayload({ isDone: true })
  let doneCount = 0
  const worker = async (): Promise<void> => {
    for (;;) {
      const [claim] = await backend.claim({ types: ['rate'], limit: 1, leaseMs: 30_000, waitMs: 0 })
      if (claim === undefined) return
      await backend.finish(claim.lease, result)
      doneCount += 1
    }
  }
  const begun = performance.now()
  await Promise.all(Array.from({ length: CLAIM_CONCURRENCY }, worker))
  return { perSecond: Math.round(doneCount / ((performance.now() - begun) / 1000)) }
}

/** Time from the enqueue of a job on an idle queue to its result. */
async function measureIdleLatency(backend: SqliteJobBackend, type: string): Promise<{ p50Ms: number; p99Ms: number }> {
  const producer = new Producer(backend, { type })
  const times: number[] = []
  await producer.post('warm-up', { timeoutMs: 60_000 })
  for (let sample = 0; sample < LATENCY_SAMPLE_COUNT; sample += 1) {
    // The queue is to be idle: everyone has gone back to sleep.
    await sleep(5)
    const begun = performance.now()
    await producer.post(INPUT, { timeoutMs: 60_000 })
    times.push(performance.now() - begun)
  }
  return { p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99) }
}

async function measure(path: string): Promise<object> {
  const backend = await SqliteJobBackend.open({ path })
  const enqueue = await measureEnqueue(backend)
  const claimAndFinish = await measureClaimAndFinish(backend)

  const consumer = new Consumer({ backend, computeResult: echo, type: 'here' })
  consumer.startConsuming()
  const idleLatency = await measureIdleLatency(backend, 'here')
  const cpu = process.cpuUsage()
  await sleep(IDLE_MS)
  const { user, system } = process.cpuUsage(cpu)
  await consumer.stop()

  const child = spawn(process.execPath, [import.meta.filename, '--consume', path], { stdio: 'inherit' })
  const idleLatencyAcrossProcesses = await measureIdleLatency(backend, 'elsewhere')
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
  await backend.close()
  return {
    enqueue,
    claimAndFinish,
    idleLatency,
    idleLatencyAcrossProcesses,
    idleCpuPercent: rounded((user + system) / 10 / IDLE_MS)
  }
}

/** Puts jobs that have ended into the file, as if they had been done here. */
function addEndedJobs(path: string, count: number): void {
  const database = new DatabaseSync(path)
  const expiresAt = Date.now() + 20 * 86_400_000
  database.exec(`
    PRAGMA synchronous = OFF;
    BEGIN;
    CREATE TEMP TABLE numbers AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
      SELECT i + (SELECT coalesce(max(seq), 0) FROM jobs) AS seq, i FROM n;
    INSERT INTO jobs (seq, id, type, priority, owner, labels, fingerprint, status, attempts, progress, token, beat,
        lease_ms, created_at, updated_at, run_at, expires_at)
      SELECT seq, printf('00000000-0000-7000-8000-%012x', i), 'rate', 'interactive', '', '{}', hex(randomblob(22)),
        'SUCCESS', 1, 1, 1, 0, 30000, 0, 0, 0, ${expiresAt} + i FROM numbers;
    INSERT INTO job_inputs SELECT seq, 'application/json', randomblob(100) FROM numbers;
    INSERT INTO job_results SELECT seq, 'application/json', randomblob(100) FROM numbers;
    COMMIT;
    PRAGMA wal_checkpoint(TRUNCATE);
  `)
  database.close()
}

async function consume(path: string): Promise<void> {
  const backend = await SqliteJobBackend.open({ path })
  const consumer = new Consumer({ backend, computeResult: echo, type: 'elsewhere' })
  consumer.startConsuming()
  await once(process, 'SIGTERM')
  await consumer.stop()
  await backend.close()
}

async function main(): Promise<void> {
  await rm(values.directory, { recursive: true, force: true })
  await mkdir(values.directory, { recursive: true })
  const path = join(values.directory, 'jobs.db')
  const fsyncMs = measureFsync(values.directory)
  const onEmptyTable = await measure(path)
  addEndedJobs(path, Number(values.ended))
  const onFullTable = await measure(path)
  await rm(values.directory, { recursive: true })
  const report = { fsyncMs, clientCount: CLIENT_COUNT, onEmptyTable, endedJobCount: Number(values.ended), onFullTable }
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`)
}

if (values.consume === undefined) await main()
else await consume(values.consume)
