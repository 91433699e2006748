/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { SQLInputValue } from 'node:sqlite'

import { nameIn, numberIn, optionalIn, textIn, type StoredRecord } from '../storage/stored-record.ts'
import type { Job } from './job.ts'
import { FAILURES, JOB_STATUSES, PRIORITIES } from './job-status.ts'
import { RECORD_FIELDS, type JobRecord, type RecordFields, type Transition } from './transitions.ts'

/** A row of `jobs`. */
export interface JobRow {
  readonly seq: number
  readonly record: JobRecord
}

/** The column of each field that commands change. */
const COLUMN_OF: Readonly<Record<keyof RecordFields, string>> = {
  status: 'status',
  failure: 'failure',
  attempts: 'attempts',
  progress: 'progress',
  lastError: 'last_error',
  updatedAtMs: 'updated_at',
  runAtMs: 'run_at',
  token: 'token',
  beat: 'beat',
  leaseMs: 'lease_ms',
  expiresAtMs: 'expires_at'
}

/** The columns that a change writes, and no others: SQLite touches only the indexes that hold one of them. */
export function changedColumns({ change, after }: Pick<Transition, 'change' | 'after'>): [string, SQLInputValue][] {
  const { job, token, beat, leaseMs, expiresAtMs } = after
  const values: RecordFields = { ...job, token, beat, leaseMs, expiresAtMs }
  const isChanged = (field: keyof RecordFields): boolean => field in change.set || field in change.add
  return RECORD_FIELDS.filter((field) => isChanged(field)).map((field) => [COLUMN_OF[field], values[field] ?? null])
}

/** Reads a row of `jobs`, whole. */
export function rowOf(columns: StoredRecord): JobRow {
  return {
    seq: numberIn(columns, 'seq'),
    record: {
      job: jobOf(columns),
      fingerprint: textIn(columns, 'fingerprint'),
      token: numberIn(columns, 'token'),
      beat: numberIn(columns, 'beat'),
      leaseMs: numberIn(columns, 'lease_ms'),
      expiresAtMs: optionalIn(columns, 'expires_at', numberIn)
    }
  }
}

function jobOf(columns: StoredRecord): Job {
  const labels: Record<string, string> = JSON.parse(textIn(columns, 'labels'))
  return {
    id: textIn(columns, 'id'),
    type: textIn(columns, 'type'),
    priority: nameIn(PRIORITIES, columns, 'priority'),
    owner: textIn(columns, 'owner'),
    labels,
    callbackUrl: optionalIn(columns, 'callback_url', textIn),
    concurrencyGroup: optionalIn(columns, 'concurrency_group', textIn),
    status: nameIn(JOB_STATUSES, columns, 'status'),
    failure: optionalIn(columns, 'failure', (record, name) => nameIn(FAILURES, record, name)),
    attempts: numberIn(columns, 'attempts'),
    progress: numberIn(columns, 'progress'),
    lastError: optionalIn(columns, 'last_error', textIn),
    createdAtMs: numberIn(columns, 'created_at'),
    updatedAtMs: numberIn(columns, 'updated_at'),
    runAtMs: numberIn(columns, 'run_at')
  }
}
