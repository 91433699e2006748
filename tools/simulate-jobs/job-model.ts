/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { fingerprintOf, type Job, type JobPolicy, type NewJob } from '../../src/jobs/job.ts'
import {
  addition,
  decide,
  isOver,
  type Command,
  type Decision,
  type GroupState,
  type JobRecord
} from '../../src/jobs/transitions.ts'

/**
 * Model of a backend in a few lines: all jobs in one map, each command at once. Backends are compared with it, and
 * schedules of the simulation run on it.
 */
export class JobModel {
  readonly policy: JobPolicy
  /** By id, in the order in which the jobs came. */
  readonly records: Map<string, JobRecord>
  /** Called with each change. */
  readonly #onChange: (before: JobRecord, after: JobRecord) => void

  constructor(
    policy: JobPolicy,
    onChange: (before: JobRecord, after: JobRecord) => void,
    records: Iterable<readonly [string, JobRecord]> = []
  ) {
    this.policy = policy
    this.records = new Map(records)
    this.#onChange = onChange
  }

  add(job: NewJob, nowMs: number): Job {
    const { record, outdatedId } = addition(job, fingerprintOf(job), this.#groupOf(job.concurrencyGroup), nowMs)
    if (outdatedId !== undefined) this.change(outdatedId, { name: 'supersede' }, nowMs)
    // Whoever takes the id of a job that is over its time comes last.
    this.records.delete(record.job.id)
    this.records.set(record.job.id, record)
    return record.job
  }

  change(id: string, command: Command, nowMs: number): Decision | 'missing' {
    const before = this.records.get(id)
    if (before === undefined || isOver(before, nowMs)) return 'missing'
    const group = this.#groupOf(before.job.concurrencyGroup)
    const decision = decide(before, group, command, { nowMs, policy: this.policy })
    if (decision.outcome !== 'changed') return decision
    this.#onChange(before, decision.after)
    this.records.set(id, decision.after)
    const { notice } = decision.effects
    if (notice !== undefined) this.add(notice, nowMs)
    return decision
  }

  /** The jobs that may be handed out. */
  claimable(nowMs: number): JobRecord[] {
    return [...this.records.values()].filter(({ job }) => {
      return (
        job.status === 'QUEUED' && job.runAtMs <= nowMs && this.#groupOf(job.concurrencyGroup)?.runningId === undefined
      )
    })
  }

  running(): JobRecord[] {
    return [...this.records.values()].filter(({ job }) => job.status === 'IN_PROGRESS')
  }

  #groupOf(group: string | undefined): GroupState | undefined {
    if (group === undefined) return undefined
    const idOf = (status: Job['status']): string | undefined =>
      this.records.values().find(({ job }) => job.concurrencyGroup === group && job.status === status)?.job.id
    return { waitingId: idOf('QUEUED'), runningId: idOf('IN_PROGRESS') }
  }
}
