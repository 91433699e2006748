/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

import { ServiceError } from '../errors.ts'
import { makePrivateDatabase } from '../storage/private-file.ts'
import { enqueueInSpan } from './job-trace.ts'
import { Notifier } from './notifier.ts'
import { DEFAULT_JOB_POLICY, isEnded, type FailedTry, type Job, type JobPolicy, type NewJob } from './job.ts'
import {
  SYSTEM_CLOCK,
  type Backlog,
  type Changed,
  type Claim,
  type ClaimRequest,
  type Clock,
  noCursor,
  type DeadLetterQuery,
  type Enqueued,
  type JobBackend,
  type JobPage,
  type JobQuery,
  type JobRoom,
  type Lease,
  type LeaseOutcome,
  type Swept
} from './job-backend.ts'
import type { Payload } from './payload.ts'
import type { SqliteJobStore } from './sqlite-job-store.ts'
import type {
  StoreCall,
  StoreFault,
  StoreMethod,
  ThreadMessage,
  ThreadOptions,
  ThreadRequest
} from './sqlite-job-thread.ts'

/** How to open a {@link SqliteJobBackend}; what is left out has its default. */
export interface SqliteJobBackendOptions {
  /** The database file; it and its folder are created when missing. */
  readonly path: string
  readonly policy?: JobPolicy
  readonly clock?: Clock
  /** Random number from 0 (included) to 1 (excluded), for the backoff. @default Math.random */
  readonly random?: () => number
  /** Maximum size of the file; when it is reached, new jobs are refused. @default as large as SQLite allows */
  readonly maxBytes?: number
  /** Bytes kept free for accepted jobs, beyond the expected size of their results. @default 0 */
  readonly reserveBytes?: number
  /** How long a write waits for another process's write. @default 5000 */
  readonly busyTimeoutMs?: number
  /**
   * How often to look for other processes' commits. Normally a watch on a file beside the database announces them; this is
   * for file systems that announce nothing. @default 1000
   */
  readonly lookEveryMs?: number
}

interface PendingCall {
  resolve(value: unknown): void
  reject(reason: Error): void
}

/** The arguments of a store's method without the time, which `#call` adds. */
type Arguments<M extends StoreMethod> =
  Parameters<SqliteJobStore[M]> extends [...infer A, infer _Now] ? A : Parameters<SqliteJobStore[M]>

/**
 * Keeps jobs in one SQLite file, which several processes may share: durable, and without a server.
 * A separate thread reads and writes (`sqlite-job-thread.ts`). The file system wakes a process that waits for a job when
 * another process has written; the thread also looks once in `lookEveryMs`, in case the file system does not.
 */
export class SqliteJobBackend implements JobBackend {
  readonly #thread: Worker
  readonly #clock: Clock
  readonly #random: () => number
  readonly #pending = new Map<number, PendingCall>()
  readonly #queuedNotifier = new Notifier()
  readonly #endedNotifiers = new Map<string, { readonly notifier: Notifier; waiterCount: number }>()
  #outgoing: StoreCall[] = []
  #lastCallId = 0
  #hasForeignChange = false
  #isLookingForEnded = false
  #closed: Error | undefined

