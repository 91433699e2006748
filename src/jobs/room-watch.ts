/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { JobBackend, JobRoom } from './job-backend.ts'
import type { JobLog } from './job-runner.ts'

const EVERY_MS = 5000

/** Checks at regular intervals whether there is space for new jobs; readiness and metrics read the outcome here. */
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

  /** The outcome of the last check; `undefined` before the first, and for a backend without a disk that can fill up. */
  get latest(): JobRoom | undefined {
    return this.#latest
  }

  /** Remarks for the readiness reply. */
  notes(): readonly string[] {
    return this.#latest?.isFull === true
      ? ['new jobs are refused: the disk is full but for what accepted ones need']
      : []
  }

  /** @param everyMs time between two checks */
  start(everyMs = EVERY_MS): void {
    this.#timer ??= setInterval(() => {
      this.#looking = this.look()
    }, everyMs)
    this.#looking = this.look()
  }

  /** Stops checking, after a check that is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
  }

  /** Checks now. */
  async look(): Promise<void> {
    const wasFull = this.#latest?.isFull === true
    try {
      this.#latest = await this.#backend.room()
    } catch (error) {
      this.#log.warn({ err: error }, 'Cannot determine the room for jobs')
    }
    const isFull = this.#latest?.isFull === true
    if (isFull && !wasFull) this.#log.warn({ ...this.#latest }, 'new jobs are refused: there is no room for them')
    if (!isFull && wasFull) this.#log.info({ ...this.#latest }, 'new jobs are accepted again')
  }
}
