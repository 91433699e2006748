/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { randomUUIDv7 } from 'node:crypto'

import type { AnswerRecord } from './answer-record.ts'

/** A record that is to be written. */
export interface GatheredAnswer extends AnswerRecord {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly askedAtMs: number
}

/** How long records gather before they are written together: so long a crash may take them away. */
const GATHER_MS = 100
/** Records that a store which has fallen behind is behind with at most; more are lost. */
const MAX_GATHERED = 10_000

/** Gathers records, so that no answer waits for one to be written. */
export class AnswerGatherer {
  readonly #write: (records: readonly GatheredAnswer[]) => Promise<void>
  readonly #onError: (error: unknown) => void
  #gathered: GatheredAnswer[] = []
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  #isBehind = false

  /** @param onError told when records could not be written; they are lost then */
  constructor(write: (records: readonly GatheredAnswer[]) => Promise<void>, onError: (error: unknown) => void) {
    this.#write = write
    this.#onError = onError
  }

  /** @returns id of the record */
  add(answer: AnswerRecord): string {
    const id = randomUUIDv7()
    if (this.#gathered.length < MAX_GATHERED) this.#gathered.push({ ...answer, id, askedAtMs: Date.now() })
    else this.#tellBehind()
    this.#timer ??= setTimeout(() => void this.flush(), GATHER_MS)
    return id
  }

  /** Writes what has gathered. */
  async flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#writeGathered())
    await this.#writing
  }

  async #writeGathered(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const records = this.#gathered
    this.#gathered = []
    this.#isBehind = false
    if (records.length === 0) return
    try {
      await this.#write(records)
    } catch (error) {
      this.#onError(error)
    }
  }

  #tellBehind(): void {
    if (this.#isBehind) return
    this.#isBehind = true
    this.#onError(new Error(`The store is behind with ${MAX_GATHERED} records`))
  }
}
