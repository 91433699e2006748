/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createServer, type Server, type ServerResponse } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { PredictionObserver } from '../versions/prediction-observer.ts'
import type { EncoderLoad, EncoderObserver } from '../embedding/local-encoder.ts'
import type { ReadingLine } from '../reading/reading-line.ts'
import type { BodyBudget } from './body-budget.ts'
import type { ConnectionGuard } from './connection-guard.ts'
import type { SpanCounts } from '../tracing/delivery-log.ts'
import type { MemoryGuard } from './memory-guard.ts'
import { addModelMetrics } from './model-metrics.ts'
import type { BacklogReport } from '../jobs/backlog-reporter.ts'
import type { JobRoom } from '../jobs/job-backend.ts'
import type { JobCounts } from '../jobs/job-runner.ts'
import type { ReplyCacheCounts } from './reply-cache.ts'
import type { RequestObserver } from './request-log.ts'
import type { AnswerObserver } from '../answering/answer-observer.ts'

/** Recorders of metrics about requests. */
export interface RequestMetrics {
  readonly observeRequest: RequestObserver
  readonly observeAnswer: AnswerObserver
  /** Called with the length of each text to encode, in UTF-16 code units. */
  readonly observeInput: (characterCount: number) => void
}

/** One metric and its present values. */
export interface MetricReading {
  /** As in docs/metrics.md. */
  readonly name: string
  /** Each value of a histogram is named `_bucket`, `_sum` or `_count`; buckets are cumulative, their label is `le`. */
  readonly values: readonly {
    readonly metricName?: string
    readonly labels: Readonly<Record<string, string | number | undefined>>
    readonly value: number
  }[]
}

/** Counters of the limits of requests. */
export interface LimitCounts {
  readonly bodies: Pick<BodyBudget, 'bytes' | 'refusedCount'>
  readonly connections: Pick<ConnectionGuard, 'unreadBytes' | 'closedCount'>
  readonly memory: Pick<MemoryGuard, 'limitBytes' | 'refusedCount'>
  readonly line: Pick<ReadingLine, 'length'>
}

/** Readers of a key file's state. */
export interface ApiKeyCounts {
  readonly keyCount: () => number
  readonly failureCount: () => number
  readonly isBehind: () => boolean
}

/** Metrics of a process, with their recorders and readers. */
export interface Metrics {
  readonly encoderObserver: EncoderObserver
  readonly predictionObserver: PredictionObserver
  /** Adds the metrics of requests, for a process that answers them. */
  addRequests(): RequestMetrics
  /** Adds the load of the encoder. */
  addEncoderLoad(load: () => EncoderLoad): void
  addReplyCache(counts: () => ReplyCacheCounts): void
  /** Adds the jobs of this process, and of the whole queue once they are known. */
  addJobs(jobs: { readonly counts: () => JobCounts; readonly backlog: () => BacklogReport | undefined }): void
  /** Adds the disk space for new jobs, once it is known. */
  addJobRoom(room: () => JobRoom | undefined): void
  /** Adds the state of a key file. */
  addApiKeys(keys: ApiKeyCounts): void
  /** Adds the spans that were sent and lost. */
  addTraces(counts: () => SpanCounts): void
  /** Adds the use of the limits of requests, and what they refused. */
  addLimits(limits: LimitCounts): void
  /** All metrics in Prometheus's text format. */
  text(): Promise<string>
  /** All metrics as values, for other formats. */
  read(): Promise<readonly MetricReading[]>
  /** Only the named metrics, so that metrics which reset when read, such as the event loop's delay, stay untouched. */
  readSome(names: readonly string[]): Promise<readonly MetricReading[]>
}

/** Buckets from half a millisecond, for a cached reply, to seconds, for a full queue. */
const SECONDS_BUCKETS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]
const EVENT_LOOP_RESOLUTION_MS = 10
const NANOSECONDS_PER_SECOND = 1e9

/** Buckets of text lengths, from a word to the largest request. */
const CHARACTERS_BUCKETS = [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 16_384, 65_536, 1_048_576]
/** Buckets for decision scores of `ridge`, mostly from -1.5 to 1, and probabilities of `softmax`, which matter most near 1. */
const CONFIDENCE_BUCKETS = [-1.5, -1, -0.75, -0.5, -0.25, 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1]

