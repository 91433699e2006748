/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createServer, type Server } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { PredictionObserver } from '../classifier/prediction-observer.ts'
import type { EncoderLoad, EncoderObserver } from '../embedding/local-encoder.ts'
import { addModelMetrics } from './model-metrics.ts'
import type { ReplyCacheCounts } from './reply-cache.ts'
import type { RequestObserver } from './request-log.ts'

/** What is asked for its state at each scrape. */
export interface MetricsSources {
  readonly encoderLoad: () => EncoderLoad
  readonly replyCache: () => ReplyCacheCounts
}

/** Figures of the service for Prometheus, and those who fill them in. */
export interface Metrics {
  readonly observeRequest: RequestObserver
  readonly encoderObserver: EncoderObserver
  readonly predictionObserver: PredictionObserver
  /** Adds the figures that are read at each scrape. */
  addSources(sources: MetricsSources): void
  /** The text format of Prometheus. */
  text(): Promise<string>
}

/** From half a millisecond, a cached reply, to the seconds of a queue that is full. */
const SECONDS_BUCKETS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]
const EVENT_LOOP_RESOLUTION_MS = 10
const NANOSECONDS_PER_SECOND = 1e9

/** Makes the service's metrics; nothing is shared between two of them. Names and meanings are in docs/metrics.md. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const seconds = (name: string, help: string): Histogram =>
    new Histogram({ name, help, registers, buckets: SECONDS_BUCKETS })
  const counter = (name: string, help: string): Counter => new Counter({ name, help, registers })

  const requests = new Counter({
    name: 'sbert_http_requests_total',
    help: 'Requests that were answered.',
    labelNames: ['method', 'route', 'status'] as const,
    registers
  })
  const requestSeconds = new Histogram({
    name: 'sbert_http_request_duration_seconds',
    help: 'From the request to its reply.',
    labelNames: ['route'] as const,
    buckets: SECONDS_BUCKETS,
    registers
  })
  const tokenizeSeconds = seconds('sbert_tokenize_seconds', 'Tokenizing the texts of one call.')
  const queueSeconds = seconds('sbert_queue_seconds', 'A sentence waiting for a free encoder thread.')
  const inferenceSeconds = seconds('sbert_inference_seconds', 'Computing one batch.')
  const batchSentences = new Histogram({
    name: 'sbert_batch_sentences',
    help: 'Sentences of a batch.',
    buckets: [1, 2, 3, 4, 8],
    registers
  })
  const batchTokens = new Histogram({
    name: 'sbert_batch_tokens',
    help: 'Tokens of a batch.',
    buckets: [8, 16, 32, 64, 128, 256, 512, 1024],
    registers
  })
  const sentences = counter('sbert_sentences_total', 'Sentences that calls asked for.')
  const refused = counter('sbert_refused_total', 'Calls that were refused because too much was waiting.')
  const abandoned = counter('sbert_abandoned_total', 'Sentences that were not computed because their callers had left.')
  const coalesced = counter('sbert_coalesced_total', 'Sentences that shared the computation of an equal one.')
  const crashes = counter('sbert_encoder_thread_crashes_total', 'Encoder threads that died and were replaced.')
  addProcessMetrics(registry)

  return {
    observeRequest: ({ method, route = 'none', statusCode, durationMs }) => {
      requests.inc({ method, route, status: statusCode })
      requestSeconds.observe({ route }, durationMs / 1000)
    },
    encoderObserver: {
      tokenized: (sentenceCount, tokenizeMs) => {
        sentences.inc(sentenceCount)
        tokenizeSeconds.observe(tokenizeMs / 1000)
      },
      sentenceQueued: (queueMs) => queueSeconds.observe(queueMs / 1000),
      batch: (rowCount, tokenCount, inferenceMs) => {
        batchSentences.observe(rowCount)
        batchTokens.observe(tokenCount)
        inferenceSeconds.observe(inferenceMs / 1000)
      },
      coalesced: () => coalesced.inc(),
      abandoned: () => abandoned.inc(),
      refused: () => refused.inc(),
      workerCrashed: () => crashes.inc()
    },
    predictionObserver: addModelMetrics(registry),
    addSources: (sources) => addSourceMetrics(registry, sources),
    text: async () => registry.metrics()
  }
}

/** Serves the metrics at `/metrics`, without a key: for a port that only Prometheus reaches. It does not listen yet. */
export function createMetricsServer(metrics: Metrics): Server {
  return createServer((request, response) => {
    if (request.url?.split('?', 1)[0] !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('See /metrics\n')
      return
    }
    metrics.text().then(
      (text) => response.writeHead(200, { 'content-type': Registry.PROMETHEUS_CONTENT_TYPE }).end(text),
      () => response.writeHead(500).end()
    )
  })
}

