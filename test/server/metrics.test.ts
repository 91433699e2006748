/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { createMetrics, createMetricsServer, type Metrics, type RequestMetrics } from '../../src/server/metrics.ts'

const JOB_COUNTS = { runningCount: 1, succeededCount: 7, failedTryCount: 2, lostCount: 0 }
const BACKLOG = { queuedCount: 9, inProgressCount: 1, deadCount: 3, workerCount: 2, backlogPerWorker: 4.5 }

function filledMetrics(): { metrics: Metrics; requests: RequestMetrics } {
  const metrics = createMetrics()
  metrics.addEncoderLoad(() => ({ waitingSentences: 3, waitingTokens: 45, oldestAgeMs: 250, liveWorkers: 2 }))
  metrics.addReplyCache(() => ({ hitCount: 7, missCount: 8, entryCount: 5, bytes: 1234 }))
  metrics.addJobRoom(() => ({ freeBytes: 900, reservedBytes: 300, isFull: false }))
  metrics.addApiKeys({ keyCount: () => 3, failureCount: () => 1, isBehind: () => true })
  metrics.addTraces(() => ({ sentCount: 18, lostCount: 19 }))
  metrics.addLimits({
    bodies: { bytes: 11, refusedCount: 12 },
    connections: { unreadBytes: 13, closedCount: 14 },
    memory: { limitBytes: 15, refusedCount: 16 },
    line: { length: 17 }
  })
  metrics.addJobs({ counts: () => JOB_COUNTS, backlog: () => BACKLOG })
  return { metrics, requests: metrics.addRequests() }
}

/** The value of a series in the text, by its name with labels. */
function valueOf(text: string, series: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `)) ?? assert.fail(`no ${series}`)
  return Number(line.slice(series.length + 1))
}

test('what is observed is counted', async () => {
  const { metrics, requests } = filledMetrics()
  const { encoderObserver: observer } = metrics
  requests.observeRequest({ method: 'GET', route: '/v1/encode', statusCode: 200, durationMs: 3 })
  requests.observeRequest({ method: 'GET', route: undefined, statusCode: 404, durationMs: 1 })
  requests.observeAnswer({ answerType: 'CLASSIFIER', architecture: 'softmax', confidence: 0.97 })
  requests.observeAnswer({ answerType: 'EXACT', architecture: 'softmax', confidence: undefined })
  requests.observeInput(11)
  observer.tokenized(4, 0.2)
  observer.batch(4, 60, 6)
  observer.batch(1, 12, 2)
  observer.sentenceQueued(40)
  observer.coalesced()
  observer.abandoned()
  observer.refused()
  observer.workerCrashed(new Error('died'))
  const text = await metrics.text()
  const expected: Record<string, number> = {
    'sbert_http_requests_total{method="GET",route="/v1/encode",status="200"}': 1,
    'sbert_http_requests_total{method="GET",route="none",status="404"}': 1,
    'sbert_http_request_duration_seconds_bucket{le="0.002",route="/v1/encode"}': 0,
    'sbert_http_request_duration_seconds_bucket{le="0.005",route="/v1/encode"}': 1,
    'sbert_answers_total{type="CLASSIFIER"}': 1,
    'sbert_answers_total{type="EXACT"}': 1,
    'sbert_answer_confidence_bucket{le="0.95",architecture="softmax"}': 0,
    'sbert_answer_confidence_count{architecture="softmax"}': 1,
    sbert_input_characters_sum: 11,
    sbert_jobs_disk_free_bytes: 900,
    sbert_jobs_disk_reserved_bytes: 300,
    sbert_bodies_bytes: 11,
    sbert_bodies_refused_total: 12,
    sbert_unread_replies_bytes: 13,
    sbert_connections_closed_total: 14,
    sbert_memory_limit_bytes: 15,
    sbert_memory_refused_total: 16,
    sbert_bodies_reading: 17,
    sbert_trace_spans_sent_total: 18,
    sbert_trace_spans_lost_total: 19,
    sbert_sentences_total: 4,
    sbert_batch_tokens_sum: 72,
    'sbert_batch_sentences_bucket{le="1"}': 1,
    sbert_inference_seconds_count: 2,
    'sbert_queue_seconds_bucket{le="0.05"}': 1,
    sbert_coalesced_total: 1,
    sbert_abandoned_total: 1,
    sbert_refused_total: 1,
    sbert_encoder_thread_crashes_total: 1
  }
  for (const [series, value] of Object.entries(expected)) assert.equal(valueOf(text, series), value, series)
})

test('what is kept elsewhere is read at each scrape, and not added up', async () => {
  const { metrics } = filledMetrics()
  await metrics.text()
  const text = await metrics.text()
  const expected: Record<string, number> = {
    sbert_waiting_sentences: 3,
    sbert_waiting_tokens: 45,
    sbert_waiting_oldest_seconds: 0.25,
    sbert_encoder_threads: 2,
    sbert_reply_cache_hits_total: 7,
    sbert_reply_cache_misses_total: 8,
    sbert_reply_cache_bytes: 1234,
    sbert_jobs_succeeded_total: 7,
    sbert_jobs_backlog_per_worker: 4.5
  }
  for (const [series, value] of Object.entries(expected)) assert.equal(valueOf(text, series), value, series)
  assert.ok(valueOf(text, 'process_resident_memory_bytes') > 1e6)
})

test('docs/metrics.md names every metric, and no other', async () => {
  const text = await filledMetrics().metrics.text()
  const page = await readFile(new URL('../../docs/metrics.md', import.meta.url), 'utf8')
  const served = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1])
  const documented = [...page.matchAll(/`((?:sbert|process)_\w+)`/g)].map((match) => match[1])
  assert.deepEqual(new Set(documented), new Set(served))
})

test('the metrics server answers /metrics and nothing else', async (t) => {
  const server = createMetricsServer(filledMetrics().metrics)
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const reply = await fetch(`http://127.0.0.1:${address.port}/metrics`)
  assert.match(reply.headers.get('content-type') ?? '', /text\/plain/)
  assert.match(await reply.text(), /sbert_encoder_threads 2/)
  assert.equal((await fetch(`http://127.0.0.1:${address.port}/`)).status, 404)
})
