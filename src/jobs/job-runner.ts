/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'
import { asSpan, currentSpan, errorTypeOf, type Tracer } from '../tracing/span.ts'
import { failedTry, traceOf, type Job } from './job.ts'
import type { Claim, JobBackend } from './job-backend.ts'
import { MESSAGING_SYSTEM } from './job-trace.ts'
import type { Payload } from './payload.ts'
import { SYSTEM_TIMERS, type Timers } from './timers.ts'

/** A handler's view of its job, and its way to report progress. */
export interface JobContext {
  readonly job: Job
  /** Aborts when this worker loses the job: it was cancelled, taken over, or released by a stop. */
  readonly signal: AbortSignal
  /** Reports progress, from 0 to 1; it is written with the next heartbeat. */
  progress(fraction: number): void
}

/**
 * Does one job. It may be called again for the same job after a crash, so its side effects must be idempotent; its result
 * is written once. It must not block the main thread for a third of the lease, or the heartbeat stops.
 * @throws PermanentJobError, or a ServiceError with a status below 500 (but `TOO_MANY_REQUESTS`), when a retry is
 *   pointless; anything else is retried
 */
export type JobHandler = (input: Payload, context: JobContext) => Promise<Payload>

/** Logger of a runner; one of `pino` fits. */
export interface JobLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** How to build a {@link JobRunner}; what is left out has its default. */
export interface JobRunnerOptions {
  readonly backend: JobBackend
  /** By type of job; jobs of other types are left to other workers. */
  readonly handlers: ReadonlyMap<string, JobHandler>
  /** The most jobs at a time, those of `waitingTypes` aside. @default 1 */
  readonly concurrency?: number
  /**
   * Types whose handlers mostly wait for other services. They take none of the places of other jobs, which would otherwise
   * wait behind a service that does not answer; some {@link MAX_WAITING_JOBS} of them run at a time. @default none
   */
  readonly waitingTypes?: ReadonlySet<string>
  /** A worker that is silent for this long loses its job; heartbeats are sent three times as often. @default 30000 */
  readonly leaseMs?: number
  /** How often to look for silent workers and for jobs whose retention is over. @default a third of the lease */
  readonly sweepEveryMs?: number
  /** How long stop() lets jobs finish before it releases them. @default 20000 */
  readonly drainMs?: number
  readonly log?: JobLog
  /** Makes each try a span of the trace that the job carries. @default there are no spans */
  readonly tracer?: Tracer | undefined
  /** @default those of Node.js */
  readonly timers?: Timers
}

/** Counts of a runner since it was built. */
export interface JobCounts {
  readonly runningCount: number
  readonly succeededCount: number
  readonly failedTryCount: number
  /** Jobs that were cancelled or taken over while this runner had them. */
  readonly lostCount: number
}

interface RunningJob {
  readonly claim: Claim
  readonly stop: AbortController
  readonly begunAtMs: number
  progress: number | undefined
  heardAtMs: number
}

/** From this many running jobs of `waitingTypes` on, no more of them are claimed. */
const MAX_WAITING_JOBS = 16
const CLAIM_WAIT_MS = 20_000
/** How long a claim waits that leaves jobs of `waitingTypes` aside: one of those that run may end at any time. */
const SHORT_CLAIM_WAIT_MS = 1000
const PROGRESS_EVERY_MS = 1000
const RETRY_CLAIM_MS = 1000
const RETRY_WRITE_MS = 200
const STOPPING = 'the worker is stopping'
const LOST = 'the job is no longer this worker’s'

const SILENT_LOG: JobLog = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** Takes jobs from a backend and has handlers do them, until stopped. */
export class JobRunner {
  readonly #backend: JobBackend
  readonly #handlers: ReadonlyMap<string, JobHandler>
  readonly #concurrency: number
  readonly #waitingTypes: ReadonlySet<string>
  readonly #leaseMs: number
  readonly #sweepEveryMs: number
  readonly #drainMs: number
  readonly #log: JobLog
  readonly #tracer: Tracer | undefined
  readonly #timers: Timers
  readonly #running = new Map<RunningJob, Promise<void>>()
  readonly #stopClaiming = new AbortController()
  #loops: Promise<unknown> | undefined
  #stopped: Promise<void> | undefined
  #succeededCount = 0
  #failedTryCount = 0
  #lostCount = 0

