/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { isEnded, type Job, type JobPolicy } from '../../src/jobs/job.ts'
import type { JobPage } from '../../src/jobs/job-backend.ts'
import type {
  AddOptions,
  JobTable,
  NewRecord,
  StoredJob,
  StoredPayload,
  WriteOptions
} from '../../src/jobs/job-table.ts'
import type { LeaseSighting } from '../../src/jobs/lease-watch.ts'
import { unpackPayload, type Payload } from '../../src/jobs/payload.ts'
import {
  changed,
  isOver,
  type Change,
  type GroupState,
  type JobRecord,
  type Step,
  type Transition
} from '../../src/jobs/transitions.ts'
import { BrokenPromise, checkChange, checkGroups, checkSilence } from './witness.ts'
import type { SimulatedProcess, World } from './world.ts'

interface Item {
  record: JobRecord
  readonly key: string | undefined
  readonly input: StoredPayload
  result: StoredPayload | undefined
  isSent: boolean
  stateAtMs: number
  /** When its worker last sent anything, in simulated time, not by a process's clock. */
  heardAtMs: number
}

const NO_GROUP: GroupState = { waitingId: undefined, runningId: undefined }

/** The table that all processes share; it checks each change that is written. */
export class SimulatedTable {
  readonly items = new Map<string, Item>()
  readonly groups = new Map<string, GroupState>()
  readonly keys = new Map<string, string>()
  /** How often each job has ended. */
  readonly endCounts = new Map<string, number>()
  readonly #world: World
  readonly #policy: JobPolicy

  constructor(world: World, policy: JobPolicy) {
    this.#world = world
    this.#policy = policy
  }

  add({ record, input, key }: NewRecord, { staleId, group }: AddOptions, nowMs: number): boolean {
    const { id, concurrencyGroup = '' } = record.job
    const there = this.items.get(id)
    if (there !== undefined && !isOver(there.record, nowMs)) return false
    const keyedId = key === undefined ? undefined : this.keys.get(key)
    if (keyedId !== undefined && keyedId !== staleId) return false
    if (group !== undefined && !isSame(this.groups.get(concurrencyGroup), group[0])) return false
    this.items.set(id, {
      record,
      key,
      input,
      result: undefined,
      isSent: false,
      stateAtMs: record.job.createdAtMs,
      heardAtMs: 0
    })
    if (key !== undefined) this.keys.set(key, id)
    if (group !== undefined) this.groups.set(concurrencyGroup, group[1])
    return true
  }

  write(before: JobRecord, { change, effects, group }: Transition, options: WriteOptions, nowMs: number): boolean {
    const { id, status, concurrencyGroup = '' } = before.job
    const item = this.items.get(id)
    if (item?.record.job.status !== status || item.record.token !== before.token) return false
    if (options.isSilent && item.record.beat !== before.beat) return false
    const isGroupChanged = !isSame(options.group, group)
    if (isGroupChanged && !isSame(this.groups.get(concurrencyGroup), options.group)) return false
    this.#checkOwner(item.record, change, options.result)
    this.#apply(item, change)
    if (options.result !== undefined) item.result = options.result
    item.isSent = effects.announceAfterMs === undefined
    item.stateAtMs = item.record.job.updatedAtMs
    if (isGroupChanged && group !== undefined) this.groups.set(concurrencyGroup, group)
    if (options.notice !== undefined) this.add(options.notice, { staleId: '', group: undefined }, nowMs)
    if (item.record.job.status === 'IN_PROGRESS') item.heardAtMs = this.#world.nowMs
    this.#checkWaiting(before, item.record)
    this.#check(() => checkGroups([...this.items.values()].map(({ record }) => record)))
    return true
  }

  /** A change under a lease, if its token is the job's. */
  step(id: string, step: Step, isAllowed: (item: Item) => boolean): Item | undefined {
    const item = this.items.get(id)
    if (item?.record.job.status !== step.from || !isAllowed(item)) return undefined
    this.#apply(item, step)
    item.isSent = true
    item.heardAtMs = this.#world.nowMs
    return item
  }

