/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import type { SQLInputValue } from 'node:sqlite'

import { SqliteFile } from '../storage/sqlite-file.ts'
import { numberIn, textIn } from '../storage/stored-record.ts'
import { fingerprintOf, firstLane, isEnded, type FailedTry, type Job, type JobPolicy, type NewJob } from './job.ts'
import type { Priority } from './job-status.ts'
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
import { LeaseWatch } from './lease-watch.ts'
import { bytesOf, type Payload } from './payload.ts'
import { dueJobs, nextDueMs } from './sqlite-due-jobs.ts'
import { listJobs } from './sqlite-job-list.ts'
import { SqliteJobRoom, expectedResultBytesOf, type SqliteJobRoomOptions } from './sqlite-job-room.ts'
import { changedColumns, rowOf, type JobRow } from './sqlite-job-row.ts'
import { defineJobs } from './sqlite-job-schema.ts'
import {
  addition,
  decide,
  isOver,
  spread,
  type Command,
  type Decision,
  type GroupState,
  type JobRecord,
  type Transition
} from './transitions.ts'

/** How to open a {@link SqliteJobStore}. */
export interface SqliteJobStoreOptions extends SqliteJobRoomOptions {
  readonly policy: JobPolicy
  /** How long a write waits for another process's write, in milliseconds. */
  readonly busyTimeoutMs: number
}

/** The time at which an operation was asked for, by the caller's clocks. */
export interface Instant {
  readonly wallMs: number
  readonly monotonicMs: number
}

/** Claimed jobs, or when to try again. */
export interface ClaimAttempt {
  readonly claims: readonly Claim[]
  /** Earliest due time of the queued jobs; `undefined` when jobs were claimed, or none waits. */
  readonly nextRunAtMs: number | undefined
}

/** Changes that someone may wait for. */
export interface StoreEvents {
  /** Whether a job came into the queue. */
  readonly hasQueued: boolean
  /** Jobs that ended. */
  readonly endedIds: readonly string[]
}

/** A {@link ClaimRequest} without its wait. */
export interface ClaimNow {
  readonly types: readonly string[]
  readonly limit: number
  readonly leaseMs: number
}

const MAX_DELETIONS_PER_SWEEP = 500
/** Size to which the write-ahead log is cut back after a checkpoint, when a large result made it grow. */
const MAX_IDLE_LOG_BYTES = 16 * 1024 * 1024

/**
 * Jobs in a SQLite file, with one synchronous method per operation. It runs in a separate thread
 * (`sqlite-job-thread.ts`), which runs the pending operations in one transaction.
 * Several processes may open the same file.
 */
export class SqliteJobStore {
  readonly #file: SqliteFile
  readonly #policy: JobPolicy
  readonly #room: SqliteJobRoom
  readonly #watch = new LeaseWatch()
  #claimCount = 0
  #hasQueued = false
  #endedIds: string[] = []

