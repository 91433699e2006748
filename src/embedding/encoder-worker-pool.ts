/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Worker } from 'node:worker_threads'
import { ServiceError } from '../errors.ts'
import { BatchSlot } from './batch-slot.ts'
import type { SessionSource } from './encoder-session.ts'
import type { EncoderWorkerData, WorkerReply, WorkerRequest } from './encoder-worker-protocol.ts'
import type { TokenBatch } from './token-batch.ts'

/** Result of a batch. */
export interface BatchResult {
  /** sentences × dimensions, row-major. */
  readonly values: Float32Array
  /** When a worker began with it, on this thread's `performance.now()`. */
  readonly startMs: number
  readonly inferenceMs: number
}

export interface EncoderWorkerPoolOptions {
  /** What each worker opens. */
  readonly source: SessionSource
  readonly workerCount: number
  /** Maximum size of an offered batch. */
  readonly maxSentences: number
  readonly maxTokens: number
  /** The program of a worker; another one only where a test needs a worker that fails. */
  readonly workerUrl?: URL
  /**
   * Called when a worker has become free or has taken the offered batch, before the result of its last batch is
   * delivered.
   */
  readonly onDone?: () => void
  /** Called when a worker has died unexpectedly, before its replacement starts. */
  readonly onCrash?: (error: Error) => void
  /** Delay before a crashed worker is restarted; doubles with each consecutive crash. */
  readonly restartDelayMs?: number
}

const MAX_RESTART_DELAY_MS = 30_000

/** The promise of an offered batch, and the current number of its sentences. */
interface Offer {
  readonly settled: PromiseWithResolvers<BatchResult>
  sentenceCount: number
}

/**
 * A pool of threads, each with the model loaded; a batch runs on a free one. While none is free, one batch can be
 * offered to the first that will be, and can grow until a worker takes it.
 *
 * A thread is never terminated while it computes, since that aborts the whole process: a caller that gives up only
 * loses the result, and {@link close} waits for running batches. When a thread dies, its batch fails and the thread is
 * replaced.
 */
export class EncoderWorkerPool {
  readonly #options: EncoderWorkerPoolOptions
  readonly #workerSlots: WorkerSlot[] = []
  readonly #slot: BatchSlot
  #offer: Offer | undefined
  #isClosing = false

  private constructor(options: EncoderWorkerPoolOptions) {
    this.#options = options
    this.#slot = new BatchSlot(options.maxSentences, options.maxTokens)
  }