/** Creates a process's metrics, in a registry of their own. Names and meanings are in docs/metrics.md. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  addProcessMetrics(registry)

  return {
    encoderObserver: addEncoderMetrics(registry),
    predictionObserver: addModelMetrics(registry),
    addRequests: () => addRequestMetrics(registry),
    addEncoderLoad(load) {
      addGauge(registry, 'sbert_waiting_sentences', 'Sentences that wait.', () => load().waitingSentences)
      addGauge(registry, 'sbert_waiting_tokens', 'Tokens of the sentences that wait.', () => load().waitingTokens)
      const oldestSeconds = (): number => load().oldestAgeMs / 1000
      addGauge(registry, 'sbert_waiting_oldest_seconds', 'How long the oldest has waited.', oldestSeconds)
      addGauge(registry, 'sbert_encoder_threads', 'Encoder threads that live.', () => load().liveWorkers)
    },
    addReplyCache(counts) {
      addCounter(registry, 'sbert_reply_cache_hits_total', 'Replies that were kept.', () => counts().hitCount)
      addCounter(registry, 'sbert_reply_cache_misses_total', 'Replies that had to be made.', () => counts().missCount)
      addGauge(registry, 'sbert_reply_cache_entries', 'Replies that are kept.', () => counts().entryCount)
      addGauge(registry, 'sbert_reply_cache_bytes', 'Memory of the kept replies.', () => counts().bytes)
    },
    addJobs: (jobs) => addJobMetrics(registry, jobs),
    addJobRoom(room) {
      const reserved = 'Disk that is kept for jobs that were accepted.'
      addGauge(registry, 'sbert_jobs_disk_free_bytes', 'Disk that jobs may still take.', () => room()?.freeBytes)
      addGauge(registry, 'sbert_jobs_disk_reserved_bytes', reserved, () => room()?.reservedBytes)
    },
    addApiKeys({ keyCount, failureCount, isBehind }) {
      const failures = 'Changes of the file of keys that could not be taken.'
      addGauge(registry, 'sbert_api_keys', 'Keys of the file of keys.', keyCount)
      addGauge(registry, 'sbert_api_keys_behind', 'Whether the file is broken and older keys are in use.', () =>
        Number(isBehind())
      )
      addCounter(registry, 'sbert_api_keys_failures_total', failures, failureCount)
    },
    addTraces(counts) {
      const lost = 'Spans of traces that were lost.'
      addCounter(registry, 'sbert_trace_spans_sent_total', 'Spans of traces that were sent.', () => counts().sentCount)
      addCounter(registry, 'sbert_trace_spans_lost_total', lost, () => counts().lostCount)
    },
    addLimits: (limits) => addLimitMetrics(registry, limits),
    text: async () => registry.metrics(),
    read: async () => registry.getMetricsAsJSON(),
    readSome: async (names) =>
      Promise.all(names.flatMap((name) => registry.getSingleMetric(name) ?? []).map((metric) => metric.get()))
  }
}

function addJobMetrics(registry: Registry, { counts, backlog }: Parameters<Metrics['addJobs']>[0]): void {
  addGauge(registry, 'sbert_jobs_running', 'Jobs that this process is at.', () => counts().runningCount)
  addCounter(registry, 'sbert_jobs_succeeded_total', 'Jobs done by it.', () => counts().succeededCount)
  addCounter(registry, 'sbert_jobs_failed_tries_total', 'Tries of it that failed.', () => counts().failedTryCount)
  addCounter(registry, 'sbert_jobs_lost_total', 'Jobs cancelled or taken over.', () => counts().lostCount)
  const perWorker = 'Jobs that wait, for each worker that lives.'
  addGauge(registry, 'sbert_jobs_queued', 'Jobs that wait, of the whole queue.', () => backlog()?.queuedCount)
  addGauge(registry, 'sbert_jobs_in_progress', 'Jobs that some worker is at.', () => backlog()?.inProgressCount)
  addGauge(registry, 'sbert_jobs_dead', 'Dead letters.', () => backlog()?.deadCount)
  addGauge(registry, 'sbert_jobs_workers', 'Workers that live.', () => backlog()?.workerCount)
  addGauge(registry, 'sbert_jobs_backlog_per_worker', perWorker, () => backlog()?.backlogPerWorker)
}

function addLimitMetrics(registry: Registry, { bodies, connections, memory, line }: LimitCounts): void {
  const unread = 'Bytes of replies that were made and not taken.'
  addGauge(registry, 'sbert_bodies_bytes', 'Bytes of bodies under way.', () => bodies.bytes)
  addGauge(registry, 'sbert_bodies_reading', 'Large bodies that wait or are read.', () => line.length)
  addGauge(registry, 'sbert_unread_replies_bytes', unread, () => connections.unreadBytes)
  addGauge(registry, 'sbert_memory_limit_bytes', 'Memory that the process may take.', () => memory.limitBytes)
  const overBudget = 'Bodies that were refused because too many bytes were under way.'
  addCounter(registry, 'sbert_bodies_refused_total', overBudget, () => bodies.refusedCount)
  const closed = 'Connections with too many requests or unread replies.'
  addCounter(registry, 'sbert_connections_closed_total', closed, () => connections.closedCount)
  const full = 'Requests that were refused because memory was nearly full.'
  addCounter(registry, 'sbert_memory_refused_total', full, () => memory.refusedCount)
}

function addEncoderMetrics(registry: Registry): Metrics['encoderObserver'] {
  const registers = [registry]
  const seconds = (name: string, help: string): Histogram =>
    new Histogram({ name, help, registers, buckets: SECONDS_BUCKETS })
  const counter = (name: string, help: string): Counter => new Counter({ name, help, registers })

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
  return {
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
  }
}

function addRequestMetrics(registry: Registry): RequestMetrics {
  const registers = [registry]
  const requests = new Counter({
    name: 'sbert_http_requests_total',
    help: 'Requests that were answered.',
    labelNames: ['method', 'route', 'status'] as const,
    registers
  })
  const requestSeconds = new Histogram({
    name: 'sbert_http_request_duration_seconds',
    help: 'Time from the request to its reply.',
    labelNames: ['route'] as const,
    buckets: SECONDS_BUCKETS,
    registers
  })
  const inputCharacters = new Histogram({
    name: 'sbert_input_characters',
    help: 'Length of a text that was to be encoded.',
    buckets: CHARACTERS_BUCKETS,
    registers
  })
  const answers = new Counter({
    name: 'sbert_answers_total',
    help: 'Questions that were answered.',
    labelNames: ['type'] as const,
    registers
  })
  const confidences = new Histogram({
    name: 'sbert_answer_confidence',
    help: 'Confidence of the classifier in its answer.',
    labelNames: ['architecture'] as const,
    buckets: CONFIDENCE_BUCKETS,
    registers
  })
  return {
    observeRequest: ({ method, route = 'none', statusCode, durationMs }) => {
      requests.inc({ method, route, status: statusCode })
      requestSeconds.observe({ route }, durationMs / 1000)
    },
    observeAnswer: ({ answerType, architecture, confidence }) => {
      answers.inc({ type: answerType })
      // There is no confidence when the question equals a known one, or when the predicted answer is gone.
      if (confidence !== undefined) confidences.observe({ architecture }, confidence)
    },
    observeInput: (characterCount) => inputCharacters.observe(characterCount)
  }
}

/** Answers a request for `/metrics` in Prometheus's text format. */
export function replyMetrics(metrics: Metrics, response: ServerResponse): void {
  metrics.text().then(
    (text) => response.writeHead(200, { 'content-type': Registry.PROMETHEUS_CONTENT_TYPE }).end(text),
    () => response.writeHead(500).end()
  )
}

