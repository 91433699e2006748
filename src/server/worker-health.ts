/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createServer, type Server } from 'node:http'
import { replyMetrics, type Metrics } from './metrics.ts'
import type { Readiness } from './readiness.ts'

/** Options of the health server of a worker. */
export interface WorkerHealthOptions {
  readonly readiness: Readiness
  readonly metrics: Metrics
}

/**
 * Health and metrics of a worker, which has no other HTTP: `/health/live`, `/health/ready` and `/metrics` (the text
 * format of Prometheus). It does not listen yet.
 */
export function createWorkerHealth(options: WorkerHealthOptions): Server {
  return createServer((request, response) => {
    const [path] = (request.url ?? '/').split('?', 1)
    const send = (statusCode: number, contentType: string, body: string): void => {
      response.writeHead(statusCode, { 'content-type': contentType, 'cache-control': 'no-store' }).end(body)
    }
    if (path === '/' || path === '/health/live') {
      send(200, 'application/json', '{"status":"ok"}')
    } else if (path === '/health/ready') {
      const isReady = options.readiness.isReady()
      const body = { status: isReady ? 'ready' : 'not ready', reasons: options.readiness.reasons() }
      send(isReady ? 200 : 503, 'application/json', JSON.stringify(body))
    } else if (path === '/metrics') {
      replyMetrics(options.metrics, response)
    } else {
      const message = 'Cannot find that address: see /health/live, /health/ready and /metrics'
      send(404, 'application/json', JSON.stringify({ statusCode: 404, code: 'NOT_FOUND', error: 'Not Found', message }))
    }
  })
}
