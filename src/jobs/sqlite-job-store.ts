/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'

import {
  FAILURES,
  JOB_STATUSES,
  LEASE_LOST_TEXT,
  PRIORITIES,
  SUPERSEDED_TEXT,
  afterFailure,
  fingerprintOf,
  firstLane,
  isEnded,
  noticeOf,
  isFailure,
  queuedJob,
  type FailedTry,
  type Failure,
  type Job,
  type JobPolicy,
  type NewJob,
  type Priority
} from './job.ts'
import type {
  Backlog,
  Changed,
  Claim,
  Enqueued,
  JobPage,
  JobQuery,
  JobRoom,
  Lease,
  LeaseOutcome,
  Swept
} from './job-backend.ts'
import { ServiceError } from '../errors.ts'
import { LeaseWatch } from './lease-watch.ts'
import type { Payload } from './payload.ts'
import { nameIn, numberIn, optionalIn, textIn, type StoredRecord } from '../storage/stored-record.ts'

/** How to open a {@link SqliteJobStore}. */
export interface SqliteJobStoreOptions {
  /** The database file; it is made when there is none. */
  readonly path: string
  readonly policy: JobPolicy
  /** The file grows no further: then jobs are refused. @default as large as SQLite allows */
  readonly maxBytes?: number
  /** Room that new jobs leave for what those before them need, beside what their results are expected to take. @default 0 */
  readonly reserveBytes?: number
  /** How long a write waits for another process's write, in milliseconds. */
  readonly busyTimeoutMs: number
}

/** The time at which an operation was asked for, by the caller's clocks. */
export interface Instant {
  readonly wallMs: number
  readonly monotonicMs: number
}

/** Jobs that were claimed, or else when to ask again. */
export interface ClaimAttempt {
  readonly claims: readonly Claim[]
  /** The earliest time at which a job that waits for its next try is due. */
  readonly nextRunAtMs: number | undefined
}

/** What operations changed that someone may wait for. */
export interface StoreEvents {
  /** Whether a job came into the queue. */
  readonly hasQueued: boolean
  /** Jobs that ended. */
  readonly endedIds: readonly string[]
}

/** What a worker asks for, without the waiting. */
export interface ClaimNow {
  readonly types: readonly string[]
  readonly limit: number
  readonly leaseMs: number
}