  #apply(item: Item, change: Change): void {
    const before = item.record
    // Like the table's ADD and SET: applied to the current item, not to the one that was read.
    item.record = changed(before, change)
    this.#check(() => {
      checkChange(before, item.record, this.#policy)
      checkSilence(before, item.record, this.#world.nowMs - item.heardAtMs)
    })
    const { id } = before.job
    if (isEnded(item.record.job)) this.endCounts.set(id, (this.endCounts.get(id) ?? 0) + 1)
  }

  /** Handlers say under which token they worked, in their results and their errors. */
  #checkOwner({ job, token }: JobRecord, { set }: Change, result: StoredPayload | undefined): void {
    const said = set.status === 'SUCCESS' ? String(valueOf(result)) : (set.lastError ?? '')
    const claimed = /^under (\d+)/.exec(said)?.[1]
    if (claimed === undefined && set.status !== 'SUCCESS') return
    if (Number(claimed) === token) return
    this.#world.fail(new BrokenPromise(`two owners of job ${job.id} were both believed: "${said}" at token ${token}`))
  }

  /** What comes back to the queue is the one that waits for its group. */
  #checkWaiting(before: JobRecord, { job }: JobRecord): void {
    const { id, concurrencyGroup } = job
    if (concurrencyGroup === undefined || job.status !== 'QUEUED' || before.job.status === 'QUEUED') return
    if (this.groups.get(concurrencyGroup)?.waitingId === id) return
    this.#world.fail(new BrokenPromise(`job ${id} waits beside another one of its group`))
  }

  #check(check: () => void): void {
    try {
      check()
    } catch (error) {
      this.#world.fail(error)
    }
  }
}

/** The table as one process reaches it. */
export class RemoteTable implements JobTable {
  readonly #table: SimulatedTable
  readonly #process: SimulatedProcess

  constructor(table: SimulatedTable, process: SimulatedProcess) {
    this.#table = table
    this.#process = process
  }

  async get(id: string): Promise<StoredJob | undefined> {
    return this.#process.call(() => this.#stored(this.#table.items.get(id)))
  }

  async group(name: string): Promise<GroupState> {
    return this.#process.call(() => this.#table.groups.get(name) ?? NO_GROUP)
  }

  async idOfKey(key: string): Promise<string | undefined> {
    return this.#process.call(() => this.#table.keys.get(key))
  }

  async keep(_name: string, _place: string, payload: Payload): Promise<StoredPayload> {
    return { payload }
  }

  async addEntry(): Promise<void> {
    return undefined
  }

  async add(added: NewRecord, options: AddOptions): Promise<boolean> {
    return this.#process.call(() => this.#table.add(added, options, this.#process.wallMs()))
  }

  async write(before: JobRecord, transition: Transition, options: WriteOptions): Promise<boolean> {
    return this.#process.call(() => this.#table.write(before, transition, options, this.#process.wallMs()))
  }

  async claim(id: string, step: Step): Promise<StoredJob | undefined> {
    return this.#process.call(() => {
      return this.#stored(this.#table.step(id, step, ({ record }) => record.job.concurrencyGroup === undefined))
    })
  }

  async extend(id: string, token: number, step: Step): Promise<boolean> {
    return this.#process.call(() => this.#table.step(id, step, ({ record }) => record.token === token) !== undefined)
  }

  async markSent({ id, runAtMs }: Job): Promise<void> {
    return this.#process.call(() => {
      const item = this.#table.items.get(id)
      if (item?.record.job.runAtMs === runAtMs) item.isSent = true
    })
  }

  async list(): Promise<JobPage> {
    return { jobs: [], next: undefined }
  }

  async deadLetters(): Promise<JobPage> {
    return { jobs: [], next: undefined }
  }

  async deadCount(): Promise<number> {
    return 0
  }

  async leases(): Promise<LeaseSighting[]> {
    return this.#process.call(() =>
      [...this.#table.items.values()]
        .filter(({ record }) => record.job.status === 'IN_PROGRESS')
        .map(({ record: { job, token, beat, leaseMs } }) => ({ jobId: job.id, token, beat, leaseMs }))
    )
  }

  async waitingSince(beforeMs: number, isSent: boolean): Promise<Job[]> {
    return this.#process.call(() =>
      [...this.#table.items.values()]
        .filter((item) => item.record.job.status === 'QUEUED' && item.isSent === isSent && item.stateAtMs <= beforeMs)
        .map(({ record }) => record.job)
    )
  }

  async checkIn(): Promise<number> {
    return 1
  }

  #stored(item: Item | undefined): StoredJob | undefined {
    if (item === undefined) return undefined
    const { record, key, input, result } = item
    return {
      record,
      isOfKey: (wanted) => key === wanted,
      payload: async (name) => payloadOf(name === 'input' ? input : result)
    }
  }
}

function isSame(a: GroupState = NO_GROUP, b: GroupState = NO_GROUP): boolean {
  return a.waitingId === b.waitingId && a.runningId === b.runningId
}

/** A payload that the table keeps. */
function payloadOf(stored: StoredPayload | undefined): Payload | undefined {
  const payload = stored?.['payload']
  return isPayload(payload) ? payload : undefined
}

function isPayload(value: unknown): value is Payload {
  return typeof value === 'object' && value !== null && 'bytes' in value && 'contentType' in value
}

/** The value of a payload that the table keeps. */
export function valueOf(stored: StoredPayload | undefined): unknown {
  const payload = payloadOf(stored)
  return payload && unpackPayload(payload)
}
