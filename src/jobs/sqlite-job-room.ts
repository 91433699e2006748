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

/** Path and size limits of the jobs' file. */
export interface SqliteJobRoomOptions {
  readonly path: string
  /** Maximum size of the file; when it is reached, new jobs are refused. @default as large as SQLite allows */
  readonly maxBytes?: number
  /** Bytes kept free for accepted jobs, beyond the expected size of their results. @default 0 */
  readonly reserveBytes?: number
}

/** A measurement is reused for this long, since summing up the expected results of a long queue takes some milliseconds. */
const MAX_ROOM_AGE_MS = 250
/** About how long it takes until running jobs, or an operator, have made space. */
const RETRY_AFTER_SECONDS = 30

/**
 * Space for jobs in a SQLite file. It is checked before a job is accepted, so that every accepted job can be done and does
 * not get stuck on a disk that the inputs of other jobs have filled.
 */
export class SqliteJobRoom {
  readonly #file: SqliteFile
  readonly #path: string
  readonly #maxBytes: number
  readonly #reserveBytes: number
  /** Bytes free for new jobs at the last measurement, less those taken since. */
  #freeBytes = 0
  #freeAtMs = Number.NaN

  constructor(file: SqliteFile, { path, maxBytes, reserveBytes = 0 }: SqliteJobRoomOptions) {
    this.#file = file
    this.#path = path
    this.#maxBytes = maxBytes ?? Number.POSITIVE_INFINITY
    this.#reserveBytes = reserveBytes
    // SQLite does not set max_page_count below the present page count, so a larger existing file works but stops growing.
    if (maxBytes !== undefined) file.pragma('max_page_count', Math.floor(maxBytes / file.pragma('page_size')))
  }

  /** Measures the free and the reserved bytes. */
  measure(): JobRoom {
    const pageBytes = this.#file.pragma('page_size')
    const { bavail, bsize } = statfsSync(dirname(this.#path))
    const fileBytes = this.#file.pragma('page_count') * pageBytes
    // SQLite reuses free pages of the file before it grows.
    const growthBytes = Math.max(0, Math.min(bavail * bsize, this.#maxBytes - fileBytes))
    const freeBytes = growthBytes + this.#file.pragma('freelist_count') * pageBytes
    const expected = this.#file.get(
      `SELECT coalesce(sum(expected_bytes), 0) AS bytes FROM jobs WHERE status IN ('QUEUED', 'IN_PROGRESS')`
    )
    const reservedBytes = this.#reserveBytes + numberIn(expected ?? {}, 'bytes')
    return { freeBytes, reservedBytes, isFull: freeBytes <= reservedBytes }
  }

  /** Reserves the space of a new job. @throws {ServiceError} UNAVAILABLE when there is not enough */
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

  /** Makes the next job measure anew, for instance after a rollback freed what was taken. */
  forget(): void {
    this.#freeAtMs = Number.NaN
  }
}

/** Bytes that a job's result is expected to take. */
export function expectedResultBytesOf({ input, expectedResultBytes }: NewJob): number {
  return Math.ceil(expectedResultBytes ?? input.bytes.byteLength)
}
