/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'
import { fingerprintOf, type Job, type JobPolicy, type NewJob } from './job.ts'
import type { Clock } from './job-backend.ts'
import type { JobQueue } from './job-queue.ts'
import type { JobTable, NewRecord, StoredJob, StoredPayload } from './job-table.ts'
import {
  addition,
  decide,
  isOver,
  type Command,
  type Decision,
  type GroupState,
  type JobRecord,
  type Transition
} from './transitions.ts'

/** Limit of optimistic retries: other writers sometimes change a job between its read and its write, but not often. */
const MAX_WRITE_TRIES = 10

/**
 * Writes the state machine's changes of a job to a table, if the job is still as it was read, and then sends the messages
 * that the change calls for. A crash in between does no harm: a sweep sends what was not sent.
 */
export class TableJobWriter {
  readonly #table: JobTable
  readonly #queue: JobQueue
  readonly #policy: JobPolicy
  readonly #clock: Clock
  readonly #background = new Set<Promise<void>>()

  constructor(table: JobTable, queue: JobQueue, { policy, clock }: { policy: JobPolicy; clock: Clock }) {
    this.#table = table
    this.#queue = queue
    this.#policy = policy
    this.#clock = clock
  }

  /** Waits for background writes. */
  async settled(): Promise<void> {
    await Promise.all(this.#background)
  }

  async add(added: NewRecord, staleId: string): Promise<boolean> {
    const { job } = added.record
    const before = await this.#groupOf(job)
    const group = before && ([before, { ...before, waitingId: job.id }] as const)
    if (!(await this.#table.add(added, { staleId, group }))) return false
    // A worker that claims the outdated job finds it superseded, so a crash here does no harm.
    if (before?.waitingId !== undefined) await this.decided(before.waitingId, { name: 'supersede' })
    await this.#announce(job)
    return true
  }

  /** Sends the message of a job that is marked unsent. When that fails, a sweep sends it. */
  async #announce(job: Job, delayMs = 0): Promise<void> {
    try {
      await this.#queue.send(job, delayMs)
    } catch {
      return
    }
    this.later(this.#table.markSent(job))
  }

  /** Sends the message of a job whose group has become free. */
  async #wake(id: string): Promise<void> {
    const stored = await this.live(id)
    if (stored !== undefined) await this.change(stored.record, { name: 'postpone', delayMs: 0 })
  }

  /** Reads, decides and writes; retries when another writer was faster. @returns no decision when there is no such job */
  async decided(
    id: string,
    command: Command,
    result?: StoredPayload
  ): Promise<{ decision?: Decision; record?: JobRecord }> {
    for (let tries = 0; tries < MAX_WRITE_TRIES; tries += 1) {
      const record = (await this.live(id))?.record
      if (record === undefined) return {}
      const decision = await this.change(record, command, result)
      if (decision !== undefined) return { decision, record }
    }
    throw contended()
  }

  /** Decides and writes. @returns `undefined` when the job, or its group, is no longer as it was read */
  async change(record: JobRecord, command: Command, result?: StoredPayload): Promise<Decision | undefined> {
    const group = await this.#groupOf(record.job)
    const at = { nowMs: this.#clock.wallMs(), policy: this.#policy }
    const decision = decide(record, group, command, at)
    if (decision.outcome !== 'changed') return decision
    const { notice } = decision.effects
    const written = {
      group,
      result,
      notice: notice && (await this.#noticeRecord(notice)),
      // The index lags behind the table, and a heartbeat may have come meanwhile.
      isSilent: command.name === 'takeBack'
    }
    if (!(await this.#table.write(record, decision, written))) return undefined
    await this.#follow(decision, written.notice)
    return decision
  }

  async #noticeRecord(notice: NewJob): Promise<NewRecord> {
    const { record } = addition(notice, fingerprintOf(notice), undefined, this.#clock.wallMs())
    const input = await this.#table.keep('input', `${record.job.id}/input`, notice.input)
    await this.#table.addEntry(record.job)
    return { record, input }
  }

  /** Sends the messages that a change calls for. */
  async #follow({ after, effects }: Transition, notice: NewRecord | undefined): Promise<void> {
    if (effects.freedId !== undefined) this.later(this.#wake(effects.freedId))
    if (effects.announceAfterMs !== undefined) await this.#announce(after.job, effects.announceAfterMs)
    if (effects.deadLetter === 'copy') this.later(this.#queue.sendDeadLetter(after.job, after.token))
    if (effects.deadLetter === 'remove') this.later(this.#queue.removeDeadLetter(after.job.id))
    if (notice !== undefined) await this.#announce(notice.record.job)
  }

  async #groupOf({ concurrencyGroup }: Job): Promise<GroupState | undefined> {
    return concurrencyGroup === undefined ? undefined : this.#table.group(concurrencyGroup)
  }

  async live(id: string): Promise<StoredJob | undefined> {
    const stored = await this.#table.get(id)
    return stored === undefined || isOver(stored.record, this.#clock.wallMs()) ? undefined : stored
  }

  /** Lets work run in the background. Its errors are ignored: a sweep repairs what failed, or it does not matter. */
  later(work: Promise<unknown>): void {
    const quiet = work.then(
      () => undefined,
      () => undefined
    )
    this.#background.add(quiet)
    void quiet.finally(() => this.#background.delete(quiet))
  }
}

/** Makes the error for a job that too many writers changed at once. */
export function contended(): ServiceError {
  return new ServiceError('UNAVAILABLE', 'Cannot write a job: too many writers at once')
}
