/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** Worker data of the probing thread. */
export interface ProbeOrder {
  readonly url: string
  readonly everyMs: number
  readonly giveUpMs: number
}

/** Results of probing the health of a process. */
export interface HealthSeen {
  readonly probeCount: number
  /** Probes that were not answered 200 in time. */
  readonly failedCount: number
  readonly worstMs: number
  readonly p99Ms: number
}

const EVERY_MS = 100
const GIVE_UP_MS = 30_000

/** Probes the health of a process until its results are read. */
export class HealthWatch {
  readonly #thread: Worker

  private constructor(thread: Worker) {
    this.#thread = thread
  }

  static async start(origin: string): Promise<HealthWatch> {
    const workerData: ProbeOrder = { url: `${origin}/health/live`, everyMs: EVERY_MS, giveUpMs: GIVE_UP_MS }
    const thread = new Worker(new URL('health-probe.ts', import.meta.url), { workerData })
    await once(thread, 'online')
    return new HealthWatch(thread)
  }

  async stop(): Promise<HealthSeen> {
    this.#thread.postMessage('stop')
    const [seen]: HealthSeen[] = await once(this.#thread, 'message')
    assert(seen !== undefined)
    await this.#thread.terminate()
    return seen
  }
}
