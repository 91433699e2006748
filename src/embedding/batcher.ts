/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Admission } from './admission.ts'
import { BatchQueue, type QueuedSentence } from './batch-queue.ts'
import type { EncodeOptions, Lane } from './encoder.ts'
import type { BatchResult, EncoderWorkerPool } from './encoder-worker-pool.ts'
import { stack, tokenCountOf } from './token-batch.ts'

/** A sentence to encode. */
export interface SentenceRequest {
  readonly ids: Int32Array
  /** Sentences with equal keys have equal ids and are encoded once; undefined: alone. */
  readonly coalesceKey: string | undefined
}

/** Embeddings of one call's sentences, in their order. */
export interface BatcherResult {
  /** n × dimensions, row-major. */
  readonly values: Float32Array
  /** From the call until the last of its batches began. */
  readonly queueMs: number
  /** Inference time of its last batch. */
  readonly inferenceMs: number
}

/** Observer of a {@link Batcher}, for metrics. */
export interface BatcherObserver {
  batch(rowCount: number, tokenCount: number, inferenceMs: number): void
  sentenceQueued(queueMs: number): void
  coalesced(): void
  abandoned(): void
  refused(): void
}

export interface BatcherOptions {
  readonly pool: Pick<
    EncoderWorkerPool,
    | 'idleCount'
    | 'liveCount'
    | 'runningSentenceCount'
    | 'run'
    | 'hasOffer'
    | 'offer'
    | 'withdraw'
    | 'offerAgain'
    | 'runInstead'
  >
  /** One for each lane: waiting bulk work never keeps an interactive call out. */
  readonly admission: Readonly<Record<Lane, Admission>>
  /**
   * Bounds the rows of unfinished calls, since each call allocates its embeddings when it begins. Tokens do not bound
   * them: a sentence that is shared with another call takes none of {@link admission}.
   */
  readonly rowAdmission: Readonly<Record<Lane, Admission>>
  readonly dimensions: number
  readonly maxBatchSentences: number
  readonly maxBatchTokens: number
  /**
   * Number of batches into which a worker's share of the work is cut. Where the overhead of a batch is small, several
   * small batches answer sooner than one.
   * @default 1
   */
  readonly batchesPerShare?: number
  readonly observer?: Partial<BatcherObserver>
}

/** How long after an interactive call one free worker is kept for the next one and gets no bulk work. */
const KEPT_FREE_MS = 1000

/** A sentence in the queue or in a worker, and the calls that wait for it. */
interface PendingSentence extends QueuedSentence {
  readonly coalesceKey: string | undefined
  readonly waiters: Set<Waiter>
  /** The admission that counts its tokens, even after it has changed lanes. */
  readonly admission: Admission
}

interface Waiter {
  readonly call: Call
  readonly row: number
}

/** One call of {@link Batcher.encode}. */
interface Call {
  readonly values: Float32Array
  readonly startMs: number
  readonly settled: PromiseWithResolvers<BatcherResult>
  /** Its sentences, some perhaps shared with other calls. */
  sentences: readonly PendingSentence[]
  missingCount: number
  queueMs: number
  inferenceMs: number
  isOver: boolean
}

/**
 * Makes batches of waiting sentences whenever a worker is free. No timer delays a batch, so a lone sentence never waits
 * for others.
 *
 * A call is admitted or refused as a whole. A sentence equal to one that waits or is being computed is not encoded
 * again. When a call is aborted, its sentences that no other call waits for and that are not being computed leave the
 * queue.
 */
export class Batcher {
  readonly #options: BatcherOptions
  readonly #queue = new BatchQueue<PendingSentence>()
  readonly #coalescing = new Map<string, PendingSentence>()
  /** The batch that is offered to the pool, while it can still change. */
  #offered: PendingSentence[] = []
  #runningCount = 0
  /** Of them with bulk sentences. */
  #runningBulkCount = 0
  #isPumpScheduled = false
  #lastInteractiveMs = -Infinity
  #whenIdle: PromiseWithResolvers<void> | undefined

