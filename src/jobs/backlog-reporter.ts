/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { JobBackend } from './job-backend.ts'
import type { JobLog } from './job-runner.ts'

/** What the queue holds, and who is there to do it. */
export interface BacklogReport {
  readonly queuedCount: number
  readonly inProgressCount: number
  readonly deadCount: number
  readonly workerCount: number
  /** Jobs that wait, for each worker that lives: what a fleet of workers scales by. */
  readonly backlogPerWorker: number
}

/** How to build a {@link BacklogReporter}; what is left out has its default. */
export interface BacklogReporterOptions {
  readonly backend: JobBackend
  /** Tells this worker from others. */
  readonly workerId: string
  readonly log: JobLog
  /** Name of the deployment, a dimension of the metrics. */
  readonly stage: string
  /** @default 15000 */
  readonly everyMs?: number
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

const EVERY_MS = 15_000
/** A worker counts as alive until it has missed three reports. */
const MISSED_REPORTS = 4
const NAMESPACE = 'sbert-service'

/**
 * Says at regular times that this worker lives, and publishes the backlog for each worker: as a line of the log in
 * CloudWatch's embedded metric format, and for whoever reads {@link BacklogReporter.latest}.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export class BacklogReporter {
  readonly #backend: JobBackend
  readonly #workerId: string
  readonly #log: JobLog
  readonly #stage: string
  readonly #everyMs: number
  readonly #now: () => number
  #latest: BacklogReport | undefined
  #timer: NodeJS.Timeout | undefined
  #reporting: Promise<void> = Promise.resolve()

  constructor(options: BacklogReporterOptions) {
    this.#backend = options.backend
    this.#workerId = options.workerId
    this.#log = options.log
    this.#stage = options.stage
    this.#everyMs = options.everyMs ?? EVERY_MS
    this.#now = options.now ?? Date.now
  }

  /** The last report, once there is one. */
  get latest(): BacklogReport | undefined {
    return this.#latest
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      this.#reporting = this.report()
    }, this.#everyMs)
    this.#reporting = this.report()
  }

  /** Waits for a report under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#reporting
  }

  /** Counts and publishes, now. A store that cannot be reached is logged, and the last report stays. */
  async report(): Promise<void> {
    try {
      const workerCount = await this.#backend.checkIn(this.#workerId, this.#everyMs * MISSED_REPORTS)
      const backlog = await this.#backend.backlog()
      const report = { ...backlog, workerCount, backlogPerWorker: backlog.queuedCount / workerCount }
      this.#latest = report
      this.#log.info(embeddedMetrics(report, this.#stage, this.#now()), 'backlog')
    } catch (error) {
      this.#log.warn({ err: error }, 'Cannot report the backlog')
    }
  }
}

function embeddedMetrics(report: BacklogReport, stage: string, nowMs: number): object {
  const values = {
    JobsBacklogPerWorker: report.backlogPerWorker,
    JobsQueued: report.queuedCount,
    JobsInProgress: report.inProgressCount,
    JobsDead: report.deadCount,
    JobsWorkers: report.workerCount
  }
  const metrics = Object.keys(values).map((Name) => ({ Name, Unit: 'Count' }))
  const directive = { Namespace: NAMESPACE, Dimensions: [['Stage']], Metrics: metrics }
  return { _aws: { Timestamp: nowMs, CloudWatchMetrics: [directive] }, Stage: stage, ...values }
}