/*
 * The indexes are partial: each holds only the rows in one state, so that its size, and with it the cost of a claim,
 * does not grow with the number of jobs that have ended. Inputs and results have tables of their own, since SQLite
 * rewrites a whole row when a heartbeat changes one of its columns.
 */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS jobs (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    priority TEXT NOT NULL,
    owner TEXT NOT NULL,
    labels TEXT NOT NULL,
    callback_url TEXT,
    concurrency_group TEXT,
    idempotency_key TEXT,
    fingerprint TEXT NOT NULL,
    status TEXT NOT NULL,
    failure TEXT,
    attempts INTEGER NOT NULL,
    progress REAL NOT NULL,
    last_error TEXT,
    token INTEGER NOT NULL,
    beat INTEGER NOT NULL,
    lease_ms INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    run_at INTEGER NOT NULL,
    expires_at INTEGER,
    expected_bytes INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE IF NOT EXISTS job_inputs (seq INTEGER PRIMARY KEY, content_type TEXT NOT NULL, bytes BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS job_results (seq INTEGER PRIMARY KEY, content_type TEXT NOT NULL, bytes BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS job_workers (id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS jobs_expecting ON jobs (expected_bytes) WHERE status IN ('QUEUED', 'IN_PROGRESS');
  CREATE INDEX IF NOT EXISTS jobs_queued ON jobs (type, priority, run_at, seq) WHERE status = 'QUEUED';
  CREATE INDEX IF NOT EXISTS jobs_in_progress ON jobs (seq) WHERE status = 'IN_PROGRESS';
  CREATE INDEX IF NOT EXISTS jobs_dead ON jobs (seq) WHERE failure = 'DEAD';
  CREATE INDEX IF NOT EXISTS jobs_expiring ON jobs (expires_at) WHERE expires_at IS NOT NULL;
  CREATE UNIQUE INDEX IF NOT EXISTS jobs_queued_of_group ON jobs (concurrency_group)
    WHERE status = 'QUEUED' AND concurrency_group IS NOT NULL;
  CREATE UNIQUE INDEX IF NOT EXISTS jobs_in_progress_of_group ON jobs (concurrency_group)
    WHERE status = 'IN_PROGRESS' AND concurrency_group IS NOT NULL;
  CREATE UNIQUE INDEX IF NOT EXISTS jobs_idempotency ON jobs (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
`

/** Of a row of `jobs` that is QUEUED: no job of its group is at work. */
const IS_GROUP_FREE = `NOT EXISTS (
  SELECT 1 FROM jobs AS other WHERE other.concurrency_group = jobs.concurrency_group AND other.status = 'IN_PROGRESS')`

/** Room is measured anew after this time: to sum up what a long queue expects takes some milliseconds. */
const MAX_ROOM_AGE_MS = 250
/** About how long the jobs at work take to make room, or an operator. */
const RETRY_AFTER_SECONDS = 30
const MAX_DELETIONS_PER_SWEEP = 500
/** Jobs that one page of a list looks at: some milliseconds. */
const MAX_LISTED_ROWS = 10_000
/** A large result grows the write-ahead log; after the next checkpoint it is cut back to this. */
const MAX_IDLE_LOG_BYTES = 16 * 1024 * 1024
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2

/** A row of `jobs`: the job, and what only the store needs. */
interface JobRow {
  readonly seq: number
  readonly job: Job
  readonly fingerprint: string
  readonly token: number
  readonly beat: number
  readonly leaseMs: number
  readonly expiresAtMs: number | undefined
}

/**
 * Jobs in a SQLite file, one synchronous method an operation. It runs in a thread of its own
 * (`sqlite-job-thread.ts`), which puts the operations that wait into one transaction.
 * Several processes may open the same file.
 */
export class SqliteJobStore {
  readonly #database: DatabaseSync
  readonly #policy: JobPolicy
  readonly #path: string
  readonly #maxBytes: number
  readonly #reserveBytes: number
  readonly #statements = new Map<string, StatementSync>()
  readonly #watch = new LeaseWatch()
  /** Room for new jobs, as it was lately, less what was taken since. */
  #freeBytes = 0
  #freeAtMs = Number.NaN
  #claimCount = 0
  #hasQueued = false
  #endedIds: string[] = []

  constructor(options: SqliteJobStoreOptions) {
    this.#policy = options.policy
    this.#path = options.path
    this.#maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY
    this.#reserveBytes = options.reserveBytes ?? 0
    this.#database = new DatabaseSync(options.path, { timeout: options.busyTimeoutMs })
    this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = ${MAX_IDLE_LOG_BYTES}`)
    // A page count is refused below the present one, so an existing larger file keeps working and stops growing.
    if (options.maxBytes !== undefined) {
      const pageBytes = numberIn(this.#database.prepare('PRAGMA page_size').get() ?? {}, 'page_size')
      this.#database.exec(`PRAGMA max_page_count = ${Math.floor(options.maxBytes / pageBytes)}`)
    }
    this.#database.exec('BEGIN IMMEDIATE')
    // A file that was made before jobs had groups.
    const columns = this.#database.prepare('PRAGMA table_info(jobs)').all()
    if (columns.length > 0 && !columns.some(({ name }) => name === 'concurrency_group')) {
      this.#database.exec('ALTER TABLE jobs ADD COLUMN concurrency_group TEXT')
    }
    // And one from before room for results was kept.
    if (columns.length > 0 && !columns.some(({ name }) => name === 'expected_bytes')) {
      this.#database.exec('ALTER TABLE jobs ADD COLUMN expected_bytes INTEGER NOT NULL DEFAULT 0')
    }
    this.#database.exec(`${SCHEMA} COMMIT`)
  }

  /**
   * Runs operations as one transaction: all of them happen, or none.
   * @param isDurable whether the commit waits until the disk has it (one fsync); else a power loss, but no crash, may
   *   undo the last commits
   */
  transact<T>(isDurable: boolean, work: () => T): T {
    this.#database.exec(isDurable ? 'PRAGMA synchronous = FULL' : 'PRAGMA synchronous = NORMAL')
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      const value = work()
      this.#database.exec('COMMIT')
      return value
    } catch (error) {
      // The room that this took is there again.
      this.#freeAtMs = Number.NaN
      // SQLite has rolled back by itself after some errors, such as a full disk.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  /** What changed since the last call. */
  takeEvents(): StoreEvents {
    const events = { hasQueued: this.#hasQueued, endedIds: this.#endedIds }
    this.#hasQueued = false
    this.#endedIds = []
    return events
  }

  /** Changes whenever another connection, of this or another process, has committed. */
  dataVersion(): number {
    return numberIn(this.#prepare('PRAGMA data_version').get() ?? {}, 'data_version')
  }

  enqueue(job: NewJob, now: Instant): Enqueued {
    const fingerprint = fingerprintOf(job)
    const owner = job.owner ?? ''
    const earlier =
      this.#rowToKeep(this.#rowOf(job.id), now) ?? this.#rowToKeep(this.#rowOfKey(owner, job.idempotencyKey), now)
    if (earlier === undefined) {
      const outdated = this.#waitingOfGroup(job.concurrencyGroup)
      this.#assertRoom(job, now)
      if (outdated !== undefined) this.#supersede(outdated, now)
      return { outcome: 'added', job: this.#insert(job, fingerprint, now) }
    }
    if (earlier.fingerprint !== fingerprint) return { outcome: 'conflict', jobId: earlier.job.id }
    return { outcome: 'existing', job: earlier.job }
  }

  find(id: string, now: Instant): Job | undefined {
    const row = this.#liveRow(id, now)
    return row?.job
  }

  /** Those of the jobs that have ended or are gone. */
  ended(ids: readonly string[], now: Instant): string[] {
    return ids.filter((id) => {
      const job = this.find(id, now)
      return job === undefined || isEnded(job)
    })
  }

  result(id: string, now: Instant): Payload | undefined {
    const row = this.#liveRow(id, now)
    return row && this.#payload('job_results', row.seq)
  }

  list(query: JobQuery, now: Instant): JobPage {
    const { owner, type, status, limit } = query
    const before = query.after === undefined ? Number.MAX_SAFE_INTEGER : Number(query.after)
    // Dead letters have an index of their own. Of others a page looks at so many: the store does nothing else meanwhile.
    const span = status === 'DEAD' ? undefined : this.#span(before)
    const conditions: readonly (readonly [string, SQLInputValue | undefined])[] = [
      ['seq < ?', before],
      ['seq >= ?', span?.firstSeq],
      ['owner = ?', owner],
      ['type = ?', type],
      [status !== undefined && isFailure(status) ? 'failure = ?' : 'status = ?', status],
      ['(expires_at IS NULL OR expires_at > ?)', now.wallMs]
    ]
    const given = conditions.flatMap(([sql, value]) => (value === undefined ? [] : [{ sql, value }]))
    const rows = this.#rows(
      `SELECT * FROM jobs WHERE ${given.map(({ sql }) => sql).join(' AND ')} ORDER BY seq DESC LIMIT ?`,
      ...given.map(({ value }) => value),
      limit + 1
    )
    const page = rows.slice(0, limit)
    const last = rows.length > limit ? page.at(-1)?.seq : span?.isWhole === false ? span.firstSeq : undefined
    return { jobs: page.map((row) => row.job), next: last?.toString() }
  }

  /** The jobs before one, as many as a page may look at. */
  #span(before: number): { firstSeq: number; isWhole: boolean } {
    const row = this.#prepare(
      `SELECT coalesce(min(seq), 0) AS first, count(*) AS count
       FROM (SELECT seq FROM jobs WHERE seq < ? ORDER BY seq DESC LIMIT ?)`
    ).get(before, MAX_LISTED_ROWS)
    const first = numberIn(row ?? {}, 'first')
    const count = numberIn(row ?? {}, 'count')
    return { firstSeq: first, isWhole: count < MAX_LISTED_ROWS }
  }

  claim(request: ClaimNow, now: Instant): ClaimAttempt {
    this.#claimCount += 1
    const lanes: Priority[] = firstLane(this.#claimCount) === 'bulk' ? ['bulk', 'interactive'] : ['interactive', 'bulk']
    const claims: Claim[] = []
    for (const lane of lanes) claims.push(...this.#claimLane(request, lane, request.limit - claims.length, now))
    return { claims, nextRunAtMs: claims.length > 0 ? undefined : this.#nextRunAtMs(request.types) }
  }

  extend(lease: Lease, progress: number | undefined, now: Instant): LeaseOutcome {
    return this.#row(
      `UPDATE jobs SET beat = beat + 1, progress = coalesce(?, progress), updated_at = ?
       WHERE id = ? AND token = ? AND status = 'IN_PROGRESS' RETURNING *`,
      progress ?? null,
      now.wallMs,
      lease.jobId,
      lease.token
    )
      ? 'held'
      : 'lost'
  }

  finish(lease: Lease, result: Payload, now: Instant): LeaseOutcome {
    const row = this.#held(lease)
    if (row === undefined) return 'lost'
    this.#run('INSERT OR REPLACE INTO job_results VALUES (?, ?, ?)', row.seq, result.contentType, result.bytes)
    this.#end(row, 'SUCCESS', undefined, 1, row.job.lastError, now)
    return 'held'
  }

  fail(lease: Lease, failed: FailedTry, random: number, now: Instant): LeaseOutcome {
    const row = this.#held(lease)
    if (row === undefined) return 'lost'
    this.#giveUpOrRetry(row, failed, random, now)
    return 'held'
  }

  release(lease: Lease, now: Instant): LeaseOutcome {
    const row = this.#held(lease)
    if (row === undefined) return 'lost'
    this.#queue(row, row.job.attempts - 1, now.wallMs, row.job.lastError, now)
    return 'held'
  }

  cancel(id: string, now: Instant): Changed {
    const row = this.#liveRow(id, now)
    if (row === undefined) return { outcome: 'missing' }
    if (row.job.failure === 'CANCELLED') return { outcome: 'changed', job: row.job }
    if (isEnded(row.job)) return { outcome: 'refused', job: row.job }
    return { outcome: 'changed', job: this.#end(row, 'FAILURE', 'CANCELLED', row.job.progress, row.job.lastError, now) }
  }

  redrive(id: string, now: Instant): Changed {
    const row = this.#liveRow(id, now)
    if (row === undefined) return { outcome: 'missing' }
    if (row.job.failure !== 'DEAD' && row.job.failure !== 'PERMANENT') return { outcome: 'refused', job: row.job }
    if (this.#waitingOfGroup(row.job.concurrencyGroup) !== undefined) return { outcome: 'refused', job: row.job }
    return { outcome: 'changed', job: this.#queue(row, 0, now.wallMs, row.job.lastError, now) }
  }

  sweep(random: number, now: Instant): Swept {
    const running = this.#rows(`SELECT * FROM jobs WHERE status = 'IN_PROGRESS'`)
    const rows = new Map(running.map((row) => [row.job.id, row]))
    const leases = running.map((row) => ({
      jobId: row.job.id,
      token: row.token,
      beat: row.beat,
      leaseMs: row.leaseMs
    }))
    const silent = this.#watch.look(leases, now.monotonicMs)
    for (const [index, { jobId }] of silent.entries()) {
      const row = rows.get(jobId)
      // Steps of the golden ratio spread the waits evenly, whatever the first one is.
      const jitter = (random + index * GOLDEN_RATIO) % 1
      if (row !== undefined) this.#giveUpOrRetry(row, { message: LEASE_LOST_TEXT, isPermanent: false }, jitter, now)
    }
    const over = this.#rows(
      'SELECT * FROM jobs WHERE expires_at <= ? ORDER BY expires_at LIMIT ?',
      now.wallMs,
      MAX_DELETIONS_PER_SWEEP
    )
    for (const row of over) this.#delete(row)
    this.#run('DELETE FROM job_workers WHERE expires_at <= ?', now.wallMs)
    return { expiredLeaseCount: silent.length, deletedCount: over.length, resentCount: 0 }
  }

  backlog(): Backlog {
    const count = (condition: string): number => this.#number(`SELECT count(*) AS value FROM jobs WHERE ${condition}`)
    return {
      queuedCount: count(`status = 'QUEUED'`),
      inProgressCount: count(`status = 'IN_PROGRESS'`),
      deadCount: count(`failure = 'DEAD'`)
    }
  }

  /** What is free for new jobs. */
  room(): JobRoom {
    const pragma = (name: string): number => numberIn(this.#prepare(`PRAGMA ${name}`).get() ?? {}, name)
    const pageBytes = pragma('page_size')
    const { bavail, bsize } = statfsSync(dirname(this.#path))
    const fileBytes = pragma('page_count') * pageBytes
    // Pages that are free in the file are written again before it grows.
    const growthBytes = Math.max(0, Math.min(bavail * bsize, this.#maxBytes - fileBytes))
    const freeBytes = growthBytes + pragma('freelist_count') * pageBytes
    const expectedBytes = this.#number(
      `SELECT coalesce(sum(expected_bytes), 0) AS value FROM jobs WHERE status IN ('QUEUED', 'IN_PROGRESS')`
    )
    const reservedBytes = this.#reserveBytes + expectedBytes
    return { freeBytes, reservedBytes, isFull: freeBytes <= reservedBytes }
  }

  /**
   * Room is checked before a job is taken: one that was accepted can then be done, and is not stuck on a disk that the inputs of
   * others have filled.
   * @throws {ServiceError} UNAVAILABLE
   */
  #assertRoom(job: NewJob, { monotonicMs }: Instant): void {
    const age = monotonicMs - this.#freeAtMs
    if (!(age >= 0 && age < MAX_ROOM_AGE_MS)) {
      const { freeBytes, reservedBytes } = this.room()
      this.#freeBytes = freeBytes - reservedBytes
      this.#freeAtMs = monotonicMs
    }
    const neededBytes = job.input.bytes.byteLength + expectedResultBytesOf(job)
    if (this.#freeBytes >= neededBytes) {
      this.#freeBytes -= neededBytes
      return
    }
    const found = 'what is free on the disk is kept for the results of those accepted'
    throw new ServiceError('UNAVAILABLE', `Cannot accept the job: ${found}`, { retryAfterSeconds: RETRY_AFTER_SECONDS })
  }

  checkIn(workerId: string, ttlMs: number, now: Instant): number {
    this.#run('INSERT OR REPLACE INTO job_workers VALUES (?, ?)', workerId, now.wallMs + ttlMs)
    return this.#number('SELECT count(*) AS value FROM job_workers WHERE expires_at > ?', now.wallMs)
  }

  close(): void {
    this.#database.close()
  }

  #insert(job: NewJob, fingerprint: string, now: Instant): Job {
    const added = queuedJob(job, now.wallMs)
    this.#hasQueued = true
    const { lastInsertRowid: seq } = this.#run(
      `INSERT INTO jobs (id, type, priority, owner, labels, callback_url, concurrency_group, idempotency_key, fingerprint,
         status, attempts, progress, token, beat, lease_ms, created_at, updated_at, run_at, expected_bytes)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'QUEUED', 0, 0, 0, 0, 0, ?, ?, ?, ?)`,
      added.id,
      added.type,
      added.priority,
      added.owner,
      JSON.stringify(added.labels),
      added.callbackUrl ?? null,
      added.concurrencyGroup ?? null,
      job.idempotencyKey ?? null,
      fingerprint,
      added.createdAtMs,
      added.updatedAtMs,
      added.runAtMs,
      expectedResultBytesOf(job)
    )
    this.#run('INSERT INTO job_inputs VALUES (?, ?, ?)', seq, job.input.contentType, job.input.bytes)
    return added
  }

  #claimLane(request: ClaimNow, lane: Priority, limit: number, now: Instant): Claim[] {
    if (limit <= 0) return []
    // One look into the index for each type; a single query over all types would sort the whole queue.
    const due = request.types
      .flatMap((type) =>
        this.#rows(
          `SELECT * FROM jobs WHERE status = 'QUEUED' AND type = ? AND priority = ? AND run_at <= ?
             AND ${IS_GROUP_FREE}
           ORDER BY run_at, seq LIMIT ?`,
          type,
          lane,
          now.wallMs,
          limit
        )
      )
      .toSorted((a, b) => a.job.runAtMs - b.job.runAtMs || a.seq - b.seq)
      .slice(0, limit)
    return due.map(({ seq }) => {
      const row = this.#row(
        `UPDATE jobs SET status = 'IN_PROGRESS', token = token + 1, attempts = attempts + 1, beat = 0, progress = 0,
           lease_ms = ?, updated_at = ?
         WHERE seq = ? RETURNING *`,
        request.leaseMs,
        now.wallMs,
        seq
      )
      const input = this.#payload('job_inputs', seq)
      if (row === undefined || input === undefined) throw new Error('Cannot claim: a job without input; this is a bug')
      return { job: row.job, input, lease: { jobId: row.job.id, token: row.token, leaseMs: row.leaseMs } }
    })
  }

  #nextRunAtMs(types: readonly string[]): number | undefined {
    const times = types.flatMap((type) =>
      (['interactive', 'bulk'] as const).flatMap((lane) =>
        this.#rows(
          `SELECT * FROM jobs WHERE status = 'QUEUED' AND type = ? AND priority = ? AND ${IS_GROUP_FREE}
           ORDER BY run_at, seq LIMIT 1`,
          type,
          lane
        ).map((row) => row.job.runAtMs)
      )
    )
    return times.length === 0 ? undefined : Math.min(...times)
  }

  #giveUpOrRetry(row: JobRow, failed: FailedTry, random: number, now: Instant): void {
    const { message: lastError } = failed
    const next = afterFailure(row.job.attempts, failed, this.#policy, random)
    if (next.status === 'FAILURE') this.#end(row, 'FAILURE', next.failure, row.job.progress, lastError, now)
    else this.#queue(row, row.job.attempts, now.wallMs + next.delayMs, lastError, now)
  }

  /** The job of a group that is QUEUED. */
  #waitingOfGroup(group: string | undefined): JobRow | undefined {
    if (group === undefined) return undefined
    return this.#row(`SELECT * FROM jobs WHERE concurrency_group = ? AND status = 'QUEUED'`, group)
  }

  #supersede(row: JobRow, now: Instant): Job {
    return this.#end(row, 'FAILURE', 'CANCELLED', row.job.progress, SUPERSEDED_TEXT, now)
  }

  #queue(row: JobRow, attempts: number, runAtMs: number, lastError: string | undefined, now: Instant): Job {
    this.#hasQueued = true
    if (this.#waitingOfGroup(row.job.concurrencyGroup) !== undefined) return this.#supersede(row, now)
    const queued = this.#row(
      `UPDATE jobs SET status = 'QUEUED', failure = NULL, expires_at = NULL, attempts = ?, progress = 0, run_at = ?,
         last_error = ?, updated_at = ?
       WHERE seq = ? RETURNING *`,
      attempts,
      runAtMs,
      lastError ?? null,
      now.wallMs,
      row.seq
    )
    return (queued ?? row).job
  }

  #end(
    row: JobRow,
    status: 'SUCCESS' | 'FAILURE',
    failure: Failure | undefined,
    progress: number,
    lastError: string | undefined,
    now: Instant
  ): Job {
    this.#endedIds.push(row.job.id)
    // Its group is free for the one that waits.
    if (row.job.concurrencyGroup !== undefined) this.#hasQueued = true
    const ended = this.#row(
      `UPDATE jobs SET status = ?, failure = ?, progress = ?, last_error = ?, updated_at = ?, expires_at = ?
       WHERE seq = ? RETURNING *`,
      status,
      failure ?? null,
      progress,
      lastError ?? null,
      now.wallMs,
      now.wallMs + this.#policy.retentionMs,
      row.seq
    )
    const job = (ended ?? row).job
    // Only what failed may be put back to work; else the input is just room that others need.
    if (status === 'SUCCESS' || failure === 'CANCELLED') this.#run('DELETE FROM job_inputs WHERE seq = ?', row.seq)
    const notice = noticeOf(job)
    if (notice !== undefined) this.#insert(notice, fingerprintOf(notice), now)
    return job
  }

  #held(lease: Lease): JobRow | undefined {
    return this.#row(
      `SELECT * FROM jobs WHERE id = ? AND token = ? AND status = 'IN_PROGRESS'`,
      lease.jobId,
      lease.token
    )
  }

  /** The row, unless its time is over: then it makes room for a new job of its id or key. */
  #rowToKeep(row: JobRow | undefined, now: Instant): JobRow | undefined {
    if (row === undefined || !isOver(row, now)) return row
    this.#delete(row)
    return undefined
  }

  #liveRow(id: string, now: Instant): JobRow | undefined {
    const row = this.#rowOf(id)
    return row === undefined || isOver(row, now) ? undefined : row
  }

  #rowOf(id: string | undefined): JobRow | undefined {
    return id === undefined ? undefined : this.#row('SELECT * FROM jobs WHERE id = ?', id)
  }

  #rowOfKey(owner: string, key: string | undefined): JobRow | undefined {
    if (key === undefined) return undefined
    return this.#row('SELECT * FROM jobs WHERE owner = ? AND idempotency_key = ?', owner, key)
  }

  #payload(table: 'job_inputs' | 'job_results', seq: number): Payload | undefined {
    const columns = this.#prepare(`SELECT content_type, bytes FROM ${table} WHERE seq = ?`).get(seq)
    if (columns === undefined) return undefined
    const { bytes } = columns
    assert(bytes instanceof Uint8Array, 'A payload holds no bytes; this is a bug')
    return { contentType: textIn(columns, 'content_type'), bytes: new Uint8Array(bytes.buffer) }
  }

  #delete(row: JobRow): void {
    this.#run('DELETE FROM job_inputs WHERE seq = ?', row.seq)
    this.#run('DELETE FROM job_results WHERE seq = ?', row.seq)
    this.#run('DELETE FROM jobs WHERE seq = ?', row.seq)
  }

  #row(sql: string, ...values: SQLInputValue[]): JobRow | undefined {
    const columns = this.#prepare(sql).get(...values)
    return columns && rowOf(columns)
  }

  #rows(sql: string, ...values: SQLInputValue[]): JobRow[] {
    return this.#prepare(sql)
      .all(...values)
      .map((columns) => rowOf(columns))
  }

  #number(sql: string, ...values: SQLInputValue[]): number {
    return numberIn(this.#prepare(sql).get(...values) ?? {}, 'value')
  }

  #run(sql: string, ...values: SQLInputValue[]): { lastInsertRowid: number | bigint } {
    return this.#prepare(sql).run(...values)
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