function addSourceMetrics(registry: Registry, { encoderLoad, replyCache }: MetricsSources): void {
  addGauge(registry, 'sbert_waiting_sentences', 'Sentences that wait.', () => encoderLoad().waitingSentences)
  addGauge(registry, 'sbert_waiting_tokens', 'Tokens of the sentences that wait.', () => encoderLoad().waitingTokens)
  const oldestSeconds = (): number => encoderLoad().oldestAgeMs / 1000
  addGauge(registry, 'sbert_waiting_oldest_seconds', 'How long the oldest has waited.', oldestSeconds)
  addGauge(registry, 'sbert_encoder_threads', 'Encoder threads that live.', () => encoderLoad().liveWorkers)
  addCounter(registry, 'sbert_reply_cache_hits_total', 'Replies that were kept.', () => replyCache().hitCount)
  addCounter(registry, 'sbert_reply_cache_misses_total', 'Replies that had to be made.', () => replyCache().missCount)
  addGauge(registry, 'sbert_reply_cache_entries', 'Replies that are kept.', () => replyCache().entryCount)
  addGauge(registry, 'sbert_reply_cache_bytes', 'Memory of the kept replies.', () => replyCache().bytes)
}

function addProcessMetrics(registry: Registry): void {
  const delay = monitorEventLoopDelay({ resolution: EVENT_LOOP_RESOLUTION_MS })
  delay.enable()
  registry.registerMetric(
    new Gauge({
      name: 'sbert_event_loop_delay_seconds',
      help: 'How late timers of the main thread were since the last scrape.',
      labelNames: ['quantile'] as const,
      registers: [],
      collect() {
        this.set({ quantile: '0.5' }, lateSeconds(delay.percentile(50)))
        this.set({ quantile: '0.99' }, lateSeconds(delay.percentile(99)))
        this.set({ quantile: '1' }, lateSeconds(delay.max))
        delay.reset()
      }
    })
  )
  addGauge(registry, 'process_resident_memory_bytes', 'Resident memory of the process.', () =>
    process.memoryUsage.rss()
  )
  const startSeconds = Math.round(Date.now() / 1000 - process.uptime())
  addGauge(registry, 'process_start_time_seconds', 'When the process started, since 1970.', () => startSeconds)
}

/** What of the interval between two of the delay histogram's timers was too late; it counts all of it. */
function lateSeconds(nanoseconds: number): number {
  return Math.max(0, nanoseconds / NANOSECONDS_PER_SECOND - EVENT_LOOP_RESOLUTION_MS / 1000)
}

/** Adds a gauge that is read at each scrape. */
function addGauge(registry: Registry, name: string, help: string, value: () => number): void {
  const gauge = new Gauge({
    name,
    help,
    registers: [],
    collect() {
      this.set(value())
    }
  })
  registry.registerMetric(gauge)
}

/** Adds a counter whose count is kept elsewhere and read at each scrape. */
function addCounter(registry: Registry, name: string, help: string, value: () => number): void {
  const counter = new Counter({
    name,
    help,
    registers: [],
    collect() {
      this.reset()
      this.inc(value())
    }
  })
  registry.registerMetric(counter)
}