  /**
   * Starts the workers and waits until each has loaded the model.
   * @throws Error when one cannot: a model that fails to load in one thread fails in all
   */
  static async start(options: EncoderWorkerPoolOptions): Promise<EncoderWorkerPool> {
    const pool = new EncoderWorkerPool(options)
    for (let index = 0; index < options.workerCount; index++)
      pool.#workerSlots.push(new WorkerSlot(pool.#slotOptions(index)))
    const starts = await Promise.allSettled(pool.#workerSlots.map(async (slot) => slot.start()))
    const failure = starts.find((start) => start.status === 'rejected')
    if (failure !== undefined) {
      await pool.close()
      throw failure.reason
    }
    return pool
  }

  #slotOptions(workerIndex: number): WorkerSlotOptions {
    const { source, maxSentences, maxTokens, workerUrl, onDone, onCrash, restartDelayMs } = this.#options
    return {
      workerData: { source, workerIndex, slot: { buffer: this.#slot.buffer, maxSentences, maxTokens } },
      workerUrl: workerUrl ?? new URL('./encoder-worker.ts', import.meta.url),
      restartDelayMs: restartDelayMs ?? 100,
      takeOffer: () => {
        if (!this.#slot.isTakenBy(workerIndex)) return undefined
        this.#slot.clear()
        const offer = this.#offer
        this.#offer = undefined
        return offer
      },
      onDone: () => {
        if (!this.#isClosing) onDone?.()
      },
      onCrash: (error) => onCrash?.(error)
    }
  }

  /** Number of workers that have loaded the model and can take a batch now. */
  get idleCount(): number {
    return this.#isClosing ? 0 : this.#workerSlots.filter((slot) => slot.state === 'idle').length
  }

  /** Number of workers that have loaded the model. */
  get liveCount(): number {
    return this.#workerSlots.filter((slot) => slot.state === 'idle' || slot.state === 'busy').length
  }

  /** Number of sentences that workers are computing, as far as this thread knows. */
  get runningSentenceCount(): number {
    return this.#workerSlots.reduce((sum, { sentenceCount }) => sum + sentenceCount, 0)
  }

  /**
   * Computes a batch on a free worker. Callers look at {@link idleCount} first.
   * @param workerIndex the worker to use, which must be free; left out, any free one
   * @throws {ServiceError} UNAVAILABLE when the worker dies or the computation fails
   */
  async run(batch: TokenBatch, workerIndex?: number): Promise<BatchResult> {
    const slot =
      workerIndex === undefined
        ? this.#workerSlots.find(({ state }) => state === 'idle')
        : this.#workerSlots[workerIndex]
    if (slot?.state !== 'idle') throw new Error('Cannot run a batch: no worker is free: this is a bug')
    return slot.run(batch)
  }

  /** Whether there is an offered batch that, as far as this thread knows, no worker has taken. */
  get hasOffer(): boolean {
    return this.#offer !== undefined
  }

  /**
   * Offers a batch to the first worker that will be free. There must be no other offer.
   * @throws {ServiceError} as {@link run}; RangeError when the batch is larger than `maxSentences` or `maxTokens`
   */
  async offer(batch: TokenBatch): Promise<BatchResult> {
    if (this.#offer !== undefined) throw new Error('Cannot offer a batch: another one is offered: this is a bug')
    this.#slot.put(batch)
    const settled = Promise.withResolvers<BatchResult>()
    this.#offer = { settled, sentenceCount: batch.lengths.length }
    return settled.promise
  }

  /**
   * Takes the offered batch back, so that it can be offered again or run; false when a worker has taken it. The promise
   * of {@link offer} then settles with the batch that replaces it.
   */
  withdraw(): boolean {
    return this.#offer !== undefined && this.#slot.withdraw()
  }

  /** Offers a batch in place of the withdrawn one; an empty batch ends the offer. */
  offerAgain(batch: TokenBatch): void {
    if (batch.lengths.length > 0) {
      this.#slot.put(batch)
      if (this.#offer !== undefined) this.#offer.sentenceCount = batch.lengths.length
      return
    }
    this.#offer?.settled.resolve({ values: new Float32Array(), startMs: performance.now(), inferenceMs: 0 })
    this.#offer = undefined
  }

  /** Computes a batch in place of the withdrawn one. Callers look at {@link idleCount} first. */
  runInstead(batch: TokenBatch): void {
    const offer = this.#offer
    this.#offer = undefined
    offer?.settled.resolve(this.run(batch))
  }

  /** Waits for the running batches, then ends the threads. */
  async close(): Promise<void> {
    this.#isClosing = true
    if (this.withdraw()) {
      this.#offer?.settled.reject(new ServiceError('UNAVAILABLE', 'Cannot encode: the service is stopping'))
    }
    await Promise.all(this.#workerSlots.map(async (slot) => slot.close()))
  }
}

interface WorkerSlotOptions {
  readonly workerData: EncoderWorkerData
  readonly workerUrl: URL
  readonly restartDelayMs: number
  /** The promise of the offered batch, if the worker of this slot has taken it. */
  readonly takeOffer: () => Offer | undefined
  readonly onDone: () => void
  readonly onCrash: (error: Error) => void
}

/** A slot of the pool: one worker thread at a time, replaced when it dies. */
class WorkerSlot {
  state: 'starting' | 'idle' | 'busy' | 'dead' | 'closed' = 'starting'
  /** Number of sentences in the running batch. */
  sentenceCount = 0
  readonly #options: WorkerSlotOptions
  #worker: Worker | undefined
  #running: PromiseWithResolvers<BatchResult> | undefined
  #startMs = 0
  #restartDelayMs: number
  #restart: NodeJS.Timeout | undefined

  constructor(options: WorkerSlotOptions) {
    this.#options = options
    this.#restartDelayMs = options.restartDelayMs
  }

  /** Starts a thread; resolves when it has loaded the model, rejects when it died before that. */
  async start(): Promise<void> {
    this.state = 'starting'
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const worker = new Worker(this.#options.workerUrl, {
      workerData: this.#options.workerData,
      // A worker makes hardly any garbage, so it needs little of the memory that V8 reserves for young objects.
      resourceLimits: { maxYoungGenerationSizeMb: 8 }
    })
    this.#worker = worker
    let death: Error | undefined
    worker.on('error', (error: unknown) => {
      death = error instanceof Error ? error : new Error(String(error))
    })
    worker.on('message', (reply: WorkerReply) => {
      if (reply.type === 'ready') resolve()
      this.#settle(reply)
    })
    worker.once('exit', (code) => {
      const error = death ?? new Error(`an encoder thread ended with exit code ${code}`)
      this.#onExit(error)
      reject(error)
    })
    return promise
  }

  async run({ ids, lengths }: TokenBatch): Promise<BatchResult> {
    this.state = 'busy'
    this.sentenceCount = lengths.length
    this.#startMs = performance.now()
    this.#running = Promise.withResolvers<BatchResult>()
    const request: WorkerRequest = { type: 'batch', ids, lengths }
    this.#worker?.postMessage(request, [ids.buffer])
    return this.#running.promise
  }

  async close(): Promise<void> {
    clearTimeout(this.#restart)
    await this.#running?.promise.catch(() => undefined)
    const worker = this.#worker
    const isRunning = this.state === 'idle' || this.state === 'starting'
    this.state = 'closed'
    if (worker === undefined || !isRunning) return
    const exited = new Promise((resolve) => worker.once('exit', resolve))
    worker.postMessage({ type: 'close' } satisfies WorkerRequest)
    await exited
  }

  #settle(reply: WorkerReply): void {
    const running = this.#running
    const startMs = this.#startMs
    const next = reply.type === 'embeddings' && reply.hasNext ? this.#options.takeOffer() : undefined
    this.#running = next?.settled
    this.sentenceCount = next?.sentenceCount ?? 0
    this.#startMs = performance.now()
    if (this.state !== 'closed') this.state = this.#running === undefined ? 'idle' : 'busy'
    this.#restartDelayMs = this.#options.restartDelayMs
    if (reply.type === 'embeddings') {
      running?.resolve({ values: reply.values, startMs, inferenceMs: reply.inferenceMs })
    }
    if (reply.type === 'failure') {
      running?.reject(new ServiceError('UNAVAILABLE', `Cannot encode: the model failed: ${reply.message}`))
      // Later, so that the calls that fail with this batch have first removed their other sentences from the queue.
      setImmediate(this.#options.onDone)
      return
    }
    this.#options.onDone()
  }

  #onExit(error: Error): void {
    const wasLoaded = this.state === 'idle' || this.state === 'busy'
    const isFirstStart = this.state === 'starting' && this.#restart === undefined
    if (this.state === 'closed') return
    this.state = 'dead'
    for (const lost of [this.#running, this.#options.takeOffer()?.settled]) {
      lost?.reject(new ServiceError('UNAVAILABLE', 'Cannot encode: the thread that computed died', { cause: error }))
    }
    this.#running = undefined
    this.sentenceCount = 0
    this.#options.onCrash(error)
    if (isFirstStart && !wasLoaded) return // start() tells its caller, who decides.
    this.#restart = setTimeout(() => {
      void this.start().catch(() => undefined) // The exit of the thread has scheduled the next start.
    }, this.#restartDelayMs)
    this.#restartDelayMs = Math.min(2 * this.#restartDelayMs, MAX_RESTART_DELAY_MS)
  }
}