  constructor(options: BatcherOptions) {
    this.#options = options
  }

  /** The waiting sentences and tokens, and the age of the oldest. */
  get backlog(): { readonly sentenceCount: number; readonly tokenCount: number; readonly oldestAgeMs: number } {
    const { size, tokenCount, oldestMs } = this.#queue
    return {
      sentenceCount: size,
      tokenCount,
      oldestAgeMs: oldestMs === undefined ? 0 : performance.now() - oldestMs
    }
  }

  /**
   * Encodes sentences; row i of the result belongs to sentence i.
   * @throws {ServiceError} as {@link Admission.admit} when the call is refused; as {@link EncoderWorkerPool.run} when a
   *   batch fails; the signal's reason when it aborts
   */
  async encode(
    sentences: readonly SentenceRequest[],
    { lane = 'interactive', callerKey = '', signal, deadlineMs }: EncodeOptions
  ): Promise<BatcherResult> {
    signal?.throwIfAborted()
    if (sentences.length === 0) return { values: new Float32Array(), queueMs: 0, inferenceMs: 0 }
    const rows = this.#options.rowAdmission[lane]
    this.#orTellRefusal(() => rows.admit(callerKey, sentences.length))
    try {
      this.#admit(sentences, this.#options.admission[lane], callerKey, deadlineMs)
      return await this.#embeddingsOf(sentences, lane, callerKey, signal)
    } finally {
      rows.release(callerKey, sentences.length)
    }
  }

