/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { JobPolicy, NewJob } from '../../src/jobs/job.ts'
import { LeaseWatch } from '../../src/jobs/lease-watch.ts'
import { packPayload } from '../../src/jobs/payload.ts'
import { isOver, spread, type Command, type JobRecord } from '../../src/jobs/transitions.ts'
import { JobModel } from './job-model.ts'
import { Random } from './random.ts'
import { BrokenPromise, checkAllEnded, checkChange, checkGroupStates, checkSilence } from './witness.ts'

/*
 * Jobs on one machine: workers and sweepers on a disk on which each command is atomic, as a transaction of SQLite is. A
 * power loss undoes the last commits, except those that were confirmed, and ends all processes.
 */
const POLICY: JobPolicy = { maxReceives: 3, retryBaseMs: 500, retryMaxMs: 4000, retentionMs: 60_000 }
const LEASE_MS = 3000
const WORKER_COUNT = 3
const STEP_COUNT = 60
const MAX_JOB_COUNT = 5
const INPUT = packPayload(0)

/** A worker's claim; the number tells it from every other, whatever its token. */
interface Hold {
  readonly id: string
  readonly token: number
  readonly claimNumber: number
}

/** What the disk holds: the records, and which claim each job was handed out under. */
interface Commit {
  readonly records: readonly (readonly [string, JobRecord])[]
  readonly holders: readonly (readonly [string, number])[]
}

/** One schedule, from its seed. */
export class DiskSchedule {
  readonly #random: Random
  readonly #acceptedIds = new Set<string>()
  #model = new JobModel(POLICY, check)
  #holders = new Map<string, number>()
  /** States since the last one that is on the disk for sure, that one included. */
  #commits: Commit[] = []
  #holds: (Hold | undefined)[] = Array.from({ length: WORKER_COUNT })
  #watches = [new LeaseWatch(), new LeaseWatch()]
  #nowMs = 1_000_000
  #claimCount = 0

  constructor(seed: number) {
    this.#random = new Random(seed)
    this.#commit(true)
  }

