/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import {
  LEASE_LOST_TEXT,
  SUPERSEDED_TEXT,
  afterFailure,
  isEnded,
  noticeOf,
  queuedJob,
  type FailedTry,
  type Job,
  type JobPolicy,
  type NewJob
} from './job.ts'
import type { Failure, JobStatus } from './job-status.ts'

/*
 * The state machine of a job, as pure functions: nothing here reads a clock, a disk or a network. A backend reads the record,
 * calls `decide`, and writes the change if the record is still as it was read.
 */

/** A job with the fields that its backend needs to hand it out safely. */
export interface JobRecord {
  readonly job: Job
  /** Equal for equal content (`fingerprintOf`). */
  readonly fingerprint: string
  /** Fencing token. Starts at the time of enqueuing and grows with each claim: a lease with an older token is over. */
  readonly token: number
  /** Heartbeats of the present lease. */
  readonly beat: number
  readonly leaseMs: number
  /** When the job's retention is over and readers no longer see it; only of jobs that have ended. */
  readonly expiresAtMs: number | undefined
}

/** Which job of a concurrency group waits and which one runs: at most one each. */
export interface GroupState {
  readonly waitingId: string | undefined
  readonly runningId: string | undefined
}

/** What happens to a job. */
export type Command =
  | { readonly name: 'claim'; readonly leaseMs: number }
  | { readonly name: 'extend'; readonly token: number; readonly progress: number | undefined }
  | { readonly name: 'finish'; readonly token: number }
  /** `random`, from 0 (included) to 1 (excluded), determines the backoff. */
  | { readonly name: 'fail'; readonly token: number; readonly failed: FailedTry; readonly random: number }
  | { readonly name: 'release'; readonly token: number }
  /** A sweep saw this token and this heartbeat for longer than the lease. */
  | { readonly name: 'takeBack'; readonly token: number; readonly beat: number; readonly random: number }
  | { readonly name: 'cancel' }
  /** A newer job of the group has come in. */
  | { readonly name: 'supersede' }
  | { readonly name: 'redrive' }
  /** Workers are told of the job again, and it is due after the delay. */
  | { readonly name: 'postpone'; readonly delayMs: number }
  /** The message that announced the job may be lost. */
  | { readonly name: 'resend' }

/** The fields that commands change. `undefined` clears a field. */
export interface RecordFields {
  readonly status: JobStatus
  readonly failure: Failure | undefined
  readonly attempts: number
  readonly progress: number
  readonly lastError: string | undefined
  readonly updatedAtMs: number
  readonly runAtMs: number
  readonly token: number
  readonly beat: number
  readonly leaseMs: number
  readonly expiresAtMs: number | undefined
}

/** Every name of {@link RecordFields}. */
export const RECORD_FIELDS: readonly (keyof RecordFields)[] = [
  'status',
  'failure',
  'attempts',
  'progress',
  'lastError',
  'updatedAtMs',
  'runAtMs',
  'token',
  'beat',
  'leaseMs',
  'expiresAtMs'
]

/** Change of a record: fields that are set, and counters that are added to. */
export interface Change {
  readonly set: Partial<RecordFields>
  readonly add: Partial<Pick<RecordFields, 'attempts' | 'token' | 'beat'>>
}

/** A change that depends on nothing in the record but its status: a backend may write it without reading first. */
export interface Step extends Change {
  readonly from: JobStatus
}

/** What a backend must do beside changing the fields. */
export interface Effects {
  /** Tell workers that the job waits, and is due after this delay. */
  readonly announceAfterMs?: number
  /** Tell whoever waits for its end. */
  readonly hasEnded?: true
  /** Tell workers that this job, which waited for the group, may be handed out now. */
  readonly freedId?: string
  /** Add this job in the same step. */
  readonly notice?: NewJob
  /** No further try will need the input. */
  readonly isInputDone?: true
  /** Copy the job to the dead letters, or take the copy away. */
  readonly deadLetter?: 'copy' | 'remove'
}

/** A change, the record and group after it, and its effects. */
export interface Transition {
  readonly outcome: 'changed'
  readonly change: Change
  readonly after: JobRecord
  /** The group afterwards; `undefined` when the job has none. */
  readonly group: GroupState | undefined
  readonly effects: Effects
}

