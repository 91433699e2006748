/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { randomUUID } from 'node:crypto'

import {
  DEFAULT_JOB_POLICY,
  fingerprintOf,
  firstLane,
  isEnded,
  type FailedTry,
  type Job,
  type JobPolicy,
  type NewJob
} from './job.ts'
import {
  SYSTEM_CLOCK,
  type Backlog,
  type Changed,
  type Claim,
  type ClaimRequest,
  type Clock,
  type DeadLetterQuery,
  type Enqueued,
  type JobBackend,
  type JobPage,
  type JobQuery,
  type Lease,
  type LeaseOutcome,
  type Swept
} from './job-backend.ts'
import { enqueueInSpan } from './job-trace.ts'
import type { JobMessage, JobQueue } from './job-queue.ts'
import type { JobTable, StoredJob, StoredPayload } from './job-table.ts'
import { LeaseWatch, type LeaseSighting } from './lease-watch.ts'
import type { Payload } from './payload.ts'
import { TableJobWriter, contended } from './table-job-writer.ts'
import { SYSTEM_TIMERS, type Timers } from './timers.ts'
import { addition, claimStep, extendStep, spread, type Command } from './transitions.ts'

/** Options of a {@link TableJobBackend}, all with a default. */
export interface TableJobOptions {
  readonly policy?: JobPolicy
  readonly clock?: Clock
  /** Random number from 0 (included) to 1 (excluded), for the backoff. @default Math.random */
  readonly random?: () => number
  /** @default those of Node.js */
  readonly timers?: Pick<Timers, 'sleep'>
}

/** A job that is marked unsent for this long, or waits this long while the queue is empty, has lost its message. */
const RESEND_AFTER_MS = 30_000
const FIRST_LOOK_MS = 50
const LAST_LOOK_MS = 2000
/** Limit of optimistic retries: other writers sometimes change a job between its read and its write, but not often. */
const MAX_WRITE_TRIES = 10
/** How long a message for another type of worker is hidden by a worker that received it. */
const UNWANTED_MS = 10_000
/** A job whose group is busy is tried again after this, in case nobody announces that the group is free. */
const GROUP_BUSY_MS = 10_000
/** Upper bound of the first backoff of a writer that lost a race with others of its group. */
const GROUP_RETRY_MS = 20

/**
 * Keeps jobs in a table that many machines share, and announces them through a message queue.
 *
 * The table is the source of truth; a message is a hint to look at it. So every job is first written as unsent, then its
 * message is sent, then the job is marked as sent; a sweep sends the messages of jobs that stayed unsent for too long.
 * A surplus message finds a job that is taken, and is deleted; a lost message is sent again.
 */
export class TableJobBackend implements JobBackend {
  readonly #table: JobTable
  readonly #queue: JobQueue
  readonly #writer: TableJobWriter
  readonly #clock: Clock
  readonly #random: () => number
  readonly #timers: Pick<Timers, 'sleep'>
  readonly #watch = new LeaseWatch()
  #claimCount = 0

  constructor(table: JobTable, queue: JobQueue, options: TableJobOptions = {}) {
    this.#table = table
    this.#queue = queue
    this.#clock = options.clock ?? SYSTEM_CLOCK
    const policy = options.policy ?? DEFAULT_JOB_POLICY
    this.#writer = new TableJobWriter(table, queue, { policy, clock: this.#clock })
    this.#random = options.random ?? Math.random
    this.#timers = options.timers ?? SYSTEM_TIMERS
  }

