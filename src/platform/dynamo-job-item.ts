/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { FAILURES, JOB_STATUSES, PRIORITIES, type Job } from '../jobs/job.ts'
import { nameIn, numberIn, optionalIn, textIn, type StoredRecord } from '../storage/stored-record.ts'

/**
 * In which list of the index an item stands: jobs whose message has not been sent for sure, jobs that wait, run, or are
 * dead, and workers. A job that has ended otherwise stands in none, so that these lists stay short. `ENTRY` lists all jobs by the
 * time at which they came, by small items beside theirs, which never change.
 */
export type ListName = 'UNSENT' | 'QUEUED' | 'IN_PROGRESS' | 'DEAD' | 'WORKER' | 'ENTRY'

/** An item of the table that is a job. */
export interface JobItem {
  readonly job: Job
  readonly fingerprint: string
  readonly token: number
  readonly beat: number
  readonly leaseMs: number
  /** When readers no longer see it. */
  readonly expiresAtMs: number | undefined
}

/** Key of the item of a job. */
export function jobKey(id: string): string {
  return `job#${id}`
}

/** Key of the item by which a job stands in the list of all. */
export function entryKey(id: string): string {
  return `entry#${id}`
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
export function jobItemIn(item: StoredRecord): JobItem {
  return {
    job: jobIn(item),
    fingerprint: textIn(item, 'fingerprint'),
    token: numberIn(item, 'token'),
    beat: numberIn(item, 'beat'),
    leaseMs: numberIn(item, 'leaseMs'),
    expiresAtMs: optionalIn(item, 'expiresAt', numberIn)
  }
}
