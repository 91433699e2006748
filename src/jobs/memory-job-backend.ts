/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { enqueueInSpan } from './job-trace.ts'
import { Notifier } from './notifier.ts'
import {
  DEFAULT_JOB_POLICY,
  fingerprintOf,
  firstLane,
  isEnded,
  LONGEST_DELAY_MS,
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

/** How to build a {@link MemoryJobBackend}; what is left out has its default. */
export interface MemoryJobBackendOptions {
  readonly policy?: JobPolicy
  readonly clock?: Clock
  /** Random number from 0 (included) to 1 (excluded), for the backoff. @default Math.random */
  readonly random?: () => number
}

interface Entry {
  record: JobRecord
  readonly input: Payload
  readonly idempotencyKey: string | undefined
  result?: Payload
}

/** Keeps jobs in this process's memory: for tests, and for work that need not survive the process. */
export class MemoryJobBackend implements JobBackend {
  readonly #policy: JobPolicy
  readonly #clock: Clock
  readonly #random: () => number
  /** In the order in which jobs were enqueued. */
  readonly #entries = new Map<string, Entry>()
  readonly #idByKey = new Map<string, string>()
  readonly #workers = new Map<string, number>()
  readonly #watch = new LeaseWatch()
  readonly #notifier = new Notifier()
  #claimCount = 0

  constructor(options: MemoryJobBackendOptions = {}) {
    this.#policy = options.policy ?? DEFAULT_JOB_POLICY
    this.#clock = options.clock ?? SYSTEM_CLOCK
    this.#random = options.random ?? Math.random
  }

  async enqueue(job: NewJob): Promise<Enqueued> {
    return enqueueInSpan(job, async (traced) => this.#enqueue(traced))
  }

  #enqueue(job: NewJob): Enqueued {
    const fingerprint = fingerprintOf(job)
    const key = job.idempotencyKey === undefined ? undefined : JSON.stringify([job.owner ?? '', job.idempotencyKey])
    const earlier = this.#live(job.id) ?? (key === undefined ? undefined : this.#live(this.#idByKey.get(key)))
    if (earlier !== undefined) {
      const found = earlier.record
      if (found.fingerprint !== fingerprint) return { outcome: 'conflict', jobId: found.job.id }
      return { outcome: 'existing', job: found.job }
    }
    return { outcome: 'added', job: this.#add(job, fingerprint, key) }
  }

  async find(id: string): Promise<Job | undefined> {
    return this.#live(id)?.record.job
  }

  async result(id: string): Promise<Payload | undefined> {
    return this.#live(id)?.result
  }

  async list(query: JobQuery): Promise<JobPage> {
    const listed = [...this.#entries.values()]
      .filter(({ record }) => !isOver(record, this.#clock.wallMs()))
      .map(({ record }) => record.job)
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
      const { count } = this.#notifier
      const claims = this.#claimNow(request)
      const leftMs = deadlineMs - this.#clock.monotonicMs()
      if (claims.length > 0 || leftMs <= 0 || request.signal?.aborted === true) return claims
      await this.#notifier.wait(count, Math.min(leftMs, this.#untilDueMs(request.types)), request.signal)
    }
  }

  async extend({ jobId, token }: Lease, progress?: number): Promise<LeaseOutcome> {
    return this.#settle(jobId, { name: 'extend', token, progress })
  }

  async finish({ jobId, token }: Lease, result: Payload): Promise<LeaseOutcome> {
    return this.#settle(jobId, { name: 'finish', token }, result)
  }

  async fail({ jobId, token }: Lease, failed: FailedTry): Promise<LeaseOutcome> {
    return this.#settle(jobId, { name: 'fail', token, failed, random: this.#random() })
  }

  async release({ jobId, token }: Lease): Promise<LeaseOutcome> {
    return this.#settle(jobId, { name: 'release', token })
  }

  async cancel(id: string): Promise<Changed> {
    return this.#wish(id, { name: 'cancel' })
  }

  async redrive(id: string): Promise<Changed> {
    return this.#wish(id, { name: 'redrive' })
  }

  async waitUntilEnded(id: string, timeoutMs: number, signal?: AbortSignal): Promise<Job | undefined> {
    const deadlineMs = this.#clock.monotonicMs() + timeoutMs
    for (;;) {
      const { count } = this.#notifier
      const job = this.#live(id)?.record.job
      const leftMs = deadlineMs - this.#clock.monotonicMs()
      if (job === undefined || isEnded(job) || leftMs <= 0 || signal?.aborted === true) return job
      await this.#notifier.wait(count, leftMs, signal)
    }
  }

  async sweep(): Promise<Swept> {
    const running = this.#records().filter(({ job }) => job.status === 'IN_PROGRESS')
    const leases = running.map(({ job, token, beat, leaseMs }) => ({ jobId: job.id, token, beat, leaseMs }))
    const silent = this.#watch.look(leases, this.#clock.monotonicMs())
    const random = this.#random()
    for (const [index, { jobId, token, beat }] of silent.entries()) {
      const entry = this.#entries.get(jobId)
      if (entry === undefined) continue
      this.#change(entry, { name: 'takeBack', token, beat, random: spread(random, index) })
    }
    let deletedCount = 0
    for (const [id, entry] of this.#entries) {
      if (!isOver(entry.record, this.#clock.wallMs())) continue
      this.#delete(id, entry)
      deletedCount += 1
    }
    return { expiredLeaseCount: silent.length, deletedCount, resentCount: 0 }
  }

  async backlog(): Promise<Backlog> {
    const jobs = this.#records().map(({ job }) => job)
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
    this.#notifier.notify()
  }

  #add(job: NewJob, fingerprint: string, idempotencyKey?: string): Job {
    const { record, outdatedId } = addition(job, fingerprint, this.#groupOf(job.concurrencyGroup), this.#clock.wallMs())
    const { id } = record.job
    const outdated = outdatedId === undefined ? undefined : this.#entries.get(outdatedId)
    if (outdated !== undefined) this.#change(outdated, { name: 'supersede' })
    // An expired job of the same id is deleted first, so that the new one is the last in order.
    const over = this.#entries.get(id)
    if (over !== undefined) this.#delete(id, over)
    this.#entries.set(id, { record, input: job.input, idempotencyKey })
    if (idempotencyKey !== undefined) this.#idByKey.set(idempotencyKey, id)
    this.#notifier.notify()
    return record.job
  }

  #claimNow(request: ClaimRequest): Claim[] {
    this.#claimCount += 1
    const nowMs = this.#clock.wallMs()
    const first = firstLane(this.#claimCount)
    const due = this.#claimable(request.types)
      .filter(({ record }) => record.job.runAtMs <= nowMs || record.job.runAtMs > nowMs + LONGEST_DELAY_MS)
      .toSorted(({ record: { job: a } }, { record: { job: b } }) => {
        return Number(b.priority === first) - Number(a.priority === first) || a.runAtMs - b.runAtMs
      })
    const { leaseMs } = request
    return due.slice(0, request.limit).flatMap((entry) => {
      if (this.#change(entry, { name: 'claim', leaseMs }).outcome !== 'changed') return []
      const { job, token } = entry.record
      return [{ job, input: entry.input, lease: { jobId: job.id, token, leaseMs } }]
    })
  }

  #untilDueMs(types: readonly string[]): number {
    return Math.min(...this.#claimable(types).map(({ record }) => record.job.runAtMs)) - this.#clock.wallMs()
  }

  /** Queued jobs whose group is free; some may not be due yet. */
  #claimable(types: readonly string[]): Entry[] {
    return [...this.#entries.values()].filter(({ record: { job } }) => {
      return (
        job.status === 'QUEUED' &&
        types.includes(job.type) &&
        this.#groupOf(job.concurrencyGroup)?.runningId === undefined
      )
    })
  }

  #settle(id: string, command: Command, result?: Payload): LeaseOutcome {
    const entry = this.#entries.get(id)
    if (entry === undefined || this.#change(entry, command).outcome !== 'changed') return 'lost'
    if (result !== undefined) entry.result = result
    return 'held'
  }

  #wish(id: string, command: Command): Changed {
    const entry = this.#live(id)
    if (entry === undefined) return { outcome: 'missing' }
    const { outcome } = this.#change(entry, command)
    return { outcome: outcome === 'refused' ? 'refused' : 'changed', job: entry.record.job }
  }

  #change(entry: Entry, command: Command): Decision {
    const { record } = entry
    const decision = decide(record, this.#groupOf(record.job.concurrencyGroup), command, {
      nowMs: this.#clock.wallMs(),
      policy: this.#policy
    })
    if (decision.outcome === 'changed') this.#write(entry, decision)
    return decision
  }

  #write(entry: Entry, { after, effects }: Transition): void {
    entry.record = after
    const { notice } = effects
    if (notice !== undefined) this.#add(notice, fingerprintOf(notice))
    if (effects.announceAfterMs !== undefined || effects.hasEnded) this.#notifier.notify()
  }

  #groupOf(concurrencyGroup: string | undefined): GroupState | undefined {
    if (concurrencyGroup === undefined) return undefined
    const jobs = this.#records().flatMap(({ job }) => (job.concurrencyGroup === concurrencyGroup ? [job] : []))
    return {
      waitingId: jobs.find(({ status }) => status === 'QUEUED')?.id,
      runningId: jobs.find(({ status }) => status === 'IN_PROGRESS')?.id
    }
  }

  #records(): JobRecord[] {
    return [...this.#entries.values()].map(({ record }) => record)
  }

  #live(id: string | undefined): Entry | undefined {
    const entry = id === undefined ? undefined : this.#entries.get(id)
    return entry === undefined || isOver(entry.record, this.#clock.wallMs()) ? undefined : entry
  }

  #delete(id: string, { idempotencyKey: key }: Entry): void {
    this.#entries.delete(id)
    // The key may belong to a newer job by now.
    if (key !== undefined && this.#idByKey.get(key) === id) this.#idByKey.delete(key)
  }
}
