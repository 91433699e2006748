/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createHash } from 'node:crypto'

import { ServiceError } from '../errors.ts'
import type { TraceHeaders } from '../tracing/span.ts'
import { newJobId } from './job-id.ts'
import type { Failure, JobStatus, Priority } from './job-status.ts'
import { packPayload, type Payload } from './payload.ts'

/** A job as its producer asks for it. */
export interface NewJob {
  /** @default a new UUID of version 7: ids that grow with time keep inserts at the end of the store's index */
  readonly id?: string
  /** Selects the handler. */
  readonly type: string
  readonly input: Payload
  /** Expected size of the result, for which disk space is reserved. @default the size of the input */
  readonly expectedResultBytes?: number
  /** @default 'interactive' */
  readonly priority?: Priority
  /** Whose job it is; idempotency keys are separate for each owner. @default '' */
  readonly owner?: string
  /** With the same key and owner, equal content gives the same job, and other content is a conflict. */
  readonly idempotencyKey?: string
  /** Where a signed notice goes once the job has ended. */
  readonly callbackUrl?: string
  /** Short values that the job's status shows and access rules read, such as the mentor of a training. */
  readonly labels?: Readonly<Record<string, string>>
  /**
   * At most one job of a group is IN_PROGRESS and at most one QUEUED, across all processes. A new job supersedes the one
   * that waits.
   * @default no group
   */
  readonly concurrencyGroup?: string
}

/** A job as its store knows it; times are milliseconds since 1970. */
export interface Job {
  readonly id: string
  readonly type: string
  readonly priority: Priority
  readonly owner: string
  readonly labels: Readonly<Record<string, string>>
  readonly callbackUrl: string | undefined
  readonly concurrencyGroup: string | undefined
  readonly status: JobStatus
  readonly failure: Failure | undefined
  /** How often the job was claimed since it was enqueued or last redriven; claims that ended in a release do not count. */
  readonly attempts: number
  /** From 0 to 1, as last reported by its handler. */
  readonly progress: number
  /** Error message of the last failed try. */
  readonly lastError: string | undefined
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /** A QUEUED job is not handed out before this time. */
  readonly runAtMs: number
}

/** Retry limits, backoff and retention of jobs. */
export interface JobPolicy {
  /** A job that fails after being handed out this often becomes a dead letter. */
  readonly maxReceives: number
  /** Upper bound of the backoff after the first failed try; it doubles with every try. */
  readonly retryBaseMs: number
  /** Upper bound of any backoff. At most 15 minutes, the longest delay of an SQS message. */
  readonly retryMaxMs: number
  /** How long a job that has ended, and its result, can be read. */
  readonly retentionMs: number
}

/** 5 receives, waits of up to 1 s, 2 s, 4 s and 8 s, results for 20 days. */
export const DEFAULT_JOB_POLICY: JobPolicy = {
  maxReceives: 5,
  retryBaseMs: 1000,
  retryMaxMs: 15 * 60_000,
  retentionMs: 20 * 24 * 60 * 60_000
}

/** Longest possible backoff. A job due later than this was queued while the clock was wrong, and counts as due now. */
export const LONGEST_DELAY_MS = 15 * 60_000

/** Retry limits while a service that the job needs is unavailable: some days of tries, at most 5 minutes apart. */
const AWAY_POLICY = { maxReceives: 2000, retryMaxMs: 5 * 60_000 } as const

/** Type of the jobs that deliver notices to a `callbackUrl`. */
export const WEBHOOK_JOB_TYPE = 'webhook'

const MAX_ERROR_CHARACTERS = 2000

/** A try that failed. */
export interface FailedTry {
  readonly message: string
  /** Whether a retry is pointless. */
  readonly isPermanent: boolean
  /** Whether it failed only because another service is unavailable. @default false */
  readonly isAway?: boolean
}

/** Outcome for a job whose try failed. */
export type AfterFailure =
  | { readonly status: 'QUEUED'; readonly delayMs: number }
  | { readonly status: 'FAILURE'; readonly failure: 'PERMANENT' | 'DEAD' }

/**
 * Decides whether a failed job is retried, and after which backoff.
 * The backoff is uniform from 0 to `retryBaseMs · 2^(attempts − 1)`, at most `retryMaxMs` ("full jitter"): jobs that failed
 * together are not retried together. Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
 *
 * @param attempts how often the job was handed out, this time included
 * @param random from 0 (included) to 1 (excluded)
 */
export function afterFailure(
  attempts: number,
  { isPermanent, isAway = false }: Pick<FailedTry, 'isPermanent' | 'isAway'>,
  policy: JobPolicy,
  random: number
): AfterFailure {
  if (isPermanent) return { status: 'FAILURE', failure: 'PERMANENT' }
  const { maxReceives, retryMaxMs } = isAway ? AWAY_POLICY : policy
  if (attempts >= maxReceives) return { status: 'FAILURE', failure: 'DEAD' }
  const boundMs = Math.min(retryMaxMs, policy.retryBaseMs * 2 ** (attempts - 1))
  return { status: 'QUEUED', delayMs: Math.floor(random * boundMs) }
}

