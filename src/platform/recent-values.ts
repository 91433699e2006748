/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { LRUCache } from 'lru-cache'

/** So long another process's change may go unnoticed; a question would else cost two reads of the table. */
const MAX_AGE_MS = 1000
const MAX_VALUES = 10_000

/** A value of the table that is asked for with every question: remembered for a second, read once however many ask. */
export class RecentValues<T> {
  readonly #values: LRUCache<string, { readonly value: T | undefined }>

  /** @param monotonicMs the clock by which a value grows old */
  constructor(read: (key: string) => Promise<T | undefined>, monotonicMs: () => number = () => performance.now()) {
    this.#values = new LRUCache({
      max: MAX_VALUES,
      ttl: MAX_AGE_MS,
      ttlResolution: 0,
      perf: { now: monotonicMs },
      // Whoever waits for a value when it is forgotten gets it all the same.
      ignoreFetchAbort: true,
      fetchMethod: async (key): Promise<{ readonly value: T | undefined }> => ({ value: await read(key) })
    })
  }

  async get(key: string): Promise<T | undefined> {
    const found = await this.#values.fetch(key)
    return found?.value
  }

  /** After a change of one's own. */
  forget(key: string): void {
    this.#values.delete(key)
  }
}
