/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { JobBackend } from './job-backend.ts'
import { JobRunner, type JobContext, type JobLog } from './job-runner.ts'
import { packPayload, unpackPayload } from './payload.ts'
import { DEFAULT_JOB_TYPE } from './producer.ts'

/** How to build a {@link Consumer}; what is left out has its default. */
export interface ConsumerOptions<Input, Result> {
  readonly backend: JobBackend
  /**
   * Does the work of one job. After a crash it may be called again for the same input; its result is stored once.
   * @throws PermanentJobError, or a ServiceError with a status below 500 (but `TOO_MANY_REQUESTS`), when a retry is
   *   pointless; anything else is retried, by default up to five tries in all
   */
  readonly computeResult: (input: Input, context: JobContext) => Result | Promise<Result>
  /** Type of the jobs to take; producers of the same type enqueue them. @default 'default' */
  readonly type?: string
  /** The most jobs at a time. @default 1 */
  readonly concurrency?: number
  /** A consumer that is silent for this long loses its job. @default 30000 */
  readonly leaseMs?: number
  /** How long stop() lets jobs finish before it releases them. @default 20000 */
  readonly drainMs?: number
  readonly log?: JobLog
}

/**
 * Takes the jobs that producers enqueue and computes their results.
 * ```ts
 * const consumer = new Consumer<{ n: number }, { n: number }>({ backend, computeResult: ({ n }) => ({ n: 2 * n }) })
 * consumer.startConsuming()
 * process.once('SIGTERM', () => consumer.stop())
 * ```
 */
export class Consumer<Input = unknown, Result = unknown> {
  readonly #runner: JobRunner

  constructor(options: ConsumerOptions<Input, Result>) {
    const { computeResult, type = DEFAULT_JOB_TYPE, ...runnerOptions } = options
    const handlers = new Map([
      [
        type,
        async (payload: Parameters<typeof unpackPayload>[0], context: JobContext) => {
          // Nothing checks that the producer sent an `Input`.
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion
          const input = unpackPayload(payload) as Input
          return packPayload(await computeResult(input, context))
        }
      ]
    ])
    this.#runner = new JobRunner({ ...runnerOptions, handlers })
  }

  /** Starts taking jobs, in the background, until {@link stop} is called. Returns at once. */
  startConsuming(): void {
    this.#runner.start()
  }

  /** Takes no more jobs and waits for the running ones; those that do not finish in time are released to other workers. */
  async stop(): Promise<void> {
    await this.#runner.stop()
  }
}