  /** Embeddings of sentences that were admitted. */
  async #embeddingsOf(
    sentences: readonly SentenceRequest[],
    lane: Lane,
    callerKey: string,
    signal: AbortSignal | undefined
  ): Promise<BatcherResult> {
    const call: Call = {
      values: new Float32Array(sentences.length * this.#options.dimensions),
      startMs: performance.now(),
      settled: Promise.withResolvers(),
      sentences: [],
      missingCount: sentences.length,
      queueMs: 0,
      inferenceMs: 0,
      isOver: false
    }
    if (lane === 'interactive') this.#lastInteractiveMs = call.startMs
    call.sentences = sentences.map((sentence, row) => this.#join(sentence, { call, row }, lane, callerKey))
    const onAbort = (): void => this.#abandon(call, signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#pumpSoon()
    try {
      return await call.settled.promise
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /**
   * Runs {@link pump} at the end of this turn of the event loop, so that requests that arrived together share a batch.
   */
  #pumpSoon(): void {
    if (this.#isPumpScheduled) return
    this.#isPumpScheduled = true
    setImmediate(() => {
      this.#isPumpScheduled = false
      this.pump()
    })
  }

  /**
   * Gives waiting sentences to free workers; while none is free, offers the next batch. Call it as soon as a worker is
   * done, so that the worker computes while the replies of its last batch are made.
   */
  pump(): void {
    const { pool, maxBatchTokens } = this.#options
    if (!pool.hasOffer) this.#offered = []
    if (pool.idleCount > 0 && pool.withdraw()) {
      pool.runInstead(stack(this.#offered))
      this.#offered = []
    }
    for (let idleCount = pool.idleCount; this.#queue.size > 0 && idleCount > 0; idleCount--) {
      if (idleCount === 1 && this.#isLastKeptFree()) break
      const batch = this.#queue.takeBatch(this.#sentencesOfOneBatch(), maxBatchTokens, this.#state)
      void this.#run(batch, pool.run(stack(batch)))
    }
    if (pool.idleCount === 0) this.#offerNext()
  }

  /**
   * Maximum number of sentences of a batch now: a worker's share of all running and waiting sentences, or a part of
   * that share. Two sentences are done sooner on two workers than in one batch, and a worker that takes more than its
   * share leaves another one idle.
   */
  #sentencesOfOneBatch(): number {
    const { pool, maxBatchSentences, batchesPerShare = 1 } = this.#options
    const all = pool.runningSentenceCount + this.#offered.length + this.#queue.size
    return Math.min(Math.ceil(all / (pool.liveCount * batchesPerShare)), maxBatchSentences)
  }

  /**
   * Offers the next batch, or adds to the offered one. It offers no batch while only bulk work waits: an interactive
   * call that arrives meanwhile would have to wait for it.
   */
  #offerNext(): void {
    const { pool, maxBatchTokens } = this.#options
    if (this.#queue.isAllBulk) return
    const most = this.#sentencesOfOneBatch()
    if (!pool.hasOffer) {
      this.#offered = this.#queue.takeBatch(most, maxBatchTokens, this.#state)
      void this.#run(this.#offered, pool.offer(stack(this.#offered)))
    } else if (this.#offered.length < most && pool.withdraw()) {
      const room = maxBatchTokens - tokenCountOf(this.#offered)
      const addedTo = this.#offered[0]?.lane ?? 'interactive'
      this.#offered.push(...this.#queue.takeBatch(most - this.#offered.length, room, { addedTo }))
      pool.offerAgain(stack(this.#offered))
    }
  }

  /**
   * Whether the last free worker is kept for interactive calls. A running batch cannot be stopped: with bulk work on
   * all workers, an interactive call would wait for one to end. The next batch that ends on another worker checks this
   * again.
   */
  #isLastKeptFree(): boolean {
    const { liveCount } = this.#options.pool
    return liveCount > 1 && this.#queue.isAllBulk && performance.now() - this.#lastInteractiveMs < KEPT_FREE_MS
  }

  get #state(): { readonly isBulkRunning: boolean } {
    return { isBulkRunning: this.#runningBulkCount > 0 }
  }

  /** Settles when nothing waits and nothing is computed. */
  async whenIdle(): Promise<void> {
    if (this.#queue.size + this.#runningCount === 0) return
    this.#whenIdle ??= Promise.withResolvers<void>()
    await this.#whenIdle.promise
  }

  #admit(
    sentences: readonly SentenceRequest[],
    admission: Admission,
    callerKey: string,
    deadlineMs: number | undefined
  ): void {
    const seen = new Set<string>()
    let tokenCount = 0
    for (const { ids, coalesceKey } of sentences) {
      if (coalesceKey !== undefined && (seen.has(coalesceKey) || this.#coalescing.has(coalesceKey))) continue
      if (coalesceKey !== undefined) seen.add(coalesceKey)
      tokenCount += ids.length
    }
    if (tokenCount > 0) this.#orTellRefusal(() => admission.admit(callerKey, tokenCount, deadlineMs))
  }

  #orTellRefusal(admit: () => void): void {
    try {
      admit()
    } catch (error) {
      this.#options.observer?.refused?.()
      throw error
    }
  }

  #join({ ids, coalesceKey }: SentenceRequest, waiter: Waiter, lane: Lane, callerKey: string): PendingSentence {
    const other = coalesceKey === undefined ? undefined : this.#coalescing.get(coalesceKey)
    if (other !== undefined) {
      other.waiters.add(waiter)
      this.#options.observer?.coalesced?.()
      return lane === 'interactive' && other.lane === 'bulk' ? this.#hurry(other) : other
    }
    const waiters = new Set([waiter])
    const admission = this.#options.admission[lane]
    const enqueuedMs = performance.now()
    const pending: PendingSentence = { ids, coalesceKey, lane, callerKey, enqueuedMs, waiters, admission }
    if (coalesceKey !== undefined) this.#coalescing.set(coalesceKey, pending)
    this.#queue.add(pending)
    return pending
  }

  /** Moves a bulk sentence that an interactive call waits for to the interactive lane, unless it is being computed. */
  #hurry(pending: PendingSentence): PendingSentence {
    if (!this.#queue.remove(pending)) return pending
    const hurried: PendingSentence = { ...pending, lane: 'interactive' }
    if (pending.coalesceKey !== undefined) this.#coalescing.set(pending.coalesceKey, hurried)
    this.#queue.add(hurried)
    return hurried
  }

  /** @param batch the sentences; while the batch is only offered, it may grow and shrink */
  async #run(batch: readonly PendingSentence[], computing: Promise<BatchResult>): Promise<void> {
    this.#runningCount += 1
    const isBulk = batch[0]?.lane === 'bulk'
    if (isBulk) this.#runningBulkCount += 1
    const { observer } = this.#options
    try {
      const result = await computing
      if (batch.length === 0) return
      const tokenCount = tokenCountOf(batch)
      for (const { enqueuedMs } of batch) observer?.sentenceQueued?.(Math.max(result.startMs - enqueuedMs, 0))
      observer?.batch?.(batch.length, tokenCount, result.inferenceMs)
      for (const admission of new Set(batch.map((pending) => pending.admission))) admission.observeDrain(tokenCount)
      batch.forEach((pending, row) => this.#deliver(pending, result, row))
    } catch (error) {
      for (const pending of batch) for (const { call } of pending.waiters) this.#abandon(call, error)
    } finally {
      for (const pending of batch) this.#forget(pending)
      this.#runningCount -= 1
      if (isBulk) this.#runningBulkCount -= 1
      this.#checkIdle()
    }
  }

  #deliver(pending: PendingSentence, result: BatchResult, row: number): void {
    const { dimensions } = this.#options
    const embedding = result.values.subarray(row * dimensions, (row + 1) * dimensions)
    for (const { call, row: callRow } of pending.waiters) {
      call.values.set(embedding, callRow * dimensions)
      call.queueMs = Math.max(call.queueMs, result.startMs - call.startMs)
      call.inferenceMs = result.inferenceMs
      call.missingCount -= 1
      if (call.missingCount > 0 || call.isOver) continue
      call.isOver = true
      call.settled.resolve({ values: call.values, queueMs: call.queueMs, inferenceMs: call.inferenceMs })
    }
  }

  /** Ends a call early; sentences that only it waited for and that are not being computed leave the queue. */
  #abandon(call: Call, reason: unknown): void {
    if (call.isOver) return
    call.isOver = true
    call.settled.reject(reason)
    for (const pending of new Set(call.sentences)) {
      // The sentence may have changed lanes since then: look for the one that waits now.
      const current = (pending.coalesceKey !== undefined && this.#coalescing.get(pending.coalesceKey)) || pending
      for (const waiter of current.waiters) if (waiter.call === call) current.waiters.delete(waiter)
      if (current.waiters.size > 0 || !(this.#queue.remove(current) || this.#takeBack(current))) continue
      this.#forget(current)
      this.#options.observer?.abandoned?.()
    }
    this.#checkIdle()
  }

  /** Takes a sentence out of the offered batch; false when it is not in it, or a worker has taken the batch. */
  #takeBack(pending: PendingSentence): boolean {
    const { pool } = this.#options
    const index = this.#offered.indexOf(pending)
    if (index === -1 || !pool.withdraw()) return false
    this.#offered.splice(index, 1)
    pool.offerAgain(stack(this.#offered))
    return true
  }

  #checkIdle(): void {
    if (this.#queue.size + this.#runningCount > 0) return
    this.#whenIdle?.resolve()
    this.#whenIdle = undefined
  }

  #forget(pending: PendingSentence): void {
    if (pending.coalesceKey !== undefined && this.#coalescing.get(pending.coalesceKey)?.waiters === pending.waiters) {
      this.#coalescing.delete(pending.coalesceKey)
    }
    pending.admission.release(pending.callerKey, pending.ids.length)
  }
}
