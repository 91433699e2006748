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
  /** When a worker had it, on the clock of `performance.now()` here. */
  readonly startMs: number
  readonly inferenceMs: number
}

export interface EncoderWorkerPoolOptions {
  /** What each worker opens. */
  readonly source: SessionSource
  readonly workerCount: number
  /** The most of a batch that is offered. */
  readonly maxSentences: number
  readonly maxTokens: number
  /** The program of a worker; another one only where a test needs a worker that fails. */
  readonly workerUrl?: URL
  /** Called when a worker has become free, or has taken what was offered: before the result of its last batch is told. */
  readonly onDone?: () => void
  /** Called when a worker has died of itself, before another is started. */
  readonly onCrash?: (error: Error) => void
  /** How long after a crash the next worker starts; doubles with each crash in a row. */
  readonly restartDelayMs?: number
}

const MAX_RESTART_DELAY_MS = 30_000

/** What is promised of a batch that is offered, and how long that batch is by now. */
interface Offer {
  readonly settled: PromiseWithResolvers<BatchResult>
  sentenceCount: number
}

/**
 * Some threads with the model in each; a batch goes to one that is free. While none is, one batch can be
 * offered to whichever will be first, and can grow until then.
 *
 * A thread is never torn down while it computes, since that aborts the whole process: a caller that gives up loses the
 * result only, and {@link close} waits for what runs. A thread that dies takes its batch with it, and is replaced.
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
   * @throws Error when one cannot: a model that does not load in one thread does not load in another either
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

  /** Workers that have loaded the graph and can take a batch now. */
  get idleCount(): number {
    return this.#isClosing ? 0 : this.#workerSlots.filter((slot) => slot.state === 'idle').length
  }

  /** Workers that have loaded the graph. */
  get liveCount(): number {
    return this.#workerSlots.filter((slot) => slot.state === 'idle' || slot.state === 'busy').length
  }

  /** Sentences that workers compute, as far as is known here. */
  get runningSentenceCount(): number {
    return this.#workerSlots.reduce((sum, { sentenceCount }) => sum + sentenceCount, 0)
  }

  /**
   * Computes a batch on a free worker. Callers look at {@link idleCount} first.
   * @param workerIndex a certain worker, where that matters; it must be free
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

  /** Whether a batch is offered that, as far as is known here, no worker has taken. */
  get hasOffer(): boolean {
    return this.#offer !== undefined
  }

  /**
   * Lays a batch out for the first worker that is done with its own. There must be no other offer.
   * @throws {ServiceError} as {@link run}; RangeError when the batch is larger than was said at the start
   */
  async offer(batch: TokenBatch): Promise<BatchResult> {
    if (this.#offer !== undefined) throw new Error('Cannot offer a batch: another one is offered: this is a bug')
    this.#slot.put(batch)
    const settled = Promise.withResolvers<BatchResult>()
    this.#offer = { settled, sentenceCount: batch.lengths.length }
    return settled.promise
  }

  /**
   * Takes the offered batch back, so that it can be offered anew or run; false when a worker has it. What
   * {@link offer} has promised then comes of the batch that follows.
   */
  withdraw(): boolean {
    return this.#offer !== undefined && this.#slot.withdraw()
  }

  /** Offers a batch in place of the one that was withdrawn; one of no sentences ends the offer. */
  offerAgain(batch: TokenBatch): void {
    if (batch.lengths.length > 0) {
      this.#slot.put(batch)
      if (this.#offer !== undefined) this.#offer.sentenceCount = batch.lengths.length
      return
    }
    this.#offer?.settled.resolve({ values: new Float32Array(), startMs: performance.now(), inferenceMs: 0 })
    this.#offer = undefined
  }

  /** Computes a batch in place of the one that was withdrawn. Callers look at {@link idleCount} first. */
  runInstead(batch: TokenBatch): void {
    const offer = this.#offer
    this.#offer = undefined
    offer?.settled.resolve(this.run(batch))
  }

  /** Waits for the batches that run, then ends the threads. */
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
  /** What was promised of the offered batch, if the worker of this slot has taken it. */
  readonly takeOffer: () => Offer | undefined
  readonly onDone: () => void
  readonly onCrash: (error: Error) => void
}

/** A slot of the pool: one worker thread at a time, replaced when it dies. */
class WorkerSlot {
  state: 'starting' | 'idle' | 'busy' | 'dead' | 'closed' = 'starting'
  /** Sentences in the batch that runs. */
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

  /** Starts a thread; settles when it has loaded the graph, or died of trying. */
  async start(): Promise<void> {
    this.state = 'starting'
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const worker = new Worker(this.#options.workerUrl, {
      workerData: this.#options.workerData,
      // A worker makes next to no garbage, and has no use for the memory that V8 would give its young objects.
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
      // Not before the calls that fail with it have taken what else they had waiting out of the queue.
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
      void this.start().catch(() => undefined) // Its exit has scheduled the next try.
    }, this.#restartDelayMs)
    this.#restartDelayMs = Math.min(2 * this.#restartDelayMs, MAX_RESTART_DELAY_MS)
  }
}