/**
 * Outcome of a command on a job. `unchanged`: the job is already as requested. `refused`: the lease is over (`lost`), the
 * job's status does not allow it (`status`), or another job of its group waits or runs (`group-busy`).
 */
export type Decision =
  | Transition
  | { readonly outcome: 'unchanged' }
  | { readonly outcome: 'refused'; readonly reason: 'lost' | 'status' | 'group-busy' }

/** A new job's record, and what adding it changes in its group. */
export interface Addition {
  readonly record: JobRecord
  readonly group: GroupState | undefined
  /** The waiting job of the group, which the new one supersedes. */
  readonly outdatedId: string | undefined
}

const REFUSED = { outcome: 'refused', reason: 'status' } as const
const LOST = { outcome: 'refused', reason: 'lost' } as const

/** Makes the record of a new job, which supersedes the one that waits in its group. */
export function addition(job: NewJob, fingerprint: string, group: GroupState | undefined, nowMs: number): Addition {
  const added = queuedJob(job, nowMs)
  return {
    // Greater than every token of an earlier job of this id, which has expired but whose worker may still write.
    record: { job: added, fingerprint, token: nowMs, beat: 0, leaseMs: 0, expiresAtMs: undefined },
    group: group && { ...group, waitingId: added.id },
    outdatedId: group?.waitingId
  }
}

/**
 * Decides how a command changes a job.
 * @param record the job's present state
 * @param group present state of its concurrency group; `undefined` when it has none
 */
export function decide(
  record: JobRecord,
  group: GroupState | undefined,
  command: Command,
  { nowMs, policy }: { readonly nowMs: number; readonly policy: JobPolicy }
): Decision {
  const { status, failure } = record.job
  const isHeld = 'token' in command && status === 'IN_PROGRESS' && command.token === record.token
  if ('token' in command && !isHeld) return LOST
  const end = (ended: Partial<RecordFields>): Transition => transition(record, group, endChange(ended, nowMs, policy))
  const queue = (queued: Partial<RecordFields>, delayMs: number): Transition =>
    isOutdated(record, group)
      ? end(SUPERSEDED)
      : transition(record, group, queueChange(queued, delayMs, nowMs), delayMs)
  const retry = (failed: FailedTry, random: number): Transition => {
    const next = afterFailure(record.job.attempts, failed, policy, random)
    const lastError = failed.message
    return next.status === 'FAILURE' ? end({ ...next, lastError }) : queue({ lastError }, next.delayMs)
  }
  switch (command.name) {
    case 'claim':
      if (status !== 'QUEUED') return REFUSED
      if (isOutdated(record, group)) return end(SUPERSEDED)
      if (group?.runningId !== undefined) return { outcome: 'refused', reason: 'group-busy' }
      return transition(record, group, claimStep(command.leaseMs, nowMs))
    case 'extend':
      return transition(record, group, extendStep(command.progress, nowMs))
    case 'finish':
      return end({ status: 'SUCCESS', progress: 1 })
    case 'fail':
      return retry(command.failed, command.random)
    case 'release':
      return queue({ attempts: record.job.attempts - 1 }, 0)
    case 'takeBack':
      if (command.beat !== record.beat) return LOST
      return retry({ message: LEASE_LOST_TEXT, isPermanent: false }, command.random)
    case 'cancel':
      if (failure === 'CANCELLED') return { outcome: 'unchanged' }
      return isEnded(record.job) ? REFUSED : end({ status: 'FAILURE', failure: 'CANCELLED' })
    case 'supersede':
      return status === 'QUEUED' ? end(SUPERSEDED) : REFUSED
    case 'redrive':
      if (failure !== 'DEAD' && failure !== 'PERMANENT') return REFUSED
      if (group?.waitingId !== undefined) return { outcome: 'refused', reason: 'group-busy' }
      return queue({ failure: undefined, attempts: 0, expiresAtMs: undefined }, 0)
    case 'postpone':
      return status === 'QUEUED' ? queue({}, command.delayMs) : REFUSED
    case 'resend':
      break
  }
  return status === 'QUEUED' ? queue({}, Math.max(0, record.job.runAtMs - nowMs)) : REFUSED
}