/** Bytes that a job's result is expected to take. */
function expectedResultBytesOf({ input, expectedResultBytes }: NewJob): number {
  return Math.ceil(expectedResultBytes ?? input.bytes.byteLength)
}

/** Whether readers no longer see the job, although no sweep has come for it yet. */
function isOver(row: JobRow, now: Instant): boolean {
  return row.expiresAtMs !== undefined && row.expiresAtMs <= now.wallMs
}

function rowOf(columns: StoredRecord): JobRow {
  return {
    seq: numberIn(columns, 'seq'),
    job: jobOf(columns),
    fingerprint: textIn(columns, 'fingerprint'),
    token: numberIn(columns, 'token'),
    beat: numberIn(columns, 'beat'),
    leaseMs: numberIn(columns, 'lease_ms'),
    expiresAtMs: optionalIn(columns, 'expires_at', numberIn)
  }
}

function jobOf(columns: StoredRecord): Job {
  const labels: Record<string, string> = JSON.parse(textIn(columns, 'labels'))
  return {
    id: textIn(columns, 'id'),
    type: textIn(columns, 'type'),
    priority: nameIn(PRIORITIES, columns, 'priority'),
    owner: textIn(columns, 'owner'),
    labels,
    callbackUrl: optionalIn(columns, 'callback_url', textIn),
    concurrencyGroup: optionalIn(columns, 'concurrency_group', textIn),
    status: nameIn(JOB_STATUSES, columns, 'status'),
    failure: optionalIn(columns, 'failure', (record, name) => nameIn(FAILURES, record, name)),
    attempts: numberIn(columns, 'attempts'),
    progress: numberIn(columns, 'progress'),
    lastError: optionalIn(columns, 'last_error', textIn),
    createdAtMs: numberIn(columns, 'created_at'),
    updatedAtMs: numberIn(columns, 'updated_at'),
    runAtMs: numberIn(columns, 'run_at')
  }
}