  constructor(options: SqliteJobStoreOptions) {
    this.#policy = options.policy
    this.#file = new SqliteFile(options.path, options.busyTimeoutMs)
    this.#file.pragma('journal_size_limit', MAX_IDLE_LOG_BYTES)
    this.#room = new SqliteJobRoom(this.#file, options)
    defineJobs(this.#file)
  }

  /**
   * Runs operations as one transaction: all of them happen, or none.
   * @param isDurable whether the commit waits for the disk (one fsync); otherwise a power loss may undo the last commits, but
   *   a crash of the process cannot
   */
  transact<T>(isDurable: boolean, work: () => T): T {
    try {
      return this.#file.atomically(isDurable, work)
    } catch (error) {
      // The rollback freed the space that the operations took.
      this.#room.forget()
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
    return this.#file.pragma('data_version')
  }

  enqueue(job: NewJob, now: Instant): Enqueued {
    const fingerprint = fingerprintOf(job)
    const earlier =
      this.#rowToKeep(this.#rowOf(job.id), now) ??
      this.#rowToKeep(this.#rowOfKey(job.owner ?? '', job.idempotencyKey), now)
    if (earlier !== undefined) {
      const found = earlier.record
      if (found.fingerprint !== fingerprint) return { outcome: 'conflict', jobId: found.job.id }
      return { outcome: 'existing', job: found.job }
    }
    this.#room.take(job, now.monotonicMs)
    return { outcome: 'added', job: this.#add(job, fingerprint, now) }
  }

  find(id: string, now: Instant): Job | undefined {
    return this.#liveRow(id, now)?.record.job
  }

  /** Returns the ids of those jobs that have ended or are gone. */
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
    return listJobs(this.#file, query, now.wallMs)
  }

  claim(request: ClaimNow, now: Instant): ClaimAttempt {
    this.#claimCount += 1
    const lanes: Priority[] = firstLane(this.#claimCount) === 'bulk' ? ['bulk', 'interactive'] : ['interactive', 'bulk']
    const claims: Claim[] = []
    for (const lane of lanes) claims.push(...this.#claimLane(request, lane, request.limit - claims.length, now))
    return { claims, nextRunAtMs: claims.length > 0 ? undefined : nextDueMs(this.#file, request.types) }
  }

  extend({ jobId, token }: Lease, progress: number | undefined, now: Instant): LeaseOutcome {
    return this.#settle(jobId, { name: 'extend', token, progress }, now)
  }

  finish({ jobId, token }: Lease, result: Payload, now: Instant): LeaseOutcome {
    return this.#settle(jobId, { name: 'finish', token }, now, result)
  }

  fail({ jobId, token }: Lease, failed: FailedTry, random: number, now: Instant): LeaseOutcome {
    return this.#settle(jobId, { name: 'fail', token, failed, random }, now)
  }

  release({ jobId, token }: Lease, now: Instant): LeaseOutcome {
    return this.#settle(jobId, { name: 'release', token }, now)
  }

  cancel(id: string, now: Instant): Changed {
    return this.#wish(id, { name: 'cancel' }, now)
  }

  redrive(id: string, now: Instant): Changed {
    return this.#wish(id, { name: 'redrive' }, now)
  }

  sweep(random: number, now: Instant): Swept {
    const running = this.#rows(`SELECT * FROM jobs WHERE status = 'IN_PROGRESS'`)
    const rows = new Map(running.map((row) => [row.record.job.id, row]))
    const leases = running.map(({ record: { job, token, beat, leaseMs } }) => ({ jobId: job.id, token, beat, leaseMs }))
    const silent = this.#watch.look(leases, now.monotonicMs)
    for (const [index, { jobId, token, beat }] of silent.entries()) {
      const row = rows.get(jobId)
      if (row !== undefined) this.#change(row, { name: 'takeBack', token, beat, random: spread(random, index) }, now)
    }
    const over = this.#rows(
      'SELECT * FROM jobs WHERE expires_at <= ? ORDER BY expires_at LIMIT ?',
      now.wallMs,
      MAX_DELETIONS_PER_SWEEP
    )
    for (const row of over) this.#delete(row)
    this.#file.run('DELETE FROM job_workers WHERE expires_at <= ?', now.wallMs)
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

  /** Measures the space for new jobs. */
  room(): JobRoom {
    return this.#room.measure()
  }

  checkIn(workerId: string, ttlMs: number, now: Instant): number {
    this.#file.run('INSERT OR REPLACE INTO job_workers VALUES (?, ?)', workerId, now.wallMs + ttlMs)
    return this.#number('SELECT count(*) AS value FROM job_workers WHERE expires_at > ?', now.wallMs)
  }

  close(): void {
    this.#file.close()
  }

  /** Adds a job, which supersedes the one that waits in its group. */
  #add(job: NewJob, fingerprint: string, now: Instant): Job {
    const { record, outdatedId } = addition(job, fingerprint, this.#groupOf(job.concurrencyGroup), now.wallMs)
    const outdated = this.#rowOf(outdatedId)
    if (outdated !== undefined) this.#change(outdated, { name: 'supersede' }, now)
    this.#insert(job, record)
    return record.job
  }

  #insert(job: NewJob, { job: added, fingerprint, token }: JobRecord): void {
    this.#hasQueued = true
    const seq = this.#file.insert(
      `INSERT INTO jobs (id, type, priority, owner, labels, callback_url, concurrency_group, idempotency_key, fingerprint,
         status, attempts, progress, token, beat, lease_ms, created_at, updated_at, run_at, expected_bytes)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, 0, 0, ?, ?, ?, ?)`,
      added.id,
      added.type,
      added.priority,
      added.owner,
      JSON.stringify(added.labels),
      added.callbackUrl ?? null,
      added.concurrencyGroup ?? null,
      job.idempotencyKey ?? null,
      fingerprint,
      added.status,
      token,
      added.createdAtMs,
      added.updatedAtMs,
      added.runAtMs,
      expectedResultBytesOf(job)
    )
    this.#file.run('INSERT INTO job_inputs VALUES (?, ?, ?)', seq, job.input.contentType, job.input.bytes)
  }

  #claimLane({ types, leaseMs }: ClaimNow, lane: Priority, limit: number, now: Instant): Claim[] {
    const due = dueJobs(this.#file, { types, lane, limit, nowMs: now.wallMs })
    return due.flatMap((row) => {
      const decision = this.#change(row, { name: 'claim', leaseMs }, now)
      if (decision.outcome !== 'changed') return []
      const input = this.#payload('job_inputs', row.seq)
      assert(input !== undefined, 'Cannot claim: a job without input; this is a bug')
      const { job, token } = decision.after
      return [{ job, input, lease: { jobId: job.id, token, leaseMs } }]
    })
  }

  #settle(id: string, command: Command, now: Instant, result?: Payload): LeaseOutcome {
    const row = this.#rowOf(id)
    if (row === undefined || this.#change(row, command, now).outcome !== 'changed') return 'lost'
    if (result !== undefined) {
      const { contentType, bytes } = result
      this.#file.run('INSERT OR REPLACE INTO job_results VALUES (?, ?, ?)', row.seq, contentType, bytes)
    }
    return 'held'
  }

  #wish(id: string, command: Command, now: Instant): Changed {
    const row = this.#liveRow(id, now)
    if (row === undefined) return { outcome: 'missing' }
    const decision = this.#change(row, command, now)
    if (decision.outcome === 'changed') return { outcome: 'changed', job: decision.after.job }
    return { outcome: decision.outcome === 'refused' ? 'refused' : 'changed', job: row.record.job }
  }

  #change(row: JobRow, command: Command, now: Instant): Decision {
    const group = this.#groupOf(row.record.job.concurrencyGroup)
    const decision = decide(row.record, group, command, { nowMs: now.wallMs, policy: this.#policy })
    if (decision.outcome === 'changed') this.#write(row.seq, decision, now)
    return decision
  }

  #write(seq: number, transition: Transition, now: Instant): void {
    const { after, effects } = transition
    const columns = changedColumns(transition)
    const setting = columns.map(([name]) => `${name} = ?`).join(', ')
    this.#file.run(`UPDATE jobs SET ${setting} WHERE seq = ?`, ...columns.map(([, value]) => value), seq)
    if (effects.announceAfterMs !== undefined || effects.freedId !== undefined) this.#hasQueued = true
    if (effects.hasEnded) this.#endedIds.push(after.job.id)
    if (effects.isInputDone) this.#file.run('DELETE FROM job_inputs WHERE seq = ?', seq)
    if (effects.notice !== undefined) this.#add(effects.notice, fingerprintOf(effects.notice), now)
  }

  #groupOf(group: string | undefined): GroupState | undefined {
    if (group === undefined) return undefined
    const idOf = (status: Job['status']): string | undefined => {
      // The status is a literal: with a parameter, SQLite would not use the partial index.
      const row = this.#file.get(`SELECT id FROM jobs WHERE concurrency_group = ? AND status = '${status}'`, group)
      return row && textIn(row, 'id')
    }
    return { waitingId: idOf('QUEUED'), runningId: idOf('IN_PROGRESS') }
  }

  /** Returns the row, unless its retention is over: then it is deleted, which frees its id and key for a new job. */
  #rowToKeep(row: JobRow | undefined, now: Instant): JobRow | undefined {
    if (row === undefined || !isOver(row.record, now.wallMs)) return row
    this.#delete(row)
    return undefined
  }

  #liveRow(id: string, now: Instant): JobRow | undefined {
    const row = this.#rowOf(id)
    return row === undefined || isOver(row.record, now.wallMs) ? undefined : row
  }

  #rowOf(id: string | undefined): JobRow | undefined {
    return id === undefined ? undefined : this.#row('SELECT * FROM jobs WHERE id = ?', id)
  }

