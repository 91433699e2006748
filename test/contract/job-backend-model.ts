/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import * as fc from 'fast-check'

import { fingerprintOf, type Job, type JobPolicy, type NewJob } from '../../src/jobs/job.ts'
import type { Changed, JobBackend, Lease } from '../../src/jobs/job-backend.ts'
import { LeaseWatch } from '../../src/jobs/lease-watch.ts'
import { packPayload } from '../../src/jobs/payload.ts'
import { isOver, spread, type Command, type Decision, type JobRecord } from '../../src/jobs/transitions.ts'
import { JobModel } from '../../tools/simulate-jobs/job-model.ts'
import { checkChange, checkGroupStates } from '../../tools/simulate-jobs/witness.ts'
import { TestClock, type OpenStore } from './job-backend.ts'

/** How a backend is compared with the model. */
export interface ModelComparison {
  readonly runCount: number
  /** Whether it hands out every job that is due, at once. A queue across a network does when it has got round to it. */
  readonly isPrompt: boolean
}

const LEASE_MS = 30_000
const RANDOM = 0.999
const ID_COUNT = 4
const POLICY: JobPolicy = { maxReceives: 3, retryBaseMs: 0, retryMaxMs: 900_000, retentionMs: 200_000 }

const id = fc.integer({ min: 0, max: ID_COUNT - 1 }).map((n) => `job-${n}`)
/** Which of the leases given so far, counted from the last: old ones are tried too. */
const leaseAge = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 4 }) })
const operations = fc.oneof(
  { weight: 4, arbitrary: fc.record({ name: fc.constant('add'), id, isGrouped: fc.boolean(), n: fc.nat({ max: 1 }) }) },
  { weight: 6, arbitrary: fc.record({ name: fc.constant('claim') }) },
  { weight: 2, arbitrary: fc.record({ name: fc.constant('extend'), leaseAge, progress: fc.constantFrom(0.25, 0.5) }) },
  { weight: 1, arbitrary: fc.record({ name: fc.constant('extend'), leaseAge, progress: fc.constant(undefined) }) },
  { weight: 2, arbitrary: fc.record({ name: fc.constant('finish'), leaseAge }) },
  { weight: 4, arbitrary: fc.record({ name: fc.constant('fail'), leaseAge, isPermanent: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ name: fc.constant('release'), leaseAge }) },
  { weight: 1, arbitrary: fc.record({ name: fc.constant('cancel'), id }) },
  { weight: 2, arbitrary: fc.record({ name: fc.constant('redrive'), id }) },
  { weight: 3, arbitrary: fc.record({ name: fc.constant('sweep') }) },
  { weight: 3, arbitrary: fc.record({ name: fc.constant('advance'), ms: fc.constantFrom(1, 700, LEASE_MS, 200_000) }) }
)
type Operation = typeof operations extends fc.Arbitrary<infer T> ? T : never

/** Holds a backend against the model, by random operations. */
export function jobBackendModelContract(name: string, openStore: OpenStore, comparison: ModelComparison): void {
  const policies = comparison.isPrompt ? [POLICY, { ...POLICY, retryBaseMs: 1000 }] : [POLICY]
  for (const policy of policies) {
    const told = `${name}: does what the state machine decides, with waits of ${policy.retryBaseMs} ms and more`
    test(told, { timeout: 120_000 }, async (t) => {
      const property = fc.asyncProperty(fc.array(operations, { minLength: 5, maxLength: 40 }), async (drawn) => {
        const pair = await Pair.open(t, openStore, policy, comparison)
        try {
          for (const each of drawn) await pair.does(each)
        } finally {
          await pair.backend.close()
        }
      })
      await fc.assert(property, { numRuns: comparison.runCount })
    })
  }
}

/** A backend and the model, which do the same. */
class Pair {
  readonly backend: JobBackend
  readonly #model: JobModel
  readonly #clock: TestClock
  readonly #isPrompt: boolean
  readonly #watch = new LeaseWatch()
  readonly #leases: Lease[] = []

  private constructor(backend: JobBackend, clock: TestClock, policy: JobPolicy, isPrompt: boolean) {
    this.backend = backend
    this.#clock = clock
    this.#isPrompt = isPrompt
    this.#model = new JobModel(policy, (before, after) => checkChange(before, after, policy))
  }

  static async open(t: TestContext, openStore: OpenStore, policy: JobPolicy, { isPrompt }: ModelComparison) {
    const clock = new TestClock()
    const openPeer = await openStore(t)
    return new Pair(await openPeer({ clock, policy, random: () => RANDOM }), clock, policy, isPrompt)
  }

