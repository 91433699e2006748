/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Job } from '../jobs/job.ts'
import { FAILURES, JOB_STATUSES, PRIORITIES } from '../jobs/job-status.ts'
import {
  RECORD_FIELDS,
  type GroupState,
  type JobRecord,
  type RecordFields,
  type Transition
} from '../jobs/transitions.ts'
import { nameIn, numberIn, optionalIn, textIn, type StoredRecord } from '../storage/stored-record.ts'
import { nameDigest } from './name-digest.ts'

/**
 * Lists of the table's index: jobs whose message may not have been sent, jobs that wait, run, or are dead, and workers. Jobs
 * that ended otherwise are in none of them, so that these lists stay short. `ENTRY` lists all jobs in the order of
 * enqueuing, by an additional small item for each, which never changes.
 */
export type ListName = 'UNSENT' | 'QUEUED' | 'IN_PROGRESS' | 'DEAD' | 'WORKER' | 'ENTRY'

/** Key of the item of a job. */
export function jobKey(id: string): string {
  return `job#${id}`
}

/** Key of a job's item in the list of all jobs. */
export function entryKey(id: string): string {
  return `entry#${id}`
}

/** Key of the item that says which job an idempotency key belongs to. */
export function idempotencyKeyOf(key: string): string {
  return `key#${nameDigest(key)}`
}

/** Key of a group's item, which says which of its jobs runs and which waits. It changes in one transaction with the job's item. */
export function groupKey(group: string): string {
  return `group#${nameDigest(group)}`
}

/** The attribute of each field that commands change. */
const ATTRIBUTE_OF: Readonly<Record<keyof RecordFields, string>> = {
  status: 'status',
  failure: 'failure',
  attempts: 'attempts',
  progress: 'progress',
  lastError: 'lastError',
  updatedAtMs: 'updatedAt',
  runAtMs: 'runAt',
  token: 'token',
  beat: 'beat',
  leaseMs: 'leaseMs',
  expiresAtMs: 'expiresAt'
}

/** Renames fields to their attributes. */
export function attributesOf(fields: Partial<RecordFields>): Record<string, unknown> {
  return Object.fromEntries(
    RECORD_FIELDS.filter((name) => name in fields).map((name) => [ATTRIBUTE_OF[name], fields[name]])
  )
}

/** Attributes that place a job after a change: its list, since when, and when the table deletes it. */
export function placeOf({ after, effects }: Pick<Transition, 'after' | 'effects'>): Record<string, unknown> {
  const list = listOf(after.job, effects.announceAfterMs !== undefined)
  return {
    queueState: list,
    stateAt: list && after.job.updatedAtMs,
    ttl: after.expiresAtMs === undefined ? undefined : secondsOf(after.expiresAtMs)
  }
}

function listOf({ status, failure }: Job, isUnsent: boolean): ListName | undefined {
  if (failure === 'DEAD') return 'DEAD'
  if (isUnsent) return 'UNSENT'
  return status === 'IN_PROGRESS' ? 'IN_PROGRESS' : undefined
}

/** Seconds since 1970, rounded up, as DynamoDB's time to live needs it. */
export function secondsOf(ms: number): number {
  return Math.ceil(ms / 1000)
}

/** Reads the item of a group; an empty item means a group without jobs. */
export function groupIn(item: StoredRecord): GroupState {
  return { waitingId: optionalIn(item, 'waitingId', textIn), runningId: optionalIn(item, 'runningId', textIn) }
}

/** Attributes of a job's fields. */
export function fieldsOf(job: Job): Record<string, unknown> {
  const { labels, createdAtMs, updatedAtMs, runAtMs, ...rest } = job
  return { ...rest, labels: JSON.stringify(labels), createdAt: createdAtMs, updatedAt: updatedAtMs, runAt: runAtMs }
}

/** Reads a job from attributes of {@link fieldsOf}. */
export function jobIn(item: StoredRecord): Job {
  const labels: Record<string, string> = JSON.parse(textIn(item, 'labels'))
  return {
    id: textIn(item, 'id'),
    type: textIn(item, 'type'),
    priority: nameIn(PRIORITIES, item, 'priority'),
    owner: textIn(item, 'owner'),
    labels,
    callbackUrl: optionalIn(item, 'callbackUrl', textIn),
    concurrencyGroup: optionalIn(item, 'concurrencyGroup', textIn),
    status: nameIn(JOB_STATUSES, item, 'status'),
    failure: optionalIn(item, 'failure', (record, name) => nameIn(FAILURES, record, name)),
    attempts: numberIn(item, 'attempts'),
    progress: numberIn(item, 'progress'),
    lastError: optionalIn(item, 'lastError', textIn),
    createdAtMs: numberIn(item, 'createdAt'),
    updatedAtMs: numberIn(item, 'updatedAt'),
    runAtMs: numberIn(item, 'runAt')
  }
}

/** Reads a complete item of a job. */
export function jobRecordIn(item: StoredRecord): JobRecord {
  return {
    job: jobIn(item),
    fingerprint: textIn(item, 'fingerprint'),
    token: numberIn(item, 'token'),
    beat: numberIn(item, 'beat'),
    leaseMs: numberIn(item, 'leaseMs'),
    expiresAtMs: optionalIn(item, 'expiresAt', numberIn)
  }
}