/** The change of a claim: a new token, one more try, no progress yet. */
export function claimStep(leaseMs: number, nowMs: number): Step {
  return {
    from: 'QUEUED',
    set: { status: 'IN_PROGRESS', leaseMs, beat: 0, progress: 0, updatedAtMs: nowMs },
    add: { token: 1, attempts: 1 }
  }
}

/** The change of a heartbeat. The caller must make sure that the lease's token is still the job's. */
export function extendStep(progress: number | undefined, nowMs: number): Step {
  return {
    from: 'IN_PROGRESS',
    set: { updatedAtMs: nowMs, ...(progress !== undefined && { progress }) },
    add: { beat: 1 }
  }
}

/** The record after a change. */
export function changed(record: JobRecord, { set, add }: Change): JobRecord {
  const { token, beat, leaseMs, expiresAtMs, ...job } = set
  return {
    ...record,
    job: { ...record.job, ...job, attempts: (job.attempts ?? record.job.attempts) + (add.attempts ?? 0) },
    token: (token ?? record.token) + (add.token ?? 0),
    beat: (beat ?? record.beat) + (add.beat ?? 0),
    leaseMs: leaseMs ?? record.leaseMs,
    expiresAtMs: 'expiresAtMs' in set ? expiresAtMs : record.expiresAtMs
  }
}

/** Whether a job's retention is over: readers no longer see it, although it may not be deleted yet. */
export function isOver({ expiresAtMs }: Pick<JobRecord, 'expiresAtMs'>, nowMs: number): boolean {
  return expiresAtMs !== undefined && expiresAtMs <= nowMs
}

/**
 * The random number for the `index`-th job that one sweep takes back. Steps of the golden ratio spread the backoffs evenly,
 * whatever the first one is: jobs whose workers died together are not retried together.
 */
export function spread(random: number, index: number): number {
  return (random + index * GOLDEN_RATIO) % 1
}

const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2

const SUPERSEDED = { status: 'FAILURE', failure: 'CANCELLED', lastError: SUPERSEDED_TEXT } as const

/** Whether a newer job of the group waits, so that this one must not be queued. */
function isOutdated({ job }: JobRecord, group: GroupState | undefined): boolean {
  return group?.waitingId !== undefined && group.waitingId !== job.id
}

function endChange(ended: Partial<RecordFields>, nowMs: number, policy: JobPolicy): Change {
  return { set: { ...ended, updatedAtMs: nowMs, expiresAtMs: nowMs + policy.retentionMs }, add: {} }
}

/** The change that (re)queues a job. It resets the progress, which is that of the present try. */
function queueChange(queued: Partial<RecordFields>, delayMs: number, nowMs: number): Change {
  return { set: { ...queued, status: 'QUEUED', progress: 0, updatedAtMs: nowMs, runAtMs: nowMs + delayMs }, add: {} }
}

function transition(
  before: JobRecord,
  group: GroupState | undefined,
  change: Change,
  announceAfterMs?: number
): Transition {
  const after = changed(before, change)
  const groupAfter = group && groupOf(group, after.job)
  const isFreed = group?.runningId !== undefined && groupAfter?.runningId === undefined
  const freedId = isFreed && groupAfter?.waitingId !== after.job.id ? groupAfter?.waitingId : undefined
  return {
    outcome: 'changed',
    change,
    after,
    group: groupAfter,
    effects: {
      ...(announceAfterMs !== undefined && { announceAfterMs }),
      ...(freedId !== undefined && { freedId }),
      ...(before.job.failure === 'DEAD' && { deadLetter: 'remove' }),
      ...(isEnded(after.job) && endEffects(after.job))
    }
  }
}

function endEffects(job: Job): Effects {
  const notice = noticeOf(job)
  return {
    hasEnded: true,
    // Only jobs that failed as DEAD or PERMANENT can be redriven and need their input again.
    ...((job.status === 'SUCCESS' || job.failure === 'CANCELLED') && { isInputDone: true }),
    ...(job.failure === 'DEAD' && { deadLetter: 'copy' }),
    ...(notice !== undefined && { notice })
  }
}

/** A group after a change of one of its jobs. */
function groupOf({ waitingId, runningId }: GroupState, { id, status }: Job): GroupState {
  return {
    waitingId: status === 'QUEUED' ? id : waitingId === id ? undefined : waitingId,
    runningId: status === 'IN_PROGRESS' ? id : runningId === id ? undefined : runningId
  }
}
