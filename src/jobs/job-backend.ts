/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'
import type { FailedTry, Job, NewJob } from './job.ts'
import type { Failure, JobStatus } from './job-status.ts'
import type { Payload } from './payload.ts'

/** A wall clock and a monotonic clock; only the monotonic one never jumps. */
export interface Clock {
  /** Milliseconds since 1970, for times that people and other machines read. */
  wallMs(): number
  /** Milliseconds since a fixed moment of this process, for durations. */
  monotonicMs(): number
}

/** The machine's own clocks. */
export const SYSTEM_CLOCK: Clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() }

/**
 * The right to work on a job and to write its outcome.
 * The token (a fencing token) grows each time the job is handed out. A write with an older token is refused, so a worker
 * that was presumed dead cannot overwrite what its successor wrote.
 */
export interface Lease {
  readonly jobId: string
  readonly token: number
  /** How long the holder may be silent. */
  readonly leaseMs: number
  /** Identifies the queue's message; only the backend that gave the lease reads it. */
  readonly receipt?: string
}

/** A job handed to one worker. */
export interface Claim {
  readonly job: Job
  readonly input: Payload
  readonly lease: Lease
}

/** Which jobs a worker takes. */
export interface ClaimRequest {
  readonly types: readonly string[]
  /** The most jobs to take. */
  readonly limit: number
  /** A job whose lease is not extended for this long goes to another worker. */
  readonly leaseMs: number
  /** How long to wait for a first job; 0 asks once. */
  readonly waitMs: number
  /** Ends the wait; what was claimed by then is still returned. */
  readonly signal?: AbortSignal
}

/** Whether the writer still held the job; `lost` means that nothing was written. */
export type LeaseOutcome = 'held' | 'lost'

/** Outcome of enqueuing a job; `conflict`: its idempotency key belongs to a job with other content. */
export type Enqueued =
  | { readonly outcome: 'added' | 'existing'; readonly job: Job }
  | { readonly outcome: 'conflict'; readonly jobId: string }

/** Outcome of an operator's request; `refused`: the job is in a state that does not allow it. */
export type Changed = { readonly outcome: 'changed' | 'refused'; readonly job: Job } | { readonly outcome: 'missing' }

/** A page of jobs, newest first. */
export interface JobPage {
  /** May be fewer than were asked for, even none, when many jobs did not match. */
  readonly jobs: readonly Job[]
  /** Cursor of the next page; `undefined` on the last page. */
  readonly next: string | undefined
}

/** Which dead letters to list. */
export interface DeadLetterQuery {
  readonly limit: number
  /** Only this owner's jobs. @default everyone's */
  readonly owner?: string
  /** Only jobs of this type. @default all */
  readonly type?: string
  /** `next` of the previous page. */
  readonly after?: string
}

/** A job's status, or why it failed. */
export type ListedStatus = JobStatus | Failure

/** Which jobs to list. */
export interface JobQuery extends DeadLetterQuery {
  /** @default any */
  readonly status?: ListedStatus
}

/** Whether a job matches a query, whether or not its retention is over. */
export function isListed(job: Job, { owner, type, status }: Omit<JobQuery, 'limit' | 'after'>): boolean {
  return (
    (owner === undefined || job.owner === owner) &&
    (type === undefined || job.type === type) &&
    (status === undefined || job.status === status || job.failure === status)
  )
}

/** Makes the error for an `after` that is not the `next` of a page. */
export function noCursor(): ServiceError {
  return new ServiceError('INVALID_REQUEST', 'Cannot list jobs: the cursor is not the `next` of a page', {
    fields: { cursor: ['not the end of a page'] }
  })
}

/** Number of jobs in the queue, by state. */
export interface Backlog {
  readonly queuedCount: number
  readonly inProgressCount: number
  readonly deadCount: number
}

/** Free and reserved space on the disk that jobs are kept on. */
export interface JobRoom {
  /** Bytes that the jobs' file may still grow by, plus the bytes that are free within it. */
  readonly freeBytes: number
  /** Bytes reserved for the jobs that were accepted. */
  readonly reservedBytes: number
  /** Whether new jobs are refused. */
  readonly isFull: boolean
}

/** Outcome of a sweep. */
export interface Swept {
  /** Jobs taken back from workers whose lease expired. */
  readonly expiredLeaseCount: number
  /** Ended jobs deleted because their retention was over. */
  readonly deletedCount: number
  /** Jobs whose message had been lost and was sent again. */
  readonly resentCount: number
}

/**
 * Keeps jobs and hands them out: at least once each, and with one outcome each.
 *
 * Leases need no common clock. A job counts as abandoned when its heartbeat has not changed for the whole lease, measured
 * by one observer's monotonic clock ({@link LeaseWatch}), so workers whose clocks disagree do not take each other's jobs.
 *
 * A group ({@link NewJob.concurrencyGroup}) has at most one job IN_PROGRESS and at most one QUEUED, in all processes
 * together: a job that waits for its group is not claimed, a newer one supersedes it, and a job that would be requeued
 * while a newer one waits ends as CANCELLED.
 * Every method throws ServiceError UNAVAILABLE when the store cannot be reached or written; then nothing was done, or,
 * across a network, perhaps done: repeating the call is safe.
 */
export interface JobBackend {
  /** Stores a job. Once the promise resolves, the job survives a crash or power loss (except in memory). */
  enqueue(job: NewJob): Promise<Enqueued>
  find(id: string): Promise<Job | undefined>
  /** The result of a job with status SUCCESS. */
  result(id: string): Promise<Payload | undefined>
  /**
   * A page of jobs, the last enqueued first. Of dead letters alone, a shared table lists the last to die first.
   * @throws {ServiceError} INVALID_REQUEST for an `after` that is not the `next` of a page
   */
  list(query: JobQuery): Promise<JobPage>
  deadLetters(query: DeadLetterQuery): Promise<JobPage>

  /** Hands out jobs, interactive before bulk; every eighth call looks at bulk first, so that it is never starved. */
  claim(request: ClaimRequest): Promise<readonly Claim[]>
  /** The worker's heartbeat, which extends the lease. `progress`, from 0 to 1, is written with it. */
  extend(lease: Lease, progress?: number): Promise<LeaseOutcome>
  finish(lease: Lease, result: Payload): Promise<LeaseOutcome>
  /** Records a failed try: the job is requeued with a backoff, or ends (see `afterFailure`). */
  fail(lease: Lease, failed: FailedTry): Promise<LeaseOutcome>
  /** Requeues a job at once for other workers; the try does not count. */
  release(lease: Lease): Promise<LeaseOutcome>

  /** Cancels a job that has not ended; a worker on it notices at its next heartbeat. */
  cancel(id: string): Promise<Changed>
  /** Requeues a job that failed for good, as if it were new; refused while another job of its group waits. */
  redrive(id: string): Promise<Changed>
  /** Returns the job once it has ended or the time is over; `undefined` when there is no such job. */
  waitUntilEnded(id: string, timeoutMs: number, signal?: AbortSignal): Promise<Job | undefined>

  /** Takes jobs back from silent workers and deletes jobs whose retention is over. Any number of processes may do it. */
  sweep(): Promise<Swept>
  backlog(): Promise<Backlog>
  /** Space for new jobs; `undefined` for a backend without a disk that can fill up. */
  room(): Promise<JobRoom | undefined>
  /** Records that a worker is alive for the next `ttlMs`. @returns how many are alive, this one included */
  checkIn(workerId: string, ttlMs: number): Promise<number>
  close(): Promise<void>
}
