/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { JobBackend, JobRoom } from './job-backend.ts'
import type { JobLog } from './job-runner.ts'

const EVERY_MS = 5000

/** Checks at regular times whether there is room for new jobs; readiness and metrics read it here. */
export class RoomWatch {
  readonly #backend: Pick<JobBackend, 'room'>
  readonly #log: Pick<JobLog, 'warn' | 'info'>
  #latest: JobRoom | undefined
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()

  constructor(backend: Pick<JobBackend, 'room'>, log: Pick<JobLog, 'warn' | 'info'>) {
    this.#backend = backend
    this.#log = log
  }

  /** As it was at the last look; `undefined` before it, and where there is no disk that may be full. */
  get latest(): JobRoom | undefined {
    return this.#latest
  }

  /** What readiness says of it. */
  notes(): readonly string[] {
    return this.#latest?.isFull === true
      ? ['new jobs are refused: the disk is full but for what accepted ones need']
      : []
  }

  /** @param everyMs time between two looks */
  start(everyMs = EVERY_MS): void {
    this.#timer ??= setInterval(() => {
      this.#looking = this.look()
    }, everyMs)
    this.#looking = this.look()
  }

  /** Waits for a look under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
  }

  /** Looks, now. */
  async look(): Promise<void> {
    const wasFull = this.#latest?.isFull === true
    try {
      this.#latest = await this.#backend.room()
    } catch (error) {
      this.#log.warn({ err: error }, 'Cannot tell the room for jobs')
    }
    const isFull = this.#latest?.isFull === true
    if (isFull && !wasFull) this.#log.warn({ ...this.#latest }, 'new jobs are refused: there is no room for them')
    if (!isFull && wasFull) this.#log.info({ ...this.#latest }, 'new jobs are taken again')
  }
}
