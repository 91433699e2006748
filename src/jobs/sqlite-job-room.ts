/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'

import { ServiceError } from '../errors.ts'
import type { SqliteFile } from '../storage/sqlite-file.ts'
import { numberIn } from '../storage/stored-record.ts'
import type { NewJob } from './job.ts'
import type { JobRoom } from './job-backend.ts'

/** Where the file lies and what it may take. */
export interface SqliteJobRoomOptions {
  readonly path: string
  /** The file grows no further: then jobs are refused. @default as large as SQLite allows */
  readonly maxBytes?: number
  /** Room that new jobs leave for what those before them need, beside what their results are expected to take. @default 0 */
  readonly reserveBytes?: number
}

/** Room is measured anew after this time: to sum up what a long queue expects takes some milliseconds. */
const MAX_ROOM_AGE_MS = 250
/** About how long the jobs at work take to make room, or an operator. */
const RETRY_AFTER_SECONDS = 30

/**
 * Room for jobs in a SQLite file. It is checked before a job is taken: one that was accepted can then be done, and is not
 * stuck on a disk that the inputs of others have filled.
 */
export class SqliteJobRoom {
  readonly #file: SqliteFile
  readonly #path: string
  readonly #maxBytes: number
  readonly #reserveBytes: number
  /** Room for new jobs, as it was lately, less what was taken since. */
  #freeBytes = 0
  #freeAtMs = Number.NaN

  constructor(file: SqliteFile, { path, maxBytes, reserveBytes = 0 }: SqliteJobRoomOptions) {
    this.#file = file
    this.#path = path
    this.#maxBytes = maxBytes ?? Number.POSITIVE_INFINITY
    this.#reserveBytes = reserveBytes
    // A page count is refused below the present one, so an existing larger file keeps working and stops growing.
    if (maxBytes !== undefined) file.pragma('max_page_count', Math.floor(maxBytes / file.pragma('page_size')))
  }

  /** What is free for new jobs. */
  measure(): JobRoom {
    const pageBytes = this.#file.pragma('page_size')
    const { bavail, bsize } = statfsSync(dirname(this.#path))
    const fileBytes = this.#file.pragma('page_count') * pageBytes
    // Pages that are free in the file are written again before it grows.
    const growthBytes = Math.max(0, Math.min(bavail * bsize, this.#maxBytes - fileBytes))
    const freeBytes = growthBytes + this.#file.pragma('freelist_count') * pageBytes
    const expected = this.#file.get(
      `SELECT coalesce(sum(expected_bytes), 0) AS bytes FROM jobs WHERE status IN ('QUEUED', 'IN_PROGRESS')`
    )
    const reservedBytes = this.#reserveBytes + numberIn(expected ?? {}, 'bytes')
    return { freeBytes, reservedBytes, isFull: freeBytes <= reservedBytes }
  }

  /** Takes the room of a new job. @throws {ServiceError} UNAVAILABLE when there is none */
  take(job: NewJob, monotonicMs: number): void {
    const age = monotonicMs - this.#freeAtMs
    if (!(age >= 0 && age < MAX_ROOM_AGE_MS)) {
      const { freeBytes, reservedBytes } = this.measure()
      this.#freeBytes = freeBytes - reservedBytes
      this.#freeAtMs = monotonicMs
    }
    const neededBytes = job.input.bytes.byteLength + expectedResultBytesOf(job)
    if (this.#freeBytes >= neededBytes) {
      this.#freeBytes -= neededBytes
      return
    }
    const found = 'what is free on the disk is kept for the results of those accepted'
    throw new ServiceError('UNAVAILABLE', `Cannot accept the job: ${found}`, { retryAfterSeconds: RETRY_AFTER_SECONDS })
  }

  /** Measures anew at the next job, for instance since what was taken was given back. */
  forget(): void {
    this.#freeAtMs = Number.NaN
  }
}

/** Bytes that a job's result is expected to take. */
export function expectedResultBytesOf({ input, expectedResultBytes }: NewJob): number {
  return Math.ceil(expectedResultBytes ?? input.bytes.byteLength)
}
