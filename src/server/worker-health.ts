/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createServer, type Server } from 'node:http'

import type { BacklogReport } from '../jobs/backlog-reporter.ts'
import type { JobCounts } from '../jobs/job-runner.ts'
import type { Readiness } from './routes/health.ts'

/** What a worker tells about itself. */
export interface WorkerHealthParts {
  readonly readiness: Readiness
  readonly counts: () => JobCounts
  readonly backlog: () => BacklogReport | undefined
}

/**
 * Health and metrics of a worker, which has no other HTTP: `/health/live`, `/health/ready` and `/metrics` (the text
 * format of Prometheus). It does not listen yet.
 */
export function createWorkerHealth(parts: WorkerHealthParts): Server {
  return createServer((request, response) => {
    const [path] = (request.url ?? '/').split('?', 1)
    const send = (statusCode: number, contentType: string, body: string): void => {
      response.writeHead(statusCode, { 'content-type': contentType, 'cache-control': 'no-store' }).end(body)
    }
    if (path === '/' || path === '/health/live') {
      send(200, 'application/json', '{"status":"ok"}')
    } else if (path === '/health/ready') {
      const isReady = parts.readiness.isReady()
      const body = { status: isReady ? 'ready' : 'not ready', reasons: parts.readiness.reasons() }
      send(isReady ? 200 : 503, 'application/json', JSON.stringify(body))
    } else if (path === '/metrics') {
      send(200, 'text/plain; version=0.0.4; charset=utf-8', metricsText(parts.counts(), parts.backlog()))
    } else {
      const message = 'Cannot find that address: see /health/live, /health/ready and /metrics'
      send(404, 'application/json', JSON.stringify({ statusCode: 404, code: 'NOT_FOUND', error: 'Not Found', message }))
    }
  })
}

function metricsText(counts: JobCounts, backlog: BacklogReport | undefined): string {
  const metrics: [name: string, kind: 'gauge' | 'counter', help: string, value: number | undefined][] = [
    ['sbert_jobs_running', 'gauge', 'Jobs that this worker is at.', counts.runningCount],
    ['sbert_jobs_succeeded_total', 'counter', 'Jobs that this worker has done.', counts.succeededCount],
    ['sbert_jobs_failed_tries_total', 'counter', 'Tries of this worker that failed.', counts.failedTryCount],
    ['sbert_jobs_lost_total', 'counter', 'Jobs that were cancelled or taken over.', counts.lostCount],
    ['sbert_jobs_queued', 'gauge', 'Jobs that wait, of the whole queue.', backlog?.queuedCount],
    ['sbert_jobs_in_progress', 'gauge', 'Jobs that some worker is at.', backlog?.inProgressCount],
    ['sbert_jobs_dead', 'gauge', 'Dead letters.', backlog?.deadCount],
    ['sbert_jobs_workers', 'gauge', 'Workers that live.', backlog?.workerCount],
    ['sbert_jobs_backlog_per_worker', 'gauge', 'Jobs that wait, for each worker.', backlog?.backlogPerWorker]
  ]
  return metrics
    .filter(([, , , value]) => value !== undefined)
    .map(([name, kind, help, value]) => `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${name} ${String(value)}\n`)
    .join('')
}