  /** @throws {BrokenPromise} */
  run(): void {
    for (let step = 0; step < STEP_COUNT; step += 1) this.#step()
    // From here on nothing fails, and every job must come to an end.
    this.#holds = this.#holds.map(() => undefined)
    for (let round = 0; round < 100 && !this.#haveAllEnded(); round += 1) {
      this.#claim(0)
      this.#settle(0, { name: 'finish', token: 0 })
      this.#sweep(0)
      this.#nowMs += LEASE_MS / 4
    }
    checkAllEnded(this.#acceptedIds, (id) => this.#model.records.get(id))
  }

  #step(): void {
    const worker = this.#random.below(WORKER_COUNT)
    const draw = this.#random.next()
    if (draw < 0.12) this.#add()
    else if (draw < 0.3) this.#claim(worker)
    else if (draw < 0.62) this.#settle(worker, this.#leaseCommand())
    else if (draw < 0.66) this.#holds[worker] = undefined
    else if (draw < 0.76) this.#sweep(this.#random.below(this.#watches.length))
    else if (draw < 0.81) this.#wish({ name: 'cancel' })
    else if (draw < 0.87) this.#wish({ name: 'redrive' })
    else if (draw < 0.89) this.#losePower()
    else this.#nowMs += this.#random.below(this.#random.chance(0.05) ? 2 * POLICY.retentionMs : LEASE_MS)
    checkGroupStates([...this.#model.records.values()])
  }

  #add(): void {
    // An id can be used again once its job has expired.
    const id = `job-${this.#random.below(MAX_JOB_COUNT)}`
    const earlier = this.#model.records.get(id)
    if (earlier !== undefined && !isOver(earlier, this.#nowMs)) return
    const job: NewJob = {
      id,
      type: 'work',
      input: INPUT,
      ...(this.#random.chance(0.5) && { concurrencyGroup: 'g' }),
      ...(this.#random.chance(0.2) && { callbackUrl: 'https://example.org' })
    }
    this.#model.add(job, this.#nowMs)
    this.#acceptedIds.add(id)
    this.#commit(true)
  }

  #claim(worker: number): void {
    const due = this.#model.claimable(this.#nowMs)
    if (this.#holds[worker] !== undefined || due.length === 0) return
    const { id } = this.#random.pick(due).job
    const decision = this.#model.change(id, { name: 'claim', leaseMs: LEASE_MS }, this.#nowMs)
    if (decision === 'missing' || decision.outcome !== 'changed')
      throw new BrokenPromise(`job ${id} is due and not given`)
    this.#claimCount += 1
    this.#holders.set(id, this.#claimCount)
    this.#holds[worker] = { id, token: decision.after.token, claimNumber: this.#claimCount }
    this.#commit(false)
  }

  #leaseCommand(): Command {
    const random = this.#random.next()
    const isPermanent = this.#random.chance(0.2)
    return this.#random.pick<Command>([
      { name: 'extend', token: 0, progress: this.#random.next() },
      { name: 'extend', token: 0, progress: undefined },
      { name: 'finish', token: 0 },
      { name: 'fail', token: 0, failed: { message: `broken at ${this.#nowMs} ${random}`, isPermanent }, random },
      { name: 'release', token: 0 }
    ])
  }

  /** A worker's report about its job, perhaps long after it lost the job. */
  #settle(worker: number, command: Command): void {
    const hold = this.#holds[worker]
    if (hold === undefined) return
    const { id, token, claimNumber } = hold
    const holder = this.#holders.get(id)
    const decision = this.#model.change(id, 'token' in command ? { ...command, token } : command, this.#nowMs)
    const isTaken = decision !== 'missing' && decision.outcome === 'changed'
    if (isTaken && holder !== claimNumber) throw new BrokenPromise(`two owners of job ${id} were both believed`)
    if (!isTaken || command.name !== 'extend') this.#holds[worker] = undefined
    this.#forgetHolder(id)
    this.#commit(false)
  }

  #sweep(observer: number): void {
    const leases = this.#model
      .running()
      .map(({ job, token, beat, leaseMs }) => ({ jobId: job.id, token, beat, leaseMs }))
    const silent = this.#watches[observer]?.look(leases, this.#nowMs) ?? []
    const first = this.#random.next()
    for (const [index, { jobId, token, beat }] of silent.entries()) {
      this.#model.change(jobId, { name: 'takeBack', token, beat, random: spread(first, index) }, this.#nowMs)
      this.#forgetHolder(jobId)
    }
    for (const [id, record] of this.#model.records) {
      if (!isOver(record, this.#nowMs)) continue
      this.#model.records.delete(id)
      this.#acceptedIds.delete(id)
    }
    this.#commit(false)
  }

  #wish(command: Command): void {
    if (this.#acceptedIds.size === 0) return
    const id = this.#random.pick([...this.#acceptedIds])
    this.#model.change(id, command, this.#nowMs)
    this.#forgetHolder(id)
    this.#commit(true)
  }

  #forgetHolder(id: string): void {
    if (this.#model.records.get(id)?.job.status !== 'IN_PROGRESS') this.#holders.delete(id)
  }

  #commit(isDurable: boolean): void {
    if (isDurable) this.#commits = []
    this.#commits.push({ records: [...this.#model.records], holders: [...this.#holders] })
  }

  #losePower(): void {
    const { records, holders } = this.#random.pick(this.#commits)
    this.#model = new JobModel(POLICY, check, records)
    this.#holders = new Map(holders)
    for (const [id] of records) this.#acceptedIds.add(id)
    for (const id of this.#acceptedIds) if (!this.#model.records.has(id)) throw new BrokenPromise(`job ${id} is lost`)
    this.#holds = this.#holds.map(() => undefined)
    this.#watches = [new LeaseWatch(), new LeaseWatch()]
    this.#commit(true)
  }

  #haveAllEnded(): boolean {
    return this.#model.records.values().every(({ expiresAtMs }) => expiresAtMs !== undefined)
  }
}

function check(before: JobRecord, after: JobRecord): void {
  checkChange(before, after, POLICY)
  // A heartbeat is a change.
  checkSilence(before, after, after.job.updatedAtMs - before.job.updatedAtMs)
}
