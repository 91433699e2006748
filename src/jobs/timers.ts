/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { setTimeout } from 'node:timers/promises'

/** Waiting and measuring time, replaceable in tests. */
export interface Timers {
  /** Milliseconds since a fixed moment of this process. */
  monotonicMs(): number
  /** Resolves after a time, or as soon as the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** The timers of Node.js. */
export const SYSTEM_TIMERS: Timers = {
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    await setTimeout(ms, undefined, signal && { signal }).catch(() => undefined)
  }
}
