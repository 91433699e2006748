/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'
import type { MetricReading } from './metrics.ts'

/** Metrics of the service since the last sample, and its present state. */
export interface ServiceSample {
  /** Milliseconds since 1970. */
  readonly atMs: number
  readonly requestsPerSecond: number
  readonly sentencesPerSecond: number
  readonly batchesPerSecond: number
  /** Means since the last sample; null when there was nothing to measure. */
  readonly meanMs: {
    readonly request: number | null
    readonly tokenize: number | null
    readonly queue: number | null
    readonly inference: number | null
  }
  readonly sentencesPerBatch: number | null
  /** Share of cache hits among encodings of one text. */
  readonly cacheHitShare: number | null
  readonly waitingSentences: number
  readonly residentBytes: number
  readonly memoryLimitBytes: number
  /** Null when this process does no jobs. */
  readonly jobs: { readonly queued: number; readonly running: number; readonly dead: number } | null
}

/** Called with each sample. */
export type SampleListener = (sample: ServiceSample) => void

export interface ServiceSamplerOptions {
  /** Reads metrics by their names. */
  readonly read: (names: readonly string[]) => Promise<readonly MetricReading[]>
  /** Maximum number of listeners; more are refused. */
  readonly maxListeners?: number
  readonly intervalMs?: number
  /** Called when a reading failed. */
  readonly onFault?: (error: unknown) => void
}

const NAMES = [
  'sbert_http_requests_total',
  'sbert_http_request_duration_seconds',
  'sbert_tokenize_seconds',
  'sbert_queue_seconds',
  'sbert_inference_seconds',
  'sbert_batch_sentences',
  'sbert_sentences_total',
  'sbert_reply_cache_hits_total',
  'sbert_reply_cache_misses_total',
  'sbert_waiting_sentences',
  'process_resident_memory_bytes',
  'sbert_memory_limit_bytes',
  'sbert_jobs_queued',
  'sbert_jobs_running',
  'sbert_jobs_dead'
] as const

/** Values of metrics at one time, by name; those of a histogram end in `_sum` or `_count`. */
type Reading = ReadonlyMap<string, number>

export const MAX_EVENT_LISTENERS = 16
const INTERVAL_MS = 1000
const RETRY_AFTER_SECONDS = 10

/** Samples the metrics once a second, for all listeners together, and not at all without listeners. */
export class ServiceSampler {
  readonly #options: Required<ServiceSamplerOptions>
  readonly #listeners = new Set<SampleListener>()
  #timer: NodeJS.Timeout | undefined
  #before: { readonly reading: Reading; readonly atMs: number } | undefined
  #isReading = false

  constructor(options: ServiceSamplerOptions) {
    this.#options = { maxListeners: MAX_EVENT_LISTENERS, intervalMs: INTERVAL_MS, onFault: () => undefined, ...options }
  }

  /** Number of listeners. */
  get listenerCount(): number {
    return this.#listeners.size
  }

  /**
   * Adds a listener.
   * @returns a function that removes it
   * @throws {ServiceError} OVERLOADED when there are `maxListeners` already
   */
  listen(listener: SampleListener): () => void {
    const { maxListeners, intervalMs } = this.#options
    if (this.#listeners.size >= maxListeners) {
      throw new ServiceError('OVERLOADED', `Cannot send events: ${maxListeners} others are listening`, {
        retryAfterSeconds: RETRY_AFTER_SECONDS
      })
    }
    this.#listeners.add(listener)
    if (this.#timer === undefined) {
      this.#timer = setInterval(() => void this.#sample(), intervalMs)
      void this.#sample()
    }
    return () => this.#forget(listener)
  }

  #forget(listener: SampleListener): void {
    this.#listeners.delete(listener)
    if (this.#listeners.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#before = undefined
  }

  async #sample(): Promise<void> {
    // Skips this sample while the last reading is still running.
    if (this.#isReading) return
    this.#isReading = true
    try {
      const reading = readingOf(await this.#options.read(NAMES))
      const atMs = Date.now()
      const before = this.#before
      if (this.#timer === undefined) return
      this.#before = { reading, atMs }
      if (before === undefined) return
      const sample = sampleOf(before.reading, reading, { atMs, seconds: Math.max(1, atMs - before.atMs) / 1000 })
      for (const listener of this.#listeners) listener(sample)
    } catch (error) {
      this.#options.onFault(error)
    } finally {
      this.#isReading = false
    }
  }
}

function readingOf(metrics: readonly MetricReading[]): Reading {
  const sums = new Map<string, number>()
  for (const { name, values } of metrics) {
    for (const { metricName = name, value } of values) {
      if (!metricName.endsWith('_bucket')) sums.set(metricName, (sums.get(metricName) ?? 0) + value)
    }
  }
  return sums
}

function sampleOf(before: Reading, now: Reading, { atMs, seconds }: { atMs: number; seconds: number }): ServiceSample {
  const valueOf = (name: string): number => now.get(name) ?? 0
  const since = (name: string): number => valueOf(name) - (before.get(name) ?? 0)
  const meanOf = (name: string): number | null => ratioOf(since(`${name}_sum`), since(`${name}_count`))
  const meanMsOf = (name: string): number | null => {
    const mean = meanOf(name)
    return mean === null ? null : mean * 1000
  }
  const hits = since('sbert_reply_cache_hits_total')
  return {
    atMs,
    requestsPerSecond: since('sbert_http_requests_total') / seconds,
    sentencesPerSecond: since('sbert_sentences_total') / seconds,
    batchesPerSecond: since('sbert_batch_sentences_count') / seconds,
    meanMs: {
      request: meanMsOf('sbert_http_request_duration_seconds'),
      tokenize: meanMsOf('sbert_tokenize_seconds'),
      queue: meanMsOf('sbert_queue_seconds'),
      inference: meanMsOf('sbert_inference_seconds')
    },
    sentencesPerBatch: meanOf('sbert_batch_sentences'),
    cacheHitShare: ratioOf(hits, hits + since('sbert_reply_cache_misses_total')),
    waitingSentences: valueOf('sbert_waiting_sentences'),
    residentBytes: valueOf('process_resident_memory_bytes'),
    memoryLimitBytes: valueOf('sbert_memory_limit_bytes'),
    jobs: now.has('sbert_jobs_running')
      ? {
          queued: valueOf('sbert_jobs_queued'),
          running: valueOf('sbert_jobs_running'),
          dead: valueOf('sbert_jobs_dead')
        }
      : null
  }
}

function ratioOf(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null
}
