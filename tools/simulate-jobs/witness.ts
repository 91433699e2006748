/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { LEASE_LOST_TEXT, isEnded, type JobPolicy } from '../../src/jobs/job.ts'
import type { JobRecord } from '../../src/jobs/transitions.ts'

/** A promise of the job engine that a schedule broke. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise'
}

/**
 * Checks each change of a job against what is promised:
 * - a job ends once: an ended job changes only when a failed one is redriven;
 * - its receive count grows by one with each claim, falls by one when a try is given back, starts anew when it is redriven,
 *   and decides when it is dead;
 * - its token grows by one with each claim, and by nothing else;
 * - progress is between 0 and 1, 0 while it waits and when it is handed out, 1 after success.
 * @throws {BrokenPromise}
 */
export function checkChange(before: JobRecord, after: JobRecord, { maxReceives }: JobPolicy): void {
  const broken = (promise: string): BrokenPromise =>
    new BrokenPromise(`${promise}: ${JSON.stringify(before)} became ${JSON.stringify(after)}`)
  const [was, is] = [before.job, after.job]
  const isClaim = was.status === 'QUEUED' && is.status === 'IN_PROGRESS'
  const isRedrive = isEnded(was) && is.status === 'QUEUED'
  if (isEnded(was) && !isRedrive) throw broken('a job ends once')
  if (isRedrive && was.failure !== 'DEAD' && was.failure !== 'PERMANENT') throw broken('only what failed is redriven')
  if (was.status === 'QUEUED' && is.status === 'SUCCESS') throw broken('a job is claimed before it is done')
  const isGivenBack = was.status === 'IN_PROGRESS' && is.status === 'QUEUED' && is.lastError === was.lastError
  const attempts = isClaim
    ? [was.attempts + 1]
    : isRedrive
      ? [0]
      : [was.attempts, ...(isGivenBack ? [was.attempts - 1] : [])]
  if (!attempts.includes(is.attempts) || is.attempts < 0) throw broken('the receive count counts claims')
  if (is.attempts > maxReceives) throw broken('a job is handed out so often at most')
  if (is.failure === 'DEAD' && is.attempts < maxReceives) throw broken('a dead letter has used up its tries')
  if (after.token !== before.token + (isClaim ? 1 : 0)) throw broken('each claim has a token of its own')
  if (!(is.progress >= 0 && is.progress <= 1)) throw broken('progress is from 0 to 1')
  if ((is.status === 'QUEUED' || isClaim) && is.progress !== 0) throw broken('progress is that of the present try')
  if (is.status === 'SUCCESS' && is.progress !== 1) throw broken('progress is 1 after success')
  if (isEnded(is) !== (after.expiresAtMs !== undefined))
    throw broken('what has ended is kept for a time, and nothing else')
}

/** Checks that a job is taken back only from a worker that was silent for the whole lease. @throws {BrokenPromise} */
export function checkSilence(before: JobRecord, after: JobRecord, silentMs: number): void {
  const isTried = after.job.attempts === before.job.attempts && after.job.lastError === LEASE_LOST_TEXT
  const isOut = after.job.status === 'QUEUED' || after.job.failure === 'DEAD'
  if (before.job.status !== 'IN_PROGRESS' || !isTried || !isOut || silentMs >= before.leaseMs) return
  throw new BrokenPromise(`job ${before.job.id} was taken back ${silentMs} ms after a sign of life`)
}

/**
 * Checks that in each concurrency group at most one job runs and at most one waits.
 * @throws {BrokenPromise}
 */
export function checkGroupStates(records: Iterable<JobRecord>): void {
  checkGroups(records)
  const waiting = [...records].flatMap(({ job }) => (job.status === 'QUEUED' ? [job.concurrencyGroup] : []))
  const grouped = waiting.filter((group) => group !== undefined)
  if (new Set(grouped).size < grouped.length) throw new BrokenPromise('two jobs of a group wait')
}

/** Checks that in each concurrency group at most one job runs. @throws {BrokenPromise} */
export function checkGroups(records: Iterable<JobRecord>): void {
  const running = new Set<string>()
  for (const { job } of records) {
    if (job.concurrencyGroup === undefined || job.status !== 'IN_PROGRESS') continue
    if (running.has(job.concurrencyGroup))
      throw new BrokenPromise(`two jobs of group ${job.concurrencyGroup} are at work`)
    running.add(job.concurrencyGroup)
  }
}

/** Checks that all jobs have ended, and that every due notice was sent. @throws {BrokenPromise} */
export function checkAllEnded(acceptedIds: Iterable<string>, find: (id: string) => JobRecord | undefined): void {
  for (const id of acceptedIds) {
    const record = find(id)
    if (record === undefined) throw new BrokenPromise(`job ${id} was accepted and is gone`)
    if (!isEnded(record.job))
      throw new BrokenPromise(`job ${id} was accepted and does not end: ${JSON.stringify(record)}`)
  }
}