  async enqueue(job: NewJob): Promise<Enqueued> {
    return enqueueInSpan(job, (traced) => this.#enqueue(traced))
  }

  async #enqueue(job: NewJob): Promise<Enqueued> {
    const fingerprint = fingerprintOf(job)
    const { owner = '', idempotencyKey } = job
    const key = idempotencyKey === undefined ? undefined : JSON.stringify([owner, idempotencyKey])
    const { record } = addition(job, fingerprint, undefined, this.#clock.wallMs())
    const [input] = await Promise.all([
      this.#table.keep('input', `${record.job.id}/input-${randomUUID()}`, job.input),
      this.#table.addEntry(record.job)
    ])
    const added = { record, input, ...(key !== undefined && { key }) }
    let staleId = ''
    for (let tries = 0; tries < MAX_WRITE_TRIES; tries += 1) {
      if (await this.#writer.add(added, staleId)) return { outcome: 'added', job: record.job }
      const keyedId = key === undefined ? undefined : await this.#table.idOfKey(key)
      const ofId = await this.#writer.live(record.job.id)
      const earlier = ofId ?? (key === undefined ? undefined : await this.#liveOfKey(keyedId, key))
      if (earlier !== undefined) {
        const found = earlier.record
        if (found.fingerprint !== fingerprint) return { outcome: 'conflict', jobId: found.job.id }
        return { outcome: 'existing', job: found.job }
      }
      // The key's job has expired or was never written: the key is free.
      staleId = keyedId ?? ''
      if (job.concurrencyGroup !== undefined) await this.#timers.sleep(this.#random() * GROUP_RETRY_MS * 2 ** tries)
    }
    if (job.concurrencyGroup !== undefined) throw contended()
    throw new Error('Cannot add a job: it neither is there nor can be written; this is a bug')
  }

  async find(id: string): Promise<Job | undefined> {
    return (await this.#writer.live(id))?.record.job
  }

  async result(id: string): Promise<Payload | undefined> {
    const stored = await this.#writer.live(id)
    return stored?.payload('result')
  }

  async list(query: JobQuery): Promise<JobPage> {
    return query.status === 'DEAD' ? this.deadLetters(query) : this.#table.list(query)
  }

  async deadLetters(query: DeadLetterQuery): Promise<JobPage> {
    return this.#table.deadLetters(query)
  }

  async claim(request: ClaimRequest): Promise<readonly Claim[]> {
    const deadlineMs = this.#clock.monotonicMs() + request.waitMs
    for (;;) {
      this.#claimCount += 1
      const messages = await this.#queue.receive({
        first: firstLane(this.#claimCount),
        limit: request.limit,
        hiddenMs: request.leaseMs,
        waitMs: Math.max(0, deadlineMs - this.#clock.monotonicMs()),
        signal: request.signal
      })
      const claims = await Promise.all(messages.map((message) => this.#claimByMessage(message, request)))
      const claimed = claims.filter((claim) => claim !== undefined)
      if (claimed.length > 0 || request.signal?.aborted === true) return claimed
      if (messages.length === 0 && this.#clock.monotonicMs() >= deadlineMs) return []
    }
  }

  async extend({ jobId, token, leaseMs, receipt }: Lease, progress?: number): Promise<LeaseOutcome> {
    const step = extendStep(progress, this.#clock.wallMs())
    if (!(await this.#table.extend(jobId, token, step))) return 'lost'
    if (receipt !== undefined) await this.#queue.hide(receipt, leaseMs)
    return 'held'
  }

  async finish(lease: Lease, result: Payload): Promise<LeaseOutcome> {
    // The name contains the token, so that a late worker cannot overwrite its successor's result.
    const stored = await this.#table.keep('result', `${lease.jobId}/result-${lease.token}`, result)
    return this.#settle(lease, { name: 'finish', token: lease.token }, stored)
  }

  async fail(lease: Lease, failed: FailedTry): Promise<LeaseOutcome> {
    return this.#settle(lease, { name: 'fail', token: lease.token, failed, random: this.#random() })
  }

  async release(lease: Lease): Promise<LeaseOutcome> {
    return this.#settle(lease, { name: 'release', token: lease.token })
  }

  async cancel(id: string): Promise<Changed> {
    return this.#wish(id, { name: 'cancel' })
  }

  async redrive(id: string): Promise<Changed> {
    return this.#wish(id, { name: 'redrive' })
  }

  /** Polls, since a table announces no changes: first after 50 ms, then ever more slowly, down to every 2 s. */
  async waitUntilEnded(id: string, timeoutMs: number, signal?: AbortSignal): Promise<Job | undefined> {
    const deadlineMs = this.#clock.monotonicMs() + timeoutMs
    for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(LAST_LOOK_MS, pauseMs * 1.5)) {
      const job = await this.find(id)
      const leftMs = deadlineMs - this.#clock.monotonicMs()
      if (job === undefined || isEnded(job) || leftMs <= 0 || signal?.aborted === true) return job
      await this.#timers.sleep(Math.min(pauseMs, leftMs), signal)
    }
  }

  async sweep(): Promise<Swept> {
    const expiredLeaseCount = await this.#takeBackSilentJobs()
    const resentCount = await this.#resendLostMessages()
    // The table itself deletes jobs whose retention is over.
    return { expiredLeaseCount, deletedCount: 0, resentCount }
  }

  async backlog(): Promise<Backlog> {
    const [{ waitingCount, receivedCount }, deadCount] = await Promise.all([
      this.#queue.count(),
      this.#table.deadCount()
    ])
    return { queuedCount: waitingCount, inProgressCount: receivedCount, deadCount }
  }

  async room(): Promise<undefined> {
    return undefined
  }

  async checkIn(workerId: string, ttlMs: number): Promise<number> {
    // The list may lag behind what was just written.
    return Math.max(1, await this.#table.checkIn(workerId, ttlMs))
  }

  /** Waits for background writes. */
  async close(): Promise<void> {
    await this.#writer.settled()
  }

  // Messages and claims

  async #claimByMessage(message: JobMessage, request: ClaimRequest): Promise<Claim | undefined> {
    const { jobId, type, deadToken, receipt } = message
    if (deadToken !== undefined) {
      const record = (await this.#writer.live(jobId))?.record
      if (record?.job.failure === 'DEAD' && record.token === deadToken) await this.redrive(jobId)
      await this.#queue.delete(receipt)
      return undefined
    }
    if (type !== '' && !request.types.includes(type)) {
      await this.#queue.hide(receipt, UNWANTED_MS)
      return undefined
    }
    const step = claimStep(request.leaseMs, this.#clock.wallMs())
    const stored = (await this.#table.claim(jobId, step)) ?? (await this.#claimOfGroup(jobId, request))
    if (stored === undefined) {
      // Taken, ended or gone: the job's worker does not need this message, and if it dies, a sweep sends a new one.
      await this.#queue.delete(receipt)
      return undefined
    }
    const { job, token } = stored.record
    const lease = { jobId: job.id, token, leaseMs: request.leaseMs, receipt }
    try {
      const input = await stored.payload('input')
      if (input !== undefined) return { job, input, lease }
      await this.fail(lease, { message: 'The input is gone', isPermanent: true })
    } catch {
      await this.release(lease)
    }
    return undefined
  }

  /** Claims a QUEUED job if its group is free; postpones it if the group is busy. */
  async #claimOfGroup(id: string, { leaseMs }: ClaimRequest): Promise<StoredJob | undefined> {
    for (let tries = 0; tries < MAX_WRITE_TRIES; tries += 1) {
      const stored = await this.#writer.live(id)
      if (stored?.record.job.concurrencyGroup === undefined) return undefined
      const decision = await this.#writer.change(stored.record, { name: 'claim', leaseMs })
      if (decision === undefined) continue
      if (decision.outcome === 'refused' && decision.reason === 'group-busy') {
        // A new message, since each receive of this one would count as if the job had failed.
        await this.#writer.change(stored.record, { name: 'postpone', delayMs: GROUP_BUSY_MS })
      }
      if (decision.outcome !== 'changed' || decision.after.job.status !== 'IN_PROGRESS') return undefined
      return { ...stored, record: decision.after }
    }
    return undefined
  }

  async #settle(lease: Lease, command: Command, result?: StoredPayload): Promise<LeaseOutcome> {
    const { decision } = await this.#writer.decided(lease.jobId, command, result)
    if (decision?.outcome !== 'changed') return 'lost'
    if (lease.receipt !== undefined) this.#writer.later(this.#queue.delete(lease.receipt))
    return 'held'
  }

  async #wish(id: string, command: Command): Promise<Changed> {
    const { decision, record } = await this.#writer.decided(id, command)
    if (decision === undefined || record === undefined) return { outcome: 'missing' }
    if (decision.outcome === 'changed') return { outcome: 'changed', job: decision.after.job }
    return { outcome: decision.outcome === 'refused' ? 'refused' : 'changed', job: record.job }
  }

  // Sweeping

  async #takeBackSilentJobs(): Promise<number> {
    const silent = this.#watch.look(await this.#table.leases(), this.#clock.monotonicMs())
    const random = this.#random()
    const taken = await Promise.all(silent.map((lease, index) => this.#takeBack(lease, spread(random, index))))
    return taken.filter(Boolean).length
  }

  /** Takes a job back. It is read again first, since the list of leases lags behind the table. */
  async #takeBack({ jobId, token, beat }: LeaseSighting, random: number): Promise<boolean> {
    const stored = await this.#writer.live(jobId)
    if (stored === undefined) return false
    const decision = await this.#writer.change(stored.record, { name: 'takeBack', token, beat, random })
    return decision?.outcome === 'changed'
  }

  async #resendLostMessages(): Promise<number> {
    const beforeMs = this.#clock.wallMs() - RESEND_AFTER_MS
    const unsent = await this.#table.waitingSince(beforeMs, false)
    // A queue that is empty while jobs wait has lost their messages; otherwise the messages may just be waiting.
    const waiting = await this.#table.waitingSince(beforeMs, true)
    const { waitingCount } = waiting.length > 0 ? await this.#queue.count() : { waitingCount: 0 }
    const lost = waitingCount === 0 ? [...unsent, ...waiting] : unsent
    const resent = await Promise.all(lost.map((job) => this.#resend(job)))
    return resent.filter(Boolean).length
  }

  async #resend(seen: Job): Promise<boolean> {
    const record = (await this.#writer.live(seen.id))?.record
    if (record?.job.runAtMs !== seen.runAtMs) return false
    // The change renews the time since when the job waits, so that the next sweep does not resend before the message arrives.
    const decision = await this.#writer.change(record, { name: 'resend' })
    return decision?.outcome === 'changed'
  }

  /** Finds the live job of a key; a later job with the same id but without the key does not count. */
  async #liveOfKey(id: string | undefined, key: string): Promise<StoredJob | undefined> {
    const stored = id === undefined ? undefined : await this.#writer.live(id)
    return stored?.isOfKey(key) === true ? stored : undefined
  }
}