  private constructor(thread: Worker, clock: Clock, random: () => number) {
    this.#thread = thread
    this.#clock = clock
    this.#random = random
    thread.on('message', (message: ThreadMessage) => this.#receive(message))
    thread.on('error', (error) => this.#fail(error))
    thread.on('exit', () => this.#fail(new Error('the thread has ended')))
  }

  /**
   * Opens the file and starts its thread.
   * @throws Error when the file cannot be opened or created
   */
  static async open(options: SqliteJobBackendOptions): Promise<SqliteJobBackend> {
    makePrivateDatabase(options.path)
    const threadOptions: ThreadOptions = {
      path: options.path,
      policy: options.policy ?? DEFAULT_JOB_POLICY,
      busyTimeoutMs: options.busyTimeoutMs ?? 5000,
      lookEveryMs: options.lookEveryMs ?? 1000,
      ...(options.maxBytes !== undefined && { maxBytes: options.maxBytes }),
      ...(options.reserveBytes !== undefined && { reserveBytes: options.reserveBytes })
    }
    const thread = new Worker(new URL('./sqlite-job-thread.ts', import.meta.url), {
      name: 'sqlite-jobs',
      workerData: threadOptions
    })
    await once(thread, 'message')
    return new SqliteJobBackend(thread, options.clock ?? SYSTEM_CLOCK, options.random ?? Math.random)
  }

  async enqueue(job: NewJob): Promise<Enqueued> {
    return enqueueInSpan(job, async (traced) => this.#call('enqueue', traced))
  }

  async find(id: string): Promise<Job | undefined> {
    return this.#call('find', id)
  }

  async result(id: string): Promise<Payload | undefined> {
    return this.#call('result', id)
  }

  async list(query: JobQuery): Promise<JobPage> {
    if (query.after !== undefined && !/^\d{1,15}$/.test(query.after)) throw noCursor()
    return this.#call('list', query)
  }

  async deadLetters(query: DeadLetterQuery): Promise<JobPage> {
    return this.list({ ...query, status: 'DEAD' })
  }

  async claim(request: ClaimRequest): Promise<readonly Claim[]> {
    const { types, limit, leaseMs, waitMs, signal } = request
    const deadlineMs = this.#clock.monotonicMs() + waitMs
    for (;;) {
      const { count } = this.#queuedNotifier
      const { claims, nextRunAtMs } = await this.#call('claim', { types, limit, leaseMs })
      const leftMs = deadlineMs - this.#clock.monotonicMs()
      if (claims.length > 0 || leftMs <= 0 || signal?.aborted === true || this.#closed !== undefined) return claims
      const untilDueMs = nextRunAtMs === undefined ? Number.POSITIVE_INFINITY : nextRunAtMs - this.#clock.wallMs()
      await this.#queuedNotifier.wait(count, Math.min(leftMs, untilDueMs), signal)
    }
  }

  async extend(lease: Lease, progress?: number): Promise<LeaseOutcome> {
    return this.#call('extend', lease, progress)
  }

  async finish(lease: Lease, result: Payload): Promise<LeaseOutcome> {
    return this.#call('finish', lease, result)
  }

  async fail(lease: Lease, failed: FailedTry): Promise<LeaseOutcome> {
    return this.#call('fail', lease, failed, this.#random())
  }

  async release(lease: Lease): Promise<LeaseOutcome> {
    return this.#call('release', lease)
  }

  async cancel(id: string): Promise<Changed> {
    return this.#call('cancel', id)
  }

  async redrive(id: string): Promise<Changed> {
    return this.#call('redrive', id)
  }

  async waitUntilEnded(id: string, timeoutMs: number, signal?: AbortSignal): Promise<Job | undefined> {
    const deadlineMs = this.#clock.monotonicMs() + timeoutMs
    const entry = this.#endedNotifiers.get(id) ?? { notifier: new Notifier(), waiterCount: 0 }
    this.#endedNotifiers.set(id, entry)
    entry.waiterCount += 1
    try {
      for (;;) {
        const { count } = entry.notifier
        const job = await this.find(id)
        const leftMs = deadlineMs - this.#clock.monotonicMs()
        if (job === undefined || isEnded(job) || leftMs <= 0 || signal?.aborted === true) return job
        await entry.notifier.wait(count, leftMs, signal)
      }
    } finally {
      entry.waiterCount -= 1
      if (entry.waiterCount === 0) this.#endedNotifiers.delete(id)
    }
  }

  async sweep(): Promise<Swept> {
    return this.#call('sweep', this.#random())
  }

  async backlog(): Promise<Backlog> {
    return this.#call('backlog')
  }

  async room(): Promise<JobRoom> {
    return this.#call('room')
  }

  async checkIn(workerId: string, ttlMs: number): Promise<number> {
    return this.#call('checkIn', workerId, ttlMs)
  }

  /** Lets pending calls finish, then closes the file. Later calls are refused. */
  async close(): Promise<void> {
    if (this.#closed !== undefined) return
    this.#send()
    this.#closed = new Error('the backend is closed')
    const exited = once(this.#thread, 'exit')
    this.#thread.postMessage('close' satisfies ThreadRequest)
    await exited
  }

  async #call<M extends StoreMethod>(method: M, ...args: Arguments<M>): Promise<ReturnType<SqliteJobStore[M]>> {
    if (this.#closed !== undefined) throw unavailable(this.#closed)
    this.#lastCallId += 1
    const callId = this.#lastCallId
    const now = { wallMs: this.#clock.wallMs(), monotonicMs: this.#clock.monotonicMs() }
    // Calls made in the same turn of the event loop travel in one message.
    if (this.#outgoing.length === 0) process.nextTick(() => this.#send())
    this.#outgoing.push({ callId, method, args: [...args, now] })
    const { promise, resolve, reject } = Promise.withResolvers<ReturnType<SqliteJobStore[M]>>()
    this.#pending.set(callId, { resolve, reject })
    return promise
  }

  #send(): void {
    const calls = this.#outgoing
    this.#outgoing = []
    if (calls.length > 0 && this.#closed === undefined) this.#thread.postMessage(calls satisfies ThreadRequest)
  }

  #receive(message: ThreadMessage): void {
    if (message === 'ready') return
    if (message === 'foreign-change') {
      this.#queuedNotifier.notify()
      void this.#notifyForeignEnds()
      return
    }
    for (const reply of message.replies) {
      const call = this.#pending.get(reply.callId)
      this.#pending.delete(reply.callId)
      if ('fault' in reply) call?.reject(errorOf(reply.fault))
      else call?.resolve(reply.value)
    }
    if (message.events.hasQueued) this.#queuedNotifier.notify()
    for (const id of message.events.endedIds) this.#endedNotifiers.get(id)?.notifier.notify()
  }

  /** After another process wrote: asks which of the awaited jobs have ended, one query at a time however many writes come. */
  async #notifyForeignEnds(): Promise<void> {
    this.#hasForeignChange = true
    if (this.#isLookingForEnded) return
    this.#isLookingForEnded = true
    while (this.#hasForeignChange && this.#endedNotifiers.size > 0 && this.#closed === undefined) {
      this.#hasForeignChange = false
      const ids = [...this.#endedNotifiers.keys()]
      // When the query fails, all waiters are woken: each queries for itself and gets the error.
      const endedIds = await this.#call('ended', ids).catch(() => ids)
      for (const id of endedIds) this.#endedNotifiers.get(id)?.notifier.notify()
    }
    this.#isLookingForEnded = false
  }

  #fail(cause: Error): void {
    this.#closed ??= cause
    for (const call of this.#pending.values()) call.reject(unavailable(cause))
    this.#pending.clear()
    this.#queuedNotifier.notify()
    for (const { notifier } of this.#endedNotifiers.values()) notifier.notify()
  }
}

function errorOf(fault: StoreFault): Error {
  if (fault.code === undefined) return new Error(fault.message)
  const { retryAfterSeconds } = fault
  return new ServiceError(fault.code, fault.message, retryAfterSeconds === undefined ? {} : { retryAfterSeconds })
}

function unavailable(cause: Error): ServiceError {
  return new ServiceError('UNAVAILABLE', 'Cannot use the job store: it is closed', { cause })
}
