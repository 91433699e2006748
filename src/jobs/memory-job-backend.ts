/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Bell } from './bell.ts'
import {
  DEFAULT_JOB_POLICY,
  LEASE_LOST_TEXT,
  SUPERSEDED_TEXT,
  afterFailure,
  fingerprintOf,
  firstLane,
  isEnded,
  noticeOf,
  queuedJob,
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
  isListed,
  noCursor,
  type DeadLetterQuery,
  type Enqueued,
  type JobBackend,
  type JobPage,
  type JobQuery,
  type Lease,
  type LeaseOutcome,
  type Swept
} from './job-backend.ts'
import { LeaseWatch } from './lease-watch.ts'
import type { Payload } from './payload.ts'

/** How to build a {@link MemoryJobBackend}; what is left out has its default. */
export interface MemoryJobBackendOptions {
  readonly policy?: JobPolicy
  readonly clock?: Clock
  /** From 0 (included) to 1 (excluded); draws the waits before another try. */
  readonly random?: () => number
}

interface Entry {
  job: Job
  readonly input: Payload
  readonly idempotencyKey: string | undefined
  readonly fingerprint: string
  result?: Payload
  token: number
  beat: number
  leaseMs: number
  expiresAtMs: number | undefined
}

/** Keeps jobs in this process and forgets them with it: for tests, and for work that need not survive. */
export class MemoryJobBackend implements JobBackend {
  readonly #policy: JobPolicy
  readonly #clock: Clock
  readonly #random: () => number
  /** In the order in which jobs came. */
  readonly #entries = new Map<string, Entry>()
  readonly #idByKey = new Map<string, string>()
  readonly #workers = new Map<string, number>()
  readonly #watch = new LeaseWatch()
  readonly #bell = new Bell()
  #claimCount = 0

  constructor(options: MemoryJobBackendOptions = {}) {
    this.#policy = options.policy ?? DEFAULT_JOB_POLICY
    this.#clock = options.clock ?? SYSTEM_CLOCK
    this.#random = options.random ?? Math.random
  }

  async enqueue(job: NewJob): Promise<Enqueued> {
    const fingerprint = fingerprintOf(job)
    const key = job.idempotencyKey === undefined ? undefined : JSON.stringify([job.owner ?? '', job.idempotencyKey])
    const earlier = this.#live(job.id) ?? (key === undefined ? undefined : this.#live(this.#idByKey.get(key)))
    if (earlier !== undefined) {
      if (earlier.fingerprint !== fingerprint) return { outcome: 'conflict', jobId: earlier.job.id }
      return { outcome: 'existing', job: earlier.job }
    }
    const outdated = this.#ofGroup(job.concurrencyGroup, 'QUEUED')
    if (outdated !== undefined) this.#supersede(outdated)
    const added = this.#add(job, fingerprint, key)
    this.#bell.ring()
    return { outcome: 'added', job: added }
  }

  async find(id: string): Promise<Job | undefined> {
    return this.#live(id)?.job
  }

  async result(id: string): Promise<Payload | undefined> {
    return this.#live(id)?.result
  }

