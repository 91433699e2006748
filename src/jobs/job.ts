/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createHash } from 'node:crypto'

import { ServiceError } from '../errors.ts'
import type { TraceHeaders } from '../tracing/span.ts'
import { newJobId } from './job-id.ts'
import { packPayload, type Payload } from './payload.ts'

/** Where a job stands. A job that failed says in `failure` why no further try is made. */
export type JobStatus = (typeof JOB_STATUSES)[number]

/** Every {@link JobStatus}. */
export const JOB_STATUSES = ['QUEUED', 'IN_PROGRESS', 'SUCCESS', 'FAILURE'] as const

/**
 * Why a job ended without a result: its input can never work, every try was used up (a dead letter), or someone
 * cancelled it.
 */
export type Failure = (typeof FAILURES)[number]

/** Every {@link Failure}. */
export const FAILURES = ['PERMANENT', 'DEAD', 'CANCELLED'] as const

/** Whether a word says why a job ended, not how it stands. */
export function isFailure(word: JobStatus | Failure): word is Failure {
  return FAILURES.some((failure) => failure === word)
}

/** Who waits for a job: a person (claimed first) or nobody in particular (claimed when there is room, never starved). */
export type Priority = (typeof PRIORITIES)[number]

/** Every {@link Priority}. */
export const PRIORITIES = ['interactive', 'bulk'] as const

/** A job as its producer asks for it. */
export interface NewJob {
  /** @default a new UUID, version 7: ids that grow with time keep the store's index narrow */
  readonly id?: string
  /** Which handler does it. */
  readonly type: string
  readonly input: Payload
  /** Bytes that its result will take, where that can be told: room for it is kept. @default as many as the input */
  readonly expectedResultBytes?: number
  /** @default 'interactive' */
  readonly priority?: Priority
  /** Whose job it is; keys of different owners never meet. @default '' */
  readonly owner?: string
  /** With the same key and owner, the same content gives the same job, and other content is a conflict. */
  readonly idempotencyKey?: string
  /** Where a signed notice goes once the job has ended. */
  readonly callbackUrl?: string
  /** Small facts that the status shows and access rules read, such as the mentor of a training. */
  readonly labels?: Readonly<Record<string, string>>
  /**
   * At most one job of a group is at work, and at most one waits, whichever processes enqueue or do them. The newest one
   * waits: it cancels the one that waited before.
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
  /** How often the job was handed to a worker that then kept it, lost it or failed at it. */
  readonly attempts: number
  /** From 0 to 1, as far as its handler said. */
  readonly progress: number
  /** What the last failed try said. */
  readonly lastError: string | undefined
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /** A QUEUED job is not handed out before. */
  readonly runAtMs: number
}

/** What the queue promises about failing jobs and old results. */
export interface JobPolicy {
  /** A job that was handed out this often and still failed becomes a dead letter. */
  readonly maxReceives: number
  /** Bound of the first wait before another try; it doubles with every try. */
  readonly retryBaseMs: number
  /** Bound of any wait before another try. At most 15 minutes, the longest delay of an SQS message. */
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

/** No job waits longer for its next try: one that seems to was queued while the clock was wrong, and is due. */
export const LONGEST_DELAY_MS = 15 * 60_000

/** What another service that a job needs may cost it while that service is away: tries for some days, each at most 5 minutes apart. */
const AWAY_POLICY = { maxReceives: 2000, retryMaxMs: 5 * 60_000 } as const

/** Name of the jobs that deliver notices to a `callbackUrl`. */
export const WEBHOOK_JOB_TYPE = 'webhook'

const MAX_ERROR_CHARACTERS = 2000

/** A try that failed. */
export interface FailedTry {
  readonly message: string
  /** Whether another try is pointless. */
  readonly isPermanent: boolean
  /** Whether it failed only because another service is away. @default false */
  readonly isAway?: boolean
}

/** Outcome for a job whose try failed. */
export type AfterFailure =
  | { readonly status: 'QUEUED'; readonly delayMs: number }
  | { readonly status: 'FAILURE'; readonly failure: 'PERMANENT' | 'DEAD' }

/**
 * Decides between another try and giving up.
 * The wait is drawn evenly from 0 to `retryBaseMs · 2^(attempts − 1)` ("full jitter"): jobs that failed together do not
 * come back together. Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
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

/** Thrown by a handler when no further try can succeed: the job fails at once. */
export class PermanentJobError extends Error {
  override readonly name = 'PermanentJobError'
}

/** Thrown by a handler when a service that the job needs is away: the job waits for it for days, where others give up. */
export class ServiceAwayError extends Error {
  override readonly name = 'ServiceAwayError'
}

/** Whether another try is pointless: the handler said so, or the fault lies in the input (a status below 500, but not "too many"). */
export function isPermanentError(error: unknown): boolean {
  if (error instanceof PermanentJobError) return true
  return error instanceof ServiceError && error.statusCode < 500 && error.code !== 'TOO_MANY_REQUESTS'
}

/** What a handler's error says of its try. */
export function failedTry(error: unknown): FailedTry {
  return {
    message: errorText(error),
    isPermanent: isPermanentError(error),
    isAway: error instanceof ServiceAwayError
  }
}

/** What a job remembers of an error: its message, cut to a readable length. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.slice(0, MAX_ERROR_CHARACTERS)
}

/** Stands for what a job asks for: equal for equal type, input and callback. */
export function fingerprintOf(job: NewJob): string {
  const hash = createHash('sha256')
  hash.update(JSON.stringify([job.type, job.input.contentType, job.callbackUrl ?? null]))
  hash.update(job.input.bytes)
  return hash.digest('base64url')
}

/** Last error of a job whose worker fell silent. */
export const LEASE_LOST_TEXT = 'The worker fell silent before the job was done'

/**
 * Label with the type of a job that is queued when the labelled one ends without its handler: it was cancelled, or every
 * worker that had it fell silent. Its input is {@link UnseenEnd}.
 */
export const UNSEEN_END_LABEL = 'unseenEnd'

/** A job that ended without its handler. */
export interface UnseenEnd {
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
}

/** Last error of a job that a newer one of its group superseded. */
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

/** Whether a job will not change any more, unless someone redrives it. */
export function isEnded(job: Job): boolean {
  return job.status === 'SUCCESS' || job.status === 'FAILURE'
}

/**
 * Which lane a claim looks at first: people's, but bulk at every eighth call, so that it is never starved.
 * @param claimNumber counts the calls of one backend, from 1
 */
export function firstLane(claimNumber: number): Priority {
  return claimNumber % 8 === 0 ? 'bulk' : 'interactive'
}

/** The notice that a job which has ended owes its `callbackUrl`, or else its {@link UNSEEN_END_LABEL}, as a job of its own. */
export function noticeOf(job: Job): NewJob | undefined {
  if (job.callbackUrl === undefined) return unseenEndOf(job)
  const input = { url: job.callbackUrl, id: job.id, type: job.type, status: job.status, failure: job.failure ?? null }
  return { type: WEBHOOK_JOB_TYPE, owner: job.owner, input: packPayload(input), labels: traceOf(job.labels) }
}

/**
 * The trace of the request that enqueued a job, which its labels carry: whichever process does the job continues it.
 * Empty when it was not enqueued in a trace.
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
