/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { TokenBatch } from './token-batch.ts'

const STATE = 0
const SENTENCE_COUNT = 1
const LENGTHS = 2

const EMPTY = 0
const READY = 1
/** `TAKEN + workerIndex`: the worker of this index has taken the batch. */
const TAKEN = 2

/**
 * A slot in shared memory for the next batch. The main thread fills it while all workers compute; the first worker that
 * is done takes the batch at once, whatever the main thread is doing.
 *
 * Only the main thread writes a batch, and only while the slot is empty; only a worker takes one, by one atomic step.
 */
export class BatchSlot {
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #maxSentences: number

  /** @param buffer the buffer of another thread's slot of the same sizes; left out, a new one is made */
  constructor(maxSentences: number, maxTokens: number, buffer?: SharedArrayBuffer) {
    this.#maxSentences = maxSentences
    this.#words = new Int32Array(buffer ?? new SharedArrayBuffer(4 * (LENGTHS + maxSentences + maxTokens)))
  }

  /** The shared memory from which another thread opens this slot. */
  get buffer(): SharedArrayBuffer {
    return this.#words.buffer
  }

  /**
   * Main thread: puts a batch there for a worker to take. The slot must be empty.
   * @throws RangeError when the batch is larger than the slot
   */
  put({ ids, lengths }: TokenBatch): void {
    const start = LENGTHS + this.#maxSentences
    if (lengths.length > this.#maxSentences || ids.length > this.#words.length - start) {
      throw new RangeError(`Cannot offer a batch of ${lengths.length} sentences, ${ids.length} tokens: no room`)
    }
    this.#words[SENTENCE_COUNT] = lengths.length
    this.#words.set(lengths, LENGTHS)
    this.#words.set(ids, start)
    Atomics.store(this.#words, STATE, READY)
  }

  /** Main thread: takes the batch back and leaves the slot empty; false when a worker has it already. */
  withdraw(): boolean {
    return Atomics.compareExchange(this.#words, STATE, READY, EMPTY) === READY
  }

  /** Main thread: whether this worker has taken the batch. */
  isTakenBy(workerIndex: number): boolean {
    return Atomics.load(this.#words, STATE) === TAKEN + workerIndex
  }

  /** Main thread: empties the slot after a worker has reported that it took the batch, or has died. */
  clear(): void {
    Atomics.store(this.#words, STATE, EMPTY)
  }

  /** Worker: the batch that waits, if one does. */
  take(workerIndex: number): TokenBatch | undefined {
    if (Atomics.compareExchange(this.#words, STATE, READY, TAKEN + workerIndex) !== READY) return undefined
    const lengths = [...this.#words.subarray(LENGTHS, LENGTHS + (this.#words[SENTENCE_COUNT] ?? 0))]
    const start = LENGTHS + this.#maxSentences
    const tokenCount = lengths.reduce((sum, length) => sum + length, 0)
    return { ids: new Int32Array(this.#words.subarray(start, start + tokenCount)), lengths }
  }
}
