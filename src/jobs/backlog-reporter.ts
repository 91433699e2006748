/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { JobBackend } from './job-backend.ts'
import type { JobLog } from './job-runner.ts'

/** Size of the queue, and the number of workers. */
export interface BacklogReport {
  readonly queuedCount: number
  readonly inProgressCount: number
  readonly deadCount: number
  readonly workerCount: number
  /** Waiting jobs per live worker: the metric that a fleet of workers scales by. */
  readonly backlogPerWorker: number
}

/** How to build a {@link BacklogReporter}; what is left out has its default. */
export interface BacklogReporterOptions {
  readonly backend: JobBackend
  /** Identifies this worker among the others. */
  readonly workerId: string
  readonly log: Pick<JobLog, 'warn'>
  /** @default 15000 */
  readonly everyMs?: number
}

const EVERY_MS = 15_000
/** Periods that a report is valid for: a worker may miss three reports in a row before it counts as gone. */
const VALID_PERIODS = 4

/** Reports at regular intervals that this worker is alive, and measures the backlog per worker, which metrics read here. */
export class BacklogReporter {
  readonly #backend: JobBackend
  readonly #workerId: string
  readonly #log: Pick<JobLog, 'warn'>
  readonly #everyMs: number
  #latest: BacklogReport | undefined
  #timer: NodeJS.Timeout | undefined
  #reporting: Promise<void> = Promise.resolve()

  constructor(options: BacklogReporterOptions) {
    this.#backend = options.backend
    this.#workerId = options.workerId
    this.#log = options.log
    this.#everyMs = options.everyMs ?? EVERY_MS
  }

  /** The last report; `undefined` before the first. */
  get latest(): BacklogReport | undefined {
    return this.#latest
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      this.#reporting = this.report()
    }, this.#everyMs)
    this.#reporting = this.report()
  }

  /** Stops reporting, after a report that is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#reporting
  }

  /** Reports now. When the store cannot be reached, the error is logged and the last report stays. */
  async report(): Promise<void> {
    try {
      const workerCount = await this.#backend.checkIn(this.#workerId, this.#everyMs * VALID_PERIODS)
      const backlog = await this.#backend.backlog()
      this.#latest = { ...backlog, workerCount, backlogPerWorker: backlog.queuedCount / workerCount }
    } catch (error) {
      this.#log.warn({ err: error }, 'Cannot report the backlog')
    }
  }
}