  async list(query: JobQuery): Promise<JobPage> {
    const listed = [...this.#entries.values()]
      .filter((entry) => !this.#isOver(entry))
      .map((entry) => entry.job)
      .filter((job) => isListed(job, query))
      .toReversed()
    const last = query.after === undefined ? -1 : listed.findIndex((job) => job.id === query.after)
    if (query.after !== undefined && last < 0) throw noCursor()
    const jobs = listed.slice(last + 1, last + 1 + query.limit)
    return { jobs, next: last + 1 + query.limit < listed.length ? jobs.at(-1)?.id : undefined }
  }

  async deadLetters(query: DeadLetterQuery): Promise<JobPage> {
    return this.list({ ...query, status: 'DEAD' })
  }

  async claim(request: ClaimRequest): Promise<readonly Claim[]> {
    const deadlineMs = this.#clock.monotonicMs() + request.waitMs
    for (;;) {
      const { rings } = this.#bell
      const claims = this.#claimNow(request)
      const leftMs = deadlineMs - this.#clock.monotonicMs()
      if (claims.length > 0 || leftMs <= 0 || request.signal?.aborted === true) return claims
      await this.#bell.wait(rings, Math.min(leftMs, this.#untilDueMs(request.types)), request.signal)
    }
  }

  async extend(lease: Lease, progress?: number): Promise<LeaseOutcome> {
    const entry = this.#held(lease)
    if (entry === undefined) return 'lost'
    entry.beat += 1
    if (progress !== undefined) this.#update(entry, { progress })
    return 'held'
  }

  async finish(lease: Lease, result: Payload): Promise<LeaseOutcome> {
    const entry = this.#held(lease)
    if (entry === undefined) return 'lost'
    entry.result = result
    this.#end(entry, { status: 'SUCCESS', progress: 1 })
    return 'held'
  }

  async fail(lease: Lease, failed: FailedTry): Promise<LeaseOutcome> {
    const entry = this.#held(lease)
    if (entry === undefined) return 'lost'
    this.#giveUpOrRetry(entry, failed)
    return 'held'
  }

  async release(lease: Lease): Promise<LeaseOutcome> {
    const entry = this.#held(lease)
    if (entry === undefined) return 'lost'
    this.#queueAgain(entry, { attempts: entry.job.attempts - 1, runAtMs: this.#clock.wallMs() })
    return 'held'
  }

  async cancel(id: string): Promise<Changed> {
    const entry = this.#live(id)
    if (entry === undefined) return { outcome: 'missing' }
    if (entry.job.failure === 'CANCELLED') return { outcome: 'changed', job: entry.job }
    if (isEnded(entry.job)) return { outcome: 'refused', job: entry.job }
    this.#end(entry, { status: 'FAILURE', failure: 'CANCELLED' })
    return { outcome: 'changed', job: entry.job }
  }

  async redrive(id: string): Promise<Changed> {
    const entry = this.#live(id)
    if (entry === undefined) return { outcome: 'missing' }
    if (entry.job.failure !== 'DEAD' && entry.job.failure !== 'PERMANENT') return { outcome: 'refused', job: entry.job }
    if (this.#ofGroup(entry.job.concurrencyGroup, 'QUEUED') !== undefined) return { outcome: 'refused', job: entry.job }
    entry.expiresAtMs = undefined
    this.#update(entry, {
      status: 'QUEUED',
      failure: undefined,
      attempts: 0,
      progress: 0,
      runAtMs: this.#clock.wallMs()
    })
    this.#bell.ring()
    return { outcome: 'changed', job: entry.job }
  }

  async waitUntilEnded(id: string, timeoutMs: number, signal?: AbortSignal): Promise<Job | undefined> {
    const deadlineMs = this.#clock.monotonicMs() + timeoutMs
    for (;;) {
      const { rings } = this.#bell
      const job = this.#live(id)?.job
      const leftMs = deadlineMs - this.#clock.monotonicMs()
      if (job === undefined || isEnded(job) || leftMs <= 0 || signal?.aborted === true) return job
      await this.#bell.wait(rings, leftMs, signal)
    }
  }

  async sweep(): Promise<Swept> {
    const running = [...this.#entries.values()].filter((entry) => entry.job.status === 'IN_PROGRESS')
    const leases = running.map(({ job, token, beat, leaseMs }) => ({ jobId: job.id, token, beat, leaseMs }))
    const silent = this.#watch.look(leases, this.#clock.monotonicMs())
    for (const { jobId } of silent) {
      const entry = this.#entries.get(jobId)
      if (entry !== undefined) this.#giveUpOrRetry(entry, { message: LEASE_LOST_TEXT, isPermanent: false })
    }
    let deletedCount = 0
    for (const [id, entry] of this.#entries) {
      if (!this.#isOver(entry)) continue
      this.#entries.delete(id)
      // The key may have a new job by now.
      const key = entry.idempotencyKey
      if (key !== undefined && this.#idByKey.get(key) === id) this.#idByKey.delete(key)
      deletedCount += 1
    }
    return { expiredLeaseCount: silent.length, deletedCount, resentCount: 0 }
  }

  async backlog(): Promise<Backlog> {
    const jobs = [...this.#entries.values()].map((entry) => entry.job)
    return {
      queuedCount: jobs.filter((job) => job.status === 'QUEUED').length,
      inProgressCount: jobs.filter((job) => job.status === 'IN_PROGRESS').length,
      deadCount: jobs.filter((job) => job.failure === 'DEAD').length
    }
  }

  async room(): Promise<undefined> {
    return undefined
  }

  async checkIn(workerId: string, ttlMs: number): Promise<number> {
    const nowMs = this.#clock.wallMs()
    this.#workers.set(workerId, nowMs + ttlMs)
    for (const [id, expiresAtMs] of this.#workers) if (expiresAtMs <= nowMs) this.#workers.delete(id)
    return this.#workers.size
  }

  async close(): Promise<void> {
    this.#bell.ring()
  }

  #add(job: NewJob, fingerprint: string, idempotencyKey: string | undefined): Job {
    const added = queuedJob(job, this.#clock.wallMs())
    this.#entries.set(added.id, {
      job: added,
      input: job.input,
      idempotencyKey,
      fingerprint,
      token: 0,
      beat: 0,
      leaseMs: 0,
      expiresAtMs: undefined
    })
    if (idempotencyKey !== undefined) this.#idByKey.set(idempotencyKey, added.id)
    return added
  }

  #claimNow(request: ClaimRequest): Claim[] {
    this.#claimCount += 1
    const nowMs = this.#clock.wallMs()
    const first = firstLane(this.#claimCount)
    const due = [...this.#entries.values()]
      .filter(({ job }) => job.runAtMs <= nowMs && this.#isClaimable(job, request.types))
      .toSorted(
        (a, b) => Number(b.job.priority === first) - Number(a.job.priority === first) || a.job.runAtMs - b.job.runAtMs
      )
    return due.slice(0, request.limit).map((entry) => {
      entry.token += 1
      entry.beat = 0
      entry.leaseMs = request.leaseMs
      this.#update(entry, { status: 'IN_PROGRESS', attempts: entry.job.attempts + 1, progress: 0 })
      return {
        job: entry.job,
        input: entry.input,
        lease: { jobId: entry.job.id, token: entry.token, leaseMs: entry.leaseMs }
      }
    })
  }

  #untilDueMs(types: readonly string[]): number {
    const waiting = [...this.#entries.values()].filter(({ job }) => this.#isClaimable(job, types))
    return Math.min(...waiting.map(({ job }) => job.runAtMs)) - this.#clock.wallMs()
  }

  #giveUpOrRetry(entry: Entry, failed: FailedTry): void {
    const { message: lastError } = failed
    const next = afterFailure(entry.job.attempts, failed, this.#policy, this.#random())
    if (next.status === 'FAILURE') {
      this.#end(entry, { status: 'FAILURE', failure: next.failure, lastError })
      return
    }
    this.#queueAgain(entry, { runAtMs: this.#clock.wallMs() + next.delayMs, lastError })
  }

  #queueAgain(entry: Entry, change: Partial<Job>): void {
    if (this.#ofGroup(entry.job.concurrencyGroup, 'QUEUED') !== undefined) this.#supersede(entry)
    else this.#update(entry, { ...change, status: 'QUEUED' })
    this.#bell.ring()
  }

  #supersede(entry: Entry): void {
    this.#end(entry, { status: 'FAILURE', failure: 'CANCELLED', lastError: SUPERSEDED_TEXT })
  }

  #isClaimable(job: Job, types: readonly string[]): boolean {
    if (job.status !== 'QUEUED' || !types.includes(job.type)) return false
    return this.#ofGroup(job.concurrencyGroup, 'IN_PROGRESS') === undefined
  }

  #ofGroup(group: string | undefined, status: Job['status']): Entry | undefined {
    if (group === undefined) return undefined
    return this.#entries.values().find(({ job }) => job.concurrencyGroup === group && job.status === status)
  }

  #end(entry: Entry, change: Partial<Job>): void {
    entry.token += 1
    entry.expiresAtMs = this.#clock.wallMs() + this.#policy.retentionMs
    this.#update(entry, change)
    const notice = noticeOf(entry.job)
    if (notice !== undefined) this.#add(notice, fingerprintOf(notice), undefined)
    this.#bell.ring()
  }

  #update(entry: Entry, change: Partial<Job>): void {
    entry.job = { ...entry.job, ...change, updatedAtMs: this.#clock.wallMs() }
  }

  #held(lease: Lease): Entry | undefined {
    const entry = this.#entries.get(lease.jobId)
    return entry?.job.status === 'IN_PROGRESS' && entry.token === lease.token ? entry : undefined
  }

  #live(id: string | undefined): Entry | undefined {
    const entry = id === undefined ? undefined : this.#entries.get(id)
    return entry === undefined || this.#isOver(entry) ? undefined : entry
  }

  #isOver(entry: Entry): boolean {
    return entry.expiresAtMs !== undefined && entry.expiresAtMs <= this.#clock.wallMs()
  }
}