  #rowOfKey(owner: string, key: string | undefined): JobRow | undefined {
    if (key === undefined) return undefined
    return this.#row('SELECT * FROM jobs WHERE owner = ? AND idempotency_key = ?', owner, key)
  }

  #payload(table: 'job_inputs' | 'job_results', seq: number): Payload | undefined {
    const columns = this.#file.get(`SELECT content_type, bytes FROM ${table} WHERE seq = ?`, seq)
    if (columns === undefined) return undefined
    const { bytes } = columns
    assert(bytes instanceof Uint8Array, 'A payload holds no bytes; this is a bug')
    return { contentType: textIn(columns, 'content_type'), bytes: bytesOf(bytes) }
  }

  #delete(row: JobRow): void {
    this.#file.run('DELETE FROM job_inputs WHERE seq = ?', row.seq)
    this.#file.run('DELETE FROM job_results WHERE seq = ?', row.seq)
    this.#file.run('DELETE FROM jobs WHERE seq = ?', row.seq)
  }

  #row(sql: string, ...values: SQLInputValue[]): JobRow | undefined {
    const columns = this.#file.get(sql, ...values)
    return columns && rowOf(columns)
  }

  #rows(sql: string, ...values: SQLInputValue[]): JobRow[] {
    return this.#file.all(sql, ...values).map((columns) => rowOf(columns))
  }

  #number(sql: string, ...values: SQLInputValue[]): number {
    return numberIn(this.#file.get(sql, ...values) ?? {}, 'value')
  }
}
