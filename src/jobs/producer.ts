/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'
import { isEnded, type Job } from './job.ts'
import type { Priority } from './job-status.ts'
import type { JobBackend } from './job-backend.ts'
import { packPayload, unpackPayload } from './payload.ts'

/** Default job type of producers and consumers. */
export const DEFAULT_JOB_TYPE = 'default'

/** Status of a job, under the names of the library that this one replaces. */
export type ResultStatus = 'SUBMITTED' | 'IN_PROGRESS' | 'SUCCESS' | 'FAILURE'

/** How to build a {@link Producer}; what is left out has its default. */
export interface ProducerOptions {
  /** Type of the jobs; consumers of the same type do them. @default 'default' */
  readonly type?: string
  /** @default 'interactive' */
  readonly priority?: Priority
}

/** Options of one posted input. */
export interface PostOptions {
  /** Posting an equal input again with the same key gives the same job. */
  readonly idempotencyKey?: string
}

/** Thrown when the result of a job that failed for good is requested. */
export class JobFailedError extends Error {
  override readonly name = 'JobFailedError'
  readonly job: Job

  constructor(job: Job) {
    super(`Cannot retrieve the result of job ${job.id}: ${job.lastError ?? 'it was cancelled'}`)
    this.job = job
  }
}

/**
 * Enqueues jobs and fetches their results.
 *
 * Inputs and results are JSON values, or bytes (`Uint8Array`). Nothing checks that a result is a `Result`.
 * ```ts
 * const producer = new Producer<{ n: number }, { n: number }>(await SqliteJobBackend.open({ path: 'data/jobs.db' }))
 * const id = await producer.postNonBlocking({ n: 21 })
 * const doubled = await producer.post({ n: 21 }, { timeoutMs: 10_000 })
 * ```
 */
export class Producer<Input = unknown, Result = unknown> {
  readonly #backend: JobBackend
  readonly #type: string
  readonly #priority: Priority

  constructor(backend: JobBackend, options: ProducerOptions = {}) {
    this.#backend = backend
    this.#type = options.type ?? DEFAULT_JOB_TYPE
    this.#priority = options.priority ?? 'interactive'
  }

  /**
   * Enqueues an input. When the promise resolves, the job is stored.
   * @returns the job's id
   * @throws {ServiceError} CONFLICT when the idempotency key was used with another input; UNAVAILABLE when the job
   *   cannot be stored
   */
  async postNonBlocking(input: Input, options: PostOptions = {}): Promise<string> {
    const enqueued = await this.#backend.enqueue({
      type: this.#type,
      priority: this.#priority,
      input: packPayload(input),
      ...(options.idempotencyKey !== undefined && { idempotencyKey: options.idempotencyKey })
    })
    if (enqueued.outcome !== 'conflict') return enqueued.job.id
    throw new ServiceError(
      'CONFLICT',
      `Cannot post: the idempotency key belongs to job ${enqueued.jobId} with other input`
    )
  }

  /** @throws {ServiceError} NOT_FOUND when there is no such job, or no longer */
  async retrieveResultStatus(id: string): Promise<ResultStatus> {
    const { status } = this.#found(id, await this.#backend.find(id))
    return status === 'QUEUED' ? 'SUBMITTED' : status
  }

  /**
   * @throws {ServiceError} NOT_FOUND when there is no such job, or no longer; CONFLICT while it has not ended
   * @throws {JobFailedError} when the job failed for good
   */
  async retrieveResult(id: string): Promise<Result> {
    return this.#resultOf(this.#found(id, await this.#backend.find(id)))
  }

  /**
   * Enqueues an input and waits for its result.
   * @throws {ServiceError} DEADLINE_EXCEEDED when it takes longer than `timeoutMs`: the job goes on, and its id is in
   *   the message
   * @throws {JobFailedError} when the job failed for good
   */
  async post(input: Input, options: PostOptions & { readonly timeoutMs: number }): Promise<Result> {
    const id = await this.postNonBlocking(input, options)
    const job = this.#found(id, await this.#backend.waitUntilEnded(id, options.timeoutMs))
    if (isEnded(job)) return this.#resultOf(job)
    throw new ServiceError('DEADLINE_EXCEEDED', `Cannot wait for job ${id}: not done after ${options.timeoutMs} ms`)
  }

  #found(id: string, job: Job | undefined): Job {
    if (job !== undefined) return job
    throw new ServiceError('NOT_FOUND', `Cannot find job ${id}: it is unknown or has expired`)
  }

  async #resultOf(job: Job): Promise<Result> {
    if (job.status === 'FAILURE') throw new JobFailedError(job)
    const payload = await this.#backend.result(job.id)
    if (payload === undefined) {
      throw new ServiceError('CONFLICT', `Cannot retrieve the result of job ${job.id}: it is ${job.status}`)
    }
    // Nothing checks that the consumer returned a `Result`.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return unpackPayload(payload) as Result
  }
}
