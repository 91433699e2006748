/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'

import { createMetrics } from '../../src/server/metrics.ts'
import { createWorkerHealth, type WorkerHealthOptions } from '../../src/server/worker-health.ts'

const COUNTS = { runningCount: 1, succeededCount: 7, failedTryCount: 2, lostCount: 0 }
const BACKLOG = { queuedCount: 9, inProgressCount: 1, deadCount: 3, workerCount: 2, backlogPerWorker: 4.5 }

async function listen(t: TestContext, parts: Partial<WorkerHealthOptions> = {}): Promise<string> {
  const metrics = createMetrics()
  metrics.addJobs({ counts: () => COUNTS, backlog: () => BACKLOG })
  const server = createWorkerHealth({
    readiness: { isReady: () => true, reasons: () => [] },
    metrics,
    ...parts
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  assert(address !== null && typeof address !== 'string')
  return `http://127.0.0.1:${address.port}`
}

test('a worker tells its health, and what keeps it from work', async (t) => {
  const origin = await listen(t)
  for (const path of ['/', '/health/live'])
    assert.deepEqual(await (await fetch(origin + path)).json(), { status: 'ok' })
  const ready = await fetch(`${origin}/health/ready?x=1`)
  assert.equal(ready.status, 200)
  assert.deepEqual(await ready.json(), { status: 'ready', reasons: [] })

  const loading = await listen(t, { readiness: { isReady: () => false, reasons: () => ['the model is being loaded'] } })
  const notReady = await fetch(`${loading}/health/ready`)
  assert.equal(notReady.status, 503)
  assert.deepEqual(await notReady.json(), { status: 'not ready', reasons: ['the model is being loaded'] })
  assert.equal((await fetch(`${loading}/health/live`)).status, 200)
})

test('a worker publishes its counts and the backlog for each worker', async (t) => {
  const reply = await fetch(`${await listen(t)}/metrics`)
  assert.match(String(reply.headers.get('content-type')), /^text\/plain; version=0\.0\.4/)
  const lines = (await reply.text()).trimEnd().split('\n')
  const values = Object.fromEntries(
    lines.filter((line) => line.startsWith('sbert_jobs_')).map((line) => line.split(' '))
  )
  assert.deepEqual(values, {
    sbert_jobs_running: '1',
    sbert_jobs_succeeded_total: '7',
    sbert_jobs_failed_tries_total: '2',
    sbert_jobs_lost_total: '0',
    sbert_jobs_queued: '9',
    sbert_jobs_in_progress: '1',
    sbert_jobs_dead: '3',
    sbert_jobs_workers: '2',
    sbert_jobs_backlog_per_worker: '4.5'
  })
  const early = createMetrics()
  early.addJobs({ counts: () => COUNTS, backlog: () => undefined })
  const text = await (await fetch(`${await listen(t, { metrics: early })}/metrics`)).text()
  assert.doesNotMatch(text, /^sbert_jobs_backlog/m)
  assert.match(text, /^sbert_jobs_running 1$/m)
  assert.doesNotMatch(text, /sbert_http/)
})

test('a worker has no other addresses', async (t) => {
  const reply = await fetch(`${await listen(t)}/v1/encode`)
  assert.equal(reply.status, 404)
  const { statusCode, code }: { statusCode: number; code: string } = JSON.parse(await reply.text())
  assert.deepEqual([statusCode, code], [404, 'NOT_FOUND'])
})
