/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { LRUCache } from 'lru-cache'
import type { NewJob } from './job.ts'
import type { Enqueued, JobBackend } from './job-backend.ts'

/** Most subjects whose latest job is remembered; of a forgotten one an outdated job is done, which only costs time. */
const MAX_SUBJECTS = 10_000

/** Hands in jobs of which only the latest about a subject is worth doing: it calls off the one before that still waits. */
export class LatestOnly {
  readonly #backend: Pick<JobBackend, 'cancel' | 'enqueue' | 'find'>
  readonly #latestIds = new LRUCache<string, string>({ max: MAX_SUBJECTS })

  constructor(backend: Pick<JobBackend, 'cancel' | 'enqueue' | 'find'>) {
    this.#backend = backend
  }

  /** As the backend's own. A job that has begun goes on. */
  async enqueue(subject: string, job: NewJob): Promise<Enqueued> {
    const enqueued = await this.#backend.enqueue(job)
    if (enqueued.outcome !== 'added') return enqueued
    const outdatedId = this.#latestIds.get(subject)
    this.#latestIds.set(subject, enqueued.job.id)
    const outdated = outdatedId === undefined ? undefined : await this.#backend.find(outdatedId)
    if (outdated?.status === 'QUEUED') await this.#backend.cancel(outdated.id)
    return enqueued
  }
}