/** Creates a server of `/metrics` without a key, for a port that only Prometheus reaches. It does not listen yet. */
export function createMetricsServer(metrics: Metrics): Server {
  return createServer((request, response) => {
    if (request.url?.split('?', 1)[0] !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('See /metrics\n')
      return
    }
    replyMetrics(metrics, response)
  })
}

function addProcessMetrics(registry: Registry): void {
  const delay = monitorEventLoopDelay({ resolution: EVENT_LOOP_RESOLUTION_MS })
  delay.enable()
  registry.registerMetric(
    new Gauge({
      name: 'sbert_event_loop_delay_seconds',
      help: 'How late timers of the main thread were since this was last read.',
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

/** The delay of a timer: the histogram records whole intervals, so the resolution is subtracted. */
function lateSeconds(nanoseconds: number): number {
  return Math.max(0, nanoseconds / NANOSECONDS_PER_SECOND - EVENT_LOOP_RESOLUTION_MS / 1000)
}

/** Adds a gauge that is read at each scrape; it has no series while its value is not known. */
function addGauge(registry: Registry, name: string, help: string, value: () => number | undefined): void {
  const gauge = new Gauge({
    name,
    help,
    registers: [],
    collect() {
      this.remove()
      const now = value()
      if (now !== undefined) this.set(now)
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