  constructor(options: JobRunnerOptions) {
    this.#backend = options.backend
    this.#handlers = options.handlers
    this.#concurrency = options.concurrency ?? 1
    this.#waitingTypes = options.waitingTypes ?? new Set()
    this.#leaseMs = options.leaseMs ?? 30_000
    this.#sweepEveryMs = options.sweepEveryMs ?? this.#leaseMs / 3
    this.#drainMs = options.drainMs ?? 20_000
    this.#log = options.log ?? SILENT_LOG
    this.#tracer = options.tracer
    this.#timers = options.timers ?? SYSTEM_TIMERS
  }

  get counts(): JobCounts {
    return {
      runningCount: this.#running.size,
      succeededCount: this.#succeededCount,
      failedTryCount: this.#failedTryCount,
      lostCount: this.#lostCount
    }
  }

  /** How long the oldest running job has been running; `undefined` while none is. */
  get oldestJobMs(): number | undefined {
    // A map keeps the order in which its keys were added.
    const oldest = this.#running.keys().next().value
    return oldest && this.#timers.monotonicMs() - oldest.begunAtMs
  }

  /** Starts taking jobs; a second call does nothing. */
  start(): void {
    if (this.#loops !== undefined || this.#stopped !== undefined) return
    this.#loops = Promise.all([
      this.#claimLoop(),
      this.#every(Math.min(this.#leaseMs / 3, PROGRESS_EVERY_MS), () => this.#heartbeat()),
      this.#every(this.#sweepEveryMs, () => this.#sweep())
    ])
  }

  /**
   * Takes no more jobs, lets the running ones finish, and releases those that do not finish in time: another worker can
   * claim them at once, and the try does not count.
   */
  async stop(): Promise<void> {
    this.#stopped ??= this.#drain()
    await this.#stopped
  }

  async #drain(): Promise<void> {
    this.#stopClaiming.abort()
    const drained = new AbortController()
    const beating = this.#beatUntil(drained.signal)
    void this.#giveBackAfter(this.#drainMs, drained.signal)
    await this.#loops
    await Promise.all(this.#running.values())
    drained.abort()
    await beating
  }

  async #giveBackAfter(ms: number, signal: AbortSignal): Promise<void> {
    await this.#timers.sleep(ms, signal)
    // Those that still run; none when all have finished.
    for (const running of this.#running.keys()) running.stop.abort(STOPPING)
  }

  /** Sends heartbeats while jobs are finishing, since the loop of start() has ended. */
  async #beatUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#heartbeat()
      await this.#timers.sleep(Math.min(this.#leaseMs / 3, PROGRESS_EVERY_MS), signal)
    }
  }

  async #claimLoop(): Promise<void> {
    const { signal } = this.#stopClaiming
    const allTypes = [...this.#handlers.keys()]
    const otherTypes = allTypes.filter((type) => !this.#waitingTypes.has(type))
    while (!signal.aborted) {
      const waitingCount = this.#waitingCount
      const limit = this.#concurrency - (this.#running.size - waitingCount)
      if (limit <= 0) {
        await Promise.race(this.#running.values())
        continue
      }
      const [types, waitMs] =
        waitingCount < MAX_WAITING_JOBS ? [allTypes, CLAIM_WAIT_MS] : [otherTypes, SHORT_CLAIM_WAIT_MS]
      try {
        const claims = await this.#backend.claim({ types, limit, leaseMs: this.#leaseMs, waitMs, signal })
        for (const claim of claims) this.#begin(claim)
      } catch (error) {
        this.#log.error({ err: error }, 'Cannot claim a job')
        await this.#timers.sleep(RETRY_CLAIM_MS, signal)
      }
    }
  }

  /** Number of running jobs that take no place. */
  get #waitingCount(): number {
    let count = 0
    for (const { claim } of this.#running.keys()) if (this.#waitingTypes.has(claim.job.type)) count += 1
    return count
  }

  #begin(claim: Claim): void {
    const nowMs = this.#timers.monotonicMs()
    const running: RunningJob = {
      claim,
      stop: new AbortController(),
      begunAtMs: nowMs,
      progress: undefined,
      heardAtMs: nowMs
    }
    const work = this.#doInSpan(running).finally(() => this.#running.delete(running))
    this.#running.set(running, work)
  }

  async #doInSpan(running: RunningJob): Promise<void> {
    const { job } = running.claim
    if (this.#tracer === undefined) return this.#do(running)
    const attributes = {
      'messaging.system': MESSAGING_SYSTEM,
      'messaging.operation.type': 'process',
      'messaging.operation.name': 'process',
      'messaging.destination.name': job.type,
      'messaging.message.id': job.id,
      'sbert.job.attempts': job.attempts,
      'sbert.job.queue_ms': Math.max(0, Date.now() - job.runAtMs)
    }
    const span = this.#tracer.start(`process ${job.type}`, { kind: 'consumer', attributes }, traceOf(job.labels))
    return asSpan(span, () => this.#do(running))
  }

  /** Never rejects: whatever happens to a job is written to its record, or to the log. */
  async #do(running: RunningJob): Promise<void> {
    const { claim, stop } = running
    const { lease, job } = claim
    if (this.#stopClaiming.signal.aborted) {
      await this.#write('give back', running, () => this.#backend.release(lease))
      return
    }
    const attempt = this.#attempt(running)
    const stopped = Promise.withResolvers<undefined>()
    stop.signal.addEventListener('abort', () => stopped.resolve(undefined), { once: true })
    const outcome = await Promise.race([attempt, stopped.promise])
    if (outcome === undefined) {
      if (stop.signal.reason === STOPPING) await this.#write('give back', running, () => this.#backend.release(lease))
      else this.#lostCount += 1
      return
    }
    if ('result' in outcome) {
      const written = await this.#write('finish', running, () => this.#backend.finish(lease, outcome.result))
      if (written === 'held') this.#succeededCount += 1
      return
    }
    this.#failedTryCount += 1
    const { error } = outcome
    currentSpan()?.fail(errorTypeOf(error))
    const failed = failedTry(error)
    const { isPermanent } = failed
    this.#log.warn({ jobId: job.id, type: job.type, attempts: job.attempts, isPermanent, err: error }, 'A job failed')
    await this.#write('fail', running, () => this.#backend.fail(lease, failed))
  }

  async #attempt(running: RunningJob): Promise<{ result: Payload } | { error: unknown }> {
    const { job, input } = running.claim
    try {
      const handler = this.#handlers.get(job.type)
      if (handler === undefined) throw new Error(`Cannot do a job of type "${job.type}": no handler; this is a bug`)
      const context: JobContext = {
        job,
        signal: running.stop.signal,
        progress: (fraction) => {
          running.progress = Math.min(1, Math.max(0, fraction))
        }
      }
      return { result: await handler(input, context) }
    } catch (error) {
      return { error }
    }
  }

  /**
   * Writes an outcome, and retries for the length of a lease while the store cannot be reached. After that the lease is
   * over and another worker does the job again, so nothing is lost.
   */
  async #write(
    verb: string,
    running: RunningJob,
    write: () => Promise<'held' | 'lost'>
  ): Promise<'held' | 'lost' | 'failed'> {
    const { job } = running.claim
    const deadlineMs = this.#timers.monotonicMs() + this.#leaseMs
    for (;;) {
      try {
        const outcome = await write()
        if (outcome === 'lost') {
          this.#lostCount += 1
          this.#log.warn({ jobId: job.id, type: job.type }, `Cannot ${verb} a job: it is no longer this worker's`)
        }
        return outcome
      } catch (error) {
        const isTransient = error instanceof ServiceError && error.statusCode === 503
        if (!isTransient && verb === 'finish') {
          // The result itself is at fault, for instance too large to store.
          this.#failedTryCount += 1
          return this.#write('fail', running, () => this.#backend.fail(running.claim.lease, failedTry(error)))
        }
        if (!isTransient || this.#timers.monotonicMs() > deadlineMs) {
          this.#log.error({ jobId: job.id, type: job.type, err: error }, `Cannot ${verb} a job`)
          return 'failed'
        }
        await this.#timers.sleep(RETRY_WRITE_MS)
      }
    }
  }

  async #heartbeat(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((running) => this.#beat(running)))
  }

  async #beat(running: RunningJob): Promise<void> {
    const { claim, progress } = running
    const nowMs = this.#timers.monotonicMs()
    if (progress === undefined && nowMs - running.heardAtMs < this.#leaseMs / 3) return
    running.progress = undefined
    try {
      const outcome = await this.#backend.extend(claim.lease, progress)
      running.heardAtMs = nowMs
      // The lease of a job whose outcome has just been written is over too, but that job no longer runs.
      if (outcome === 'lost' && this.#running.has(running)) running.stop.abort(LOST)
    } catch (error) {
      this.#log.warn({ jobId: claim.job.id, err: error }, 'Cannot send a heartbeat')
    }
  }

  async #sweep(): Promise<void> {
    try {
      const swept = await this.#backend.sweep()
      if (swept.expiredLeaseCount + swept.resentCount > 0) this.#log.warn(swept, 'Took jobs back from silent workers')
    } catch (error) {
      this.#log.warn({ err: error }, 'Cannot sweep the job store')
    }
  }

  async #every(periodMs: number, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopClaiming
    while (!signal.aborted) {
      await work()
      await this.#timers.sleep(periodMs, signal)
    }
  }
}