/** Thrown by a handler when no retry can succeed: the job fails at once. */
export class PermanentJobError extends Error {
  override readonly name = 'PermanentJobError'
}

/** Thrown by a handler when a service that the job needs is unavailable: the job is retried for days, longer than other jobs. */
export class ServiceAwayError extends Error {
  override readonly name = 'ServiceAwayError'
}

/** Whether a retry is pointless: the handler said so, or the input is at fault (a status below 500, but not `TOO_MANY_REQUESTS`). */
export function isPermanentError(error: unknown): boolean {
  if (error instanceof PermanentJobError) return true
  return error instanceof ServiceError && error.statusCode < 500 && error.code !== 'TOO_MANY_REQUESTS'
}

/** Describes a failed try by the error that its handler threw. */
export function failedTry(error: unknown): FailedTry {
  return {
    message: errorText(error),
    isPermanent: isPermanentError(error),
    isAway: error instanceof ServiceAwayError
  }
}

/** The message of an error, cut to the length that a job stores. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.slice(0, MAX_ERROR_CHARACTERS)
}

/** SHA-256 of what a job asks for: equal for equal type, input and callback. */
export function fingerprintOf(job: NewJob): string {
  const hash = createHash('sha256')
  hash.update(JSON.stringify([job.type, job.input.contentType, job.callbackUrl ?? null]))
  hash.update(job.input.bytes)
  return hash.digest('base64url')
}

/** Last error of a job whose worker fell silent. */
export const LEASE_LOST_TEXT = 'The worker fell silent before the job was done'

/**
 * Name of a label. Its value is the type of a job that is enqueued when the labelled job ends without its handler: it was
 * cancelled, or its last worker fell silent. That job's input is an {@link UnseenEnd}. Without effect beside a `callbackUrl`.
 */
export const UNSEEN_END_LABEL = 'unseenEnd'

/** A job that ended without its handler. */
export interface UnseenEnd {
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
}

/** Last error of a job that a newer one of its group superseded (shown to callers). */
export const SUPERSEDED_TEXT = 'A newer request took its place'

/** Makes a new job in its first state. */
export function queuedJob(job: NewJob, nowMs: number): Job {
  return {
    id: job.id ?? newJobId(),
    type: job.type,
    priority: job.priority ?? 'interactive',
    owner: job.owner ?? '',
    labels: job.labels ?? {},
    callbackUrl: job.callbackUrl,
    concurrencyGroup: job.concurrencyGroup,
    status: 'QUEUED',
    failure: undefined,
    attempts: 0,
    progress: 0,
    lastError: undefined,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    runAtMs: nowMs
  }
}

/** Whether a job has ended: it changes no more unless someone redrives it. */
export function isEnded(job: Job): boolean {
  return job.status === 'SUCCESS' || job.status === 'FAILURE'
}

/**
 * Which lane a claim looks at first: interactive, but bulk at every eighth call, so that it is never starved.
 * @param claimNumber counts the calls of one backend, from 1
 */
export function firstLane(claimNumber: number): Priority {
  return claimNumber % 8 === 0 ? 'bulk' : 'interactive'
}

/** The job that announces another one's end, to its `callbackUrl` or else as its {@link UNSEEN_END_LABEL} asks. */
export function noticeOf(job: Job): NewJob | undefined {
  if (job.callbackUrl === undefined) return unseenEndOf(job)
  const input = { url: job.callbackUrl, id: job.id, type: job.type, status: job.status, failure: job.failure ?? null }
  return { type: WEBHOOK_JOB_TYPE, owner: job.owner, input: packPayload(input), labels: traceOf(job.labels) }
}

/**
 * The trace headers of the request that enqueued a job, from its labels; the process that does the job continues the trace.
 * Empty when the job was enqueued outside of a trace.
 */
export function traceOf({ traceparent, tracestate }: Job['labels']): TraceHeaders & Job['labels'] {
  return { ...(traceparent !== undefined && { traceparent }), ...(tracestate !== undefined && { tracestate }) }
}

function unseenEndOf({ id, owner, labels, failure, lastError }: Job): NewJob | undefined {
  const type = labels[UNSEEN_END_LABEL]
  const isUnseen = failure === 'CANCELLED' || (failure === 'DEAD' && lastError === LEASE_LOST_TEXT)
  if (type === undefined || !isUnseen) return undefined
  const input: UnseenEnd = { id, labels }
  return { type, owner, input: packPayload(input), labels: traceOf(labels) }
}
