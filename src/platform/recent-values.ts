/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { ServiceError } from '../errors.ts'

/** How long another process's change may go unnoticed. Without the cache, each question would cost two reads of the table. */
const MAX_AGE_MS = 1000
const MAX_VALUES = 10_000
/** How long a question waits for a read while there is an earlier value. */
const PATIENCE_MS = 500
/** How long an earlier value stands in for one that cannot be read. */
const MAX_STALE_MS = 600_000

/** A value, and when it was asked for. */
interface Recent<T> {
  readonly value: T | undefined
  readonly askedAtMs: number
}

/**
 * Cache, for a second, of values of the table that every question needs; concurrent callers share one read. While the table
 * is unavailable, or slow, the last known value stands in for up to ten minutes, so known mentors go on answering.
 */
export class RecentValues<T> {
  readonly #values: LRUCache<string, Recent<T>>

  /** @param monotonicMs the clock for the age of values */
  constructor(read: (key: string) => Promise<T | undefined>, monotonicMs: () => number = () => performance.now()) {
    const readNow = async (key: string): Promise<Recent<T>> => {
      const askedAtMs = monotonicMs()
      return { value: await read(key), askedAtMs }
    }
    this.#values = new LRUCache({
      max: MAX_VALUES,
      ttl: MAX_AGE_MS,
      ttlResolution: 0,
      perf: { now: monotonicMs },
      // A caller that waits for a value when it is forgotten still gets it.
      ignoreFetchAbort: true,
      fetchMethod: async (key, known): Promise<Recent<T>> => {
        const reading = readNow(key)
        if (known === undefined || monotonicMs() - known.askedAtMs > MAX_STALE_MS) return reading
        return insteadOf(reading, known)
      }
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

/** The value that is being read, or the known one when the read is slow or the table unavailable. */
async function insteadOf<T>(reading: Promise<Recent<T>>, known: Recent<T>): Promise<Recent<T>> {
  const timer = new AbortController()
  try {
    const late = sleep(PATIENCE_MS, known, { signal: timer.signal, ref: false })
    return await Promise.race([reading.catch((error: unknown) => knownIfUnavailable(error, known)), late])
  } finally {
    timer.abort()
  }
}

function knownIfUnavailable<T>(error: unknown, known: Recent<T>): Recent<T> {
  if (error instanceof ServiceError && error.code === 'UNAVAILABLE') return known
  throw error
}
