/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Job } from './job.ts'
import type { DeadLetterQuery, JobPage, JobQuery } from './job-backend.ts'
import type { LeaseSighting } from './lease-watch.ts'
import type { Payload } from './payload.ts'
import type { GroupState, JobRecord, Step, Transition } from './transitions.ts'

/** A payload as the table keeps it: the bytes, or where they are. Only the table looks into it. */
export type StoredPayload = Readonly<Record<string, unknown>>

/** A job as it was read. */
export interface StoredJob {
  readonly record: JobRecord
  /** Whether the job was added under this key. */
  isOfKey(key: string): boolean
  payload(name: 'input' | 'result'): Promise<Payload | undefined>
}

/** A job to add. */
export interface NewRecord {
  readonly record: JobRecord
  readonly input: StoredPayload
  /** @default it has no key */
  readonly key?: string
}

/** Writes in the same step as a new job, and their conditions. */
export interface AddOptions {
  /** The job that had the key before and is gone. */
  readonly staleId: string
  /** The job's group before and after; nothing is written unless it is still as before. */
  readonly group: readonly [before: GroupState, after: GroupState] | undefined
}

/** Writes in the same step as a change, and their conditions. */
export interface WriteOptions {
  /** The job's group as it was read; nothing is written unless it still is, if the change changes it. */
  readonly group: GroupState | undefined
  readonly result: StoredPayload | undefined
  readonly notice: NewRecord | undefined
  /** Whether nothing is written if a heartbeat came since the job was read. */
  readonly isSilent: boolean
}

/**
 * A table of jobs that many machines share. Each write happens whole, and only if what it rests on is still as it was
 * read; it says whether it happened. Lists may lag behind.
 */
export interface JobTable {
  /** Reads a job as it was last written. */
  get(id: string): Promise<StoredJob | undefined>
  group(name: string): Promise<GroupState>
  /** Which job was added last under a key. */
  idOfKey(key: string): Promise<string | undefined>
  /** Keeps a payload, for a job that is about to be written. */
  keep(name: 'input' | 'result', place: string, payload: Payload): Promise<StoredPayload>
  /** Lists a job that is about to be added. */
  addEntry(job: Job): Promise<void>
  /** Adds a job whose message is not sent yet, if neither its id nor its key is taken. */
  add(added: NewRecord, options: AddOptions): Promise<boolean>
  /** Writes a change, if status and token are still as they were read. */
  write(before: JobRecord, transition: Transition, options: WriteOptions): Promise<boolean>
  /** Hands out a job that has no group, without reading it first. @returns the job as it is then */
  claim(id: string, step: Step): Promise<StoredJob | undefined>
  /** Writes a heartbeat under a token. */
  extend(id: string, token: number, step: Step): Promise<boolean>
  /** Notes that the message of a job that waits is sent, if no other has become due since. */
  markSent(job: Job): Promise<void>
  list(query: JobQuery): Promise<JobPage>
  deadLetters(query: DeadLetterQuery): Promise<JobPage>
  deadCount(): Promise<number>
  /** The leases there are. */
  leases(): Promise<LeaseSighting[]>
  /** Jobs that have waited since before a time, by whether their message is known to be sent. */
  waitingSince(beforeMs: number, isSent: boolean): Promise<Job[]>
  /** Notes that a worker lives. @returns how many live, as far as the list tells */
  checkIn(workerId: string, ttlMs: number): Promise<number>
}
