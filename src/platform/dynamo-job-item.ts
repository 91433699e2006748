/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { FAILURES, JOB_STATUSES, PRIORITIES, type Job } from '../jobs/job.ts'
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
 * In which list of the index an item stands: jobs whose message has not been sent for sure, jobs that wait, run, or are
 * dead, and workers. A job that has ended otherwise stands in none, so that these lists stay short. `ENTRY` lists all jobs by the
 * time at which they came, by small items beside theirs, which never change.
 */
export type ListName = 'UNSENT' | 'QUEUED' | 'IN_PROGRESS' | 'DEAD' | 'WORKER' | 'ENTRY'

/** Key of the item of a job. */
export function jobKey(id: string): string {
  return `job#${id}`
}

/** Key of the item by which a job stands in the list of all. */
export function entryKey(id: string): string {
  return `entry#${id}`
}

/** Key of the item that remembers which job an idempotency key belongs to. */
export function idempotencyKeyOf(key: string): string {
  return `key#${nameDigest(key)}`
}

/** Key of the item of a group: which of its jobs is at work, and which waits. It changes in one transaction with theirs. */
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

/** Fields under the names of their attributes. */
export function attributesOf(fields: Partial<RecordFields>): Record<string, unknown> {
  return Object.fromEntries(
    RECORD_FIELDS.filter((name) => name in fields).map((name) => [ATTRIBUTE_OF[name], fields[name]])
  )
}

/** Where a job stands after a change: in which list, since when, and until when the table keeps it. */
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

/** As DynamoDB's time to live wants it. */
export function secondsOf(ms: number): number {
  return Math.ceil(ms / 1000)
}

/** Reads the item of a group; one that is not there has no jobs. */
export function groupIn(item: StoredRecord): GroupState {
  return { waitingId: optionalIn(item, 'waitingId', textIn), runningId: optionalIn(item, 'runningId', textIn) }
}

/** The fields of a job as the table keeps them; `undefined` ones are left out. */
export function fieldsOf(job: Job): Record<string, unknown> {
  const { labels, createdAtMs, updatedAtMs, runAtMs, ...rest } = job
  return { ...rest, labels: JSON.stringify(labels), createdAt: createdAtMs, updatedAt: updatedAtMs, runAt: runAtMs }
}

/** Reads what {@link fieldsOf} made. */
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

/** Reads the item of a job, whole. */
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
