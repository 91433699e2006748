/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Job } from './job.ts'
import type { DeadLetterQuery, JobPage, JobQuery } from './job-backend.ts'
import type { LeaseSighting } from './lease-watch.ts'
import type { Payload } from './payload.ts'
import type { GroupState, JobRecord, Step, Transition } from './transitions.ts'

/** A payload as the table stores it: the bytes, or where they are. Only the table reads it. */
export type StoredPayload = Readonly<Record<string, unknown>>

/** A job as it was read from the table. */
export interface StoredJob {
  readonly record: JobRecord
  /** Whether the job was added with this key. */
  isOfKey(key: string): boolean
  payload(name: 'input' | 'result'): Promise<Payload | undefined>
}

/** A job to add. */
export interface NewRecord {
  readonly record: JobRecord
  readonly input: StoredPayload
  /** Owner and idempotency key. @default none */
  readonly key?: string
}

/** What is written in the same transaction as a new job, and on what conditions. */
export interface AddOptions {
  /** Id of the job that had the key before and is gone; empty when there was none. */
  readonly staleId: string
  /** The job's group before and after; nothing is written if the group has changed meanwhile. */
  readonly group: readonly [before: GroupState, after: GroupState] | undefined
}

/** What is written in the same transaction as a change, and on what conditions. */
export interface WriteOptions {
  /** The job's group as it was read; when the change affects it, nothing is written if it has changed meanwhile. */
  readonly group: GroupState | undefined
  readonly result: StoredPayload | undefined
  readonly notice: NewRecord | undefined
  /** Whether to write only if no heartbeat came since the job was read. */
  readonly isSilent: boolean
}

/**
 * A table of jobs that many machines share. Each write is atomic and conditional: it happens only if the job is still as
 * it was read, and returns whether it happened. Lists are eventually consistent.
 */
export interface JobTable {
  /** Reads a job, strongly consistent. */
  get(id: string): Promise<StoredJob | undefined>
  group(name: string): Promise<GroupState>
  /** Id of the job that was added last with a key. */
  idOfKey(key: string): Promise<string | undefined>
  /** Stores a payload, for a job that is about to be written. */
  keep(name: 'input' | 'result', place: string, payload: Payload): Promise<StoredPayload>
  /** Adds a job that is about to be written to the list of jobs. */
  addEntry(job: Job): Promise<void>
  /** Adds a job whose message is not sent yet, if neither its id nor its key is taken. */
  add(added: NewRecord, options: AddOptions): Promise<boolean>
  /** Writes a change if status and token are still as they were read. */
  write(before: JobRecord, transition: Transition, options: WriteOptions): Promise<boolean>
  /** Hands out a job that has no group, without reading it first. @returns the job as it is then */
  claim(id: string, step: Step): Promise<StoredJob | undefined>
  /** Writes a heartbeat if the job still has this token. */
  extend(id: string, token: number, step: Step): Promise<boolean>
  /** Records that the message of a waiting job has been sent, unless the job was requeued since. */
  markSent(job: Job): Promise<void>
  list(query: JobQuery): Promise<JobPage>
  deadLetters(query: DeadLetterQuery): Promise<JobPage>
  deadCount(): Promise<number>
  /** All present leases. */
  leases(): Promise<LeaseSighting[]>
  /** Jobs that have waited since before a time, whose message is (`isSent`) or is not known to be sent. */
  waitingSince(beforeMs: number, isSent: boolean): Promise<Job[]>
  /** Records that a worker is alive. @returns how many are alive, as far as the list tells */
  checkIn(workerId: string, ttlMs: number): Promise<number>
}