  async does(operation: Operation): Promise<void> {
    if ('n' in operation) await this.#add(operation)
    else if ('leaseAge' in operation) await this.#settle(operation)
    else if ('ms' in operation) this.#clock.advance(operation.ms)
    else if ('id' in operation) await this.#wish(operation.name === 'cancel' ? 'cancel' : 'redrive', operation.id)
    else if (operation.name === 'claim') await this.#claim()
    else await this.#sweep()
    checkGroupStates([...this.#model.records.values()])
    for (let n = 0; n < ID_COUNT; n += 1) await this.#compare(`job-${n}`)
  }

  async #add({ id: jobId, isGrouped, n }: { id: string; isGrouped: boolean; n: number }): Promise<void> {
    const job: NewJob = {
      id: jobId,
      type: 'work',
      input: packPayload(n),
      ...(isGrouped && { concurrencyGroup: 'g' })
    }
    const enqueued = await this.backend.enqueue(job)
    const earlier = this.#live(jobId)
    if (earlier === undefined) this.#model.add(job, this.#clock.wallMs())
    const isSame = earlier?.fingerprint === fingerprintOf(job)
    assert.equal(enqueued.outcome, earlier === undefined ? 'added' : isSame ? 'existing' : 'conflict')
  }

  async #claim(): Promise<void> {
    const nowMs = this.#clock.wallMs()
    const [claim] = await this.backend.claim({ types: ['work'], limit: 1, leaseMs: LEASE_MS, waitMs: 0 })
    const due = this.#model.claimable(nowMs).map(({ job }) => job.id)
    if (claim === undefined) {
      if (this.#isPrompt) assert.deepEqual(due, [], 'a job was due')
      return
    }
    const { job, lease } = claim
    assert(due.includes(job.id), `${job.id} was not due`)
    const decision = this.#model.change(job.id, { name: 'claim', leaseMs: LEASE_MS }, nowMs)
    assert(decision !== 'missing' && decision.outcome === 'changed')
    this.#assertSame(job, decision.after.job)
    assert.equal(lease.token, decision.after.token)
    this.#leases.unshift(lease)
  }

  async #settle(operation: Extract<Operation, { leaseAge: number }>): Promise<void> {
    const lease = this.#leases[operation.leaseAge]
    if (lease === undefined) return
    const { token } = lease
    let outcome: string
    let command: Command
    if ('progress' in operation) {
      outcome = await this.backend.extend(lease, operation.progress)
      command = { name: 'extend', token, progress: operation.progress }
    } else if ('isPermanent' in operation) {
      const failed = { message: `broken at ${this.#clock.wallMs()}`, isPermanent: operation.isPermanent }
      outcome = await this.backend.fail(lease, failed)
      command = { name: 'fail', token, failed, random: RANDOM }
    } else if (operation.name === 'finish') {
      outcome = await this.backend.finish(lease, packPayload(token))
      command = { name: 'finish', token }
    } else {
      outcome = await this.backend.release(lease)
      command = { name: 'release', token }
    }
    const decision = this.#model.change(lease.jobId, command, this.#clock.wallMs())
    assert.equal(outcome, isChanged(decision) ? 'held' : 'lost', operation.name)
  }

  async #wish(name: 'cancel' | 'redrive', jobId: string): Promise<void> {
    const changed: Changed = await this.backend[name](jobId)
    const decision = this.#model.change(jobId, { name }, this.#clock.wallMs())
    const expected = decision === 'missing' ? 'missing' : decision.outcome === 'refused' ? 'refused' : 'changed'
    assert.equal(changed.outcome, expected, name)
    if (changed.outcome !== 'missing') this.#assertSame(changed.job, this.#live(jobId)?.job)
  }

  async #sweep(): Promise<void> {
    const { expiredLeaseCount } = await this.backend.sweep()
    const leases = this.#model
      .running()
      .map(({ job, token, beat, leaseMs }) => ({ jobId: job.id, token, beat, leaseMs }))
    const silent = this.#watch.look(leases, this.#clock.monotonicMs())
    assert.equal(expiredLeaseCount, silent.length)
    for (const [index, { jobId, token, beat }] of silent.entries()) {
      const random = spread(RANDOM, index)
      this.#model.change(jobId, { name: 'takeBack', token, beat, random }, this.#clock.wallMs())
    }
    for (const [jobId, record] of this.#model.records) {
      if (isOver(record, this.#clock.wallMs())) this.#model.records.delete(jobId)
    }
  }

  async #compare(jobId: string): Promise<void> {
    const record = this.#live(jobId)
    this.#assertSame(await this.backend.find(jobId), record?.job)
    const result = await this.backend.result(jobId)
    const isDone = record?.job.status === 'SUCCESS'
    assert.deepEqual(result, isDone ? packPayload(record.token) : undefined, 'the result is that of the last lease')
  }

  /** A backend with a queue of messages may let a job wait anew while its group is at work, and notes when it did. */
  #assertSame(actual: Job | undefined, expected: Job | undefined): void {
    if (this.#isPrompt || actual === undefined || expected === undefined) assert.deepEqual(actual, expected)
    else assert.deepEqual({ ...actual, ...timesOf(expected) }, expected)
  }

  #live(jobId: string): JobRecord | undefined {
    const record = this.#model.records.get(jobId)
    return record === undefined || isOver(record, this.#clock.wallMs()) ? undefined : record
  }
}

function timesOf({ runAtMs, updatedAtMs }: Job): Pick<Job, 'runAtMs' | 'updatedAtMs'> {
  return { runAtMs, updatedAtMs }
}

function isChanged(decision: Decision | 'missing'): boolean {
  return decision !== 'missing' && decision.outcome === 'changed'
}
