/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** State of a job. The `failure` of a failed job says why it is not retried. */
export type JobStatus = (typeof JOB_STATUSES)[number]

/** Every {@link JobStatus}. */
export const JOB_STATUSES = ['QUEUED', 'IN_PROGRESS', 'SUCCESS', 'FAILURE'] as const

/**
 * Why a job ended without a result: its input can never work (`PERMANENT`), its tries were used up (`DEAD`, a dead letter),
 * or it was cancelled or superseded (`CANCELLED`).
 */
export type Failure = (typeof FAILURES)[number]

/** Every {@link Failure}. */
export const FAILURES = ['PERMANENT', 'DEAD', 'CANCELLED'] as const

/** Whether a word is a {@link Failure}, not a {@link JobStatus}. */
export function isFailure(word: JobStatus | Failure): word is Failure {
  return FAILURES.some((failure) => failure === word)
}

/** Lane of a job: a person waits for it (claimed first), or nobody in particular (claimed after those, but never starved). */
export type Priority = (typeof PRIORITIES)[number]

/** Every {@link Priority}. */
export const PRIORITIES = ['interactive', 'bulk'] as const
