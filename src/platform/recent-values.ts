/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { LRUCache } from 'lru-cache'

/** How long another process's change may go unnoticed. Without the cache, each question would cost two reads of the table. */
const MAX_AGE_MS = 1000
const MAX_VALUES = 10_000

/** Cache, for a second, of values of the table that every question needs; concurrent callers share one read. */
export class RecentValues<T> {
  readonly #values: LRUCache<string, { readonly value: T | undefined }>

  /** @param monotonicMs the clock for the age of values */
  constructor(read: (key: string) => Promise<T | undefined>, monotonicMs: () => number = () => performance.now()) {
    this.#values = new LRUCache({
      max: MAX_VALUES,
      ttl: MAX_AGE_MS,
      ttlResolution: 0,
      perf: { now: monotonicMs },
      // A caller that waits for a value when it is forgotten still gets it.
      ignoreFetchAbort: true,
      fetchMethod: async (key): Promise<{ readonly value: T | undefined }> => ({ value: await read(key) })
    })
  }

  async get(key: string): Promise<T | undefined> {
    const found = await this.#values.fetch(key)
    return found?.value
  }

  /** Removes a value, after this process has changed it. */
  forget(key: string): void {
    this.#values.delete(key)
  }
}
