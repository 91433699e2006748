/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { randomUUIDv7 } from 'node:crypto'

import type { AnswerRecord } from './answer-record.ts'

/** A record that waits to be written. */
export interface BufferedAnswer extends AnswerRecord {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly askedAtMs: number
}

/** How long the buffer collects records before it writes them together: a crash can lose that much. */
const FLUSH_DELAY_MS = 100
/** Delay after a failed write. */
const RETRY_DELAY_MS = 5000
/** Maximum number of unwritten records; beyond it new ones are dropped. */
export const MAX_UNWRITTEN = 10_000

/**
 * Writes records in batches, so that no answer waits for the store. While the store is unavailable, records are kept and
 * written again later.
 */
export class AnswerWriteBuffer {
  readonly #write: (records: readonly BufferedAnswer[]) => Promise<void>
  readonly #onError: (error: unknown) => void
  #unwritten: BufferedAnswer[] = []
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  #isBehind = false

  /**
   * @param write writes records; writing one twice must be as writing it once, unless a failed call has written none
   * @param onError called when records could not be written yet, or were dropped
   */
  constructor(write: (records: readonly BufferedAnswer[]) => Promise<void>, onError: (error: unknown) => void) {
    this.#write = write
    this.#onError = onError
  }

  /** @returns id of the record */
  add(answer: AnswerRecord): string {
    const id = randomUUIDv7()
    if (this.#unwritten.length < MAX_UNWRITTEN) this.#unwritten.push({ ...answer, id, askedAtMs: Date.now() })
    else this.#tellBehind()
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_DELAY_MS)
    return id
  }

  /** Writes all records of the buffer; those that cannot be written stay in it. */
  async flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#writeAll())
    await this.#writing
  }

  async #writeAll(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const records = this.#unwritten
    this.#unwritten = []
    if (records.length === 0) return
    try {
      await this.#write(records)
      this.#isBehind = false
    } catch (error) {
      this.#onError(error)
      const kept = [...records, ...this.#unwritten]
      if (kept.length > MAX_UNWRITTEN) this.#tellBehind()
      this.#unwritten = kept.slice(0, MAX_UNWRITTEN)
      clearTimeout(this.#timer)
      // A process that ends does not wait for it: it has called flush() then.
      this.#timer = setTimeout(() => void this.flush(), RETRY_DELAY_MS).unref()
    }
  }

  #tellBehind(): void {
    if (this.#isBehind) return
    this.#isBehind = true
    this.#onError(new Error(`The store is behind with ${MAX_UNWRITTEN} records`))
  }
}
