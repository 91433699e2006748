/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DEFAULT_JOB_POLICY, LEASE_LOST_TEXT, SUPERSEDED_TEXT, type Job, type NewJob } from '../../src/jobs/job.ts'
import { packPayload } from '../../src/jobs/payload.ts'
import {
  addition,
  decide,
  isOver,
  spread,
  type Command,
  type Decision,
  type GroupState,
  type JobRecord,
  type Transition
} from '../../src/jobs/transitions.ts'

const AT = { nowMs: 5000, policy: DEFAULT_JOB_POLICY }
const RUNNING = { status: 'IN_PROGRESS', attempts: 1, progress: 0.5 } as const
const SILENT = { name: 'takeBack', token: 1, beat: 3, random: 0 } as const
/** Of a lease with token 1, as `recordOf` gives it. */
const LEASED: readonly Command[] = [
  { name: 'extend', token: 1, progress: 0.75 },
  { name: 'finish', token: 1 },
  { name: 'fail', token: 1, failed: { message: 'broken', isPermanent: false }, random: 0.5 },
  { name: 'release', token: 1 },
  SILENT
]

function recordOf(job: Partial<Job> = {}, record: Partial<JobRecord> = {}, more: Partial<NewJob> = {}): JobRecord {
  const added = addition({ id: 'a', type: 'work', input: packPayload(0), ...more }, 'print', undefined, 1000).record
  const leased = { token: 1, beat: 3, leaseMs: 30_000 }
  return { ...added, ...(job.status !== undefined && leased), ...record, job: { ...added.job, ...job } }
}

function made(decision: Decision): Transition {
  assert(decision.outcome === 'changed')
  return decision
}

test('decide() hands out a job that waits, with a new token and nothing done of it', () => {
  const { after, effects } = made(
    decide(recordOf({}, { token: 4, beat: 9 }), undefined, { name: 'claim', leaseMs: 60 }, AT)
  )
  assert.deepEqual(
    { ...after, job: [after.job.status, after.job.attempts, after.job.progress, after.job.updatedAtMs] },
    { fingerprint: 'print', token: 5, beat: 0, leaseMs: 60, expiresAtMs: undefined, job: ['IN_PROGRESS', 1, 0, 5000] }
  )
  assert.deepEqual(effects, {})
})

test('decide() changes nothing under a lease that is over', () => {
  for (const command of LEASED) {
    const lost = { outcome: 'refused', reason: 'lost' }
    assert.deepEqual(decide(recordOf(RUNNING, { token: 2 }), undefined, command, AT), lost, command.name)
    for (const status of ['QUEUED', 'SUCCESS', 'FAILURE'] as const) {
      assert.deepEqual(decide(recordOf({ status }), undefined, command, AT), lost, `${command.name}, ${status}`)
    }
  }
  assert.equal(decide(recordOf(RUNNING, { beat: 4 }), undefined, SILENT, AT).outcome, 'refused', 'a heartbeat came')
})

test('addition() begins with a token above those of an earlier job of the same id', () => {
  const first = recordOf()
  const claimed = made(decide(first, undefined, { name: 'claim', leaseMs: 1 }, AT)).after
  const later = addition({ id: 'a', type: 'work', input: packPayload(0) }, 'print', undefined, 2000).record
  const again = made(decide(later, undefined, { name: 'claim', leaseMs: 1 }, AT)).after
  assert(again.token > claimed.token)
  assert.equal(decide(again, undefined, { name: 'finish', token: claimed.token }, AT).outcome, 'refused')
})

test('decide() ends no job twice', () => {
  const ends: Partial<Job>[] = [
    { status: 'SUCCESS' },
    ...(['DEAD', 'PERMANENT', 'CANCELLED'] as const).map((failure) => ({ status: 'FAILURE' as const, failure }))
  ]
  const commands: Command[] = [
    ...LEASED,
    { name: 'claim', leaseMs: 1 },
    { name: 'cancel' },
    { name: 'supersede' },
    { name: 'postpone', delayMs: 0 },
    { name: 'resend' }
  ]
  for (const end of ends) {
    for (const command of commands) {
      const isWished = command.name === 'cancel' && end.failure === 'CANCELLED'
      const { outcome } = decide(recordOf(end), undefined, command, AT)
      assert.equal(outcome, isWished ? 'unchanged' : 'refused', `${command.name}, ${JSON.stringify(end)}`)
    }
  }
})

test('decide() tries a failed job again after a wait, until its tries are used up', () => {
  const fail = { name: 'fail', token: 1, failed: { message: 'broken', isPermanent: false }, random: 0.5 } as const
  const again = made(decide(recordOf({ ...RUNNING, attempts: 2 }), undefined, fail, AT))
  const { status, progress, lastError, runAtMs, attempts } = again.after.job
  assert.deepEqual([status, progress, lastError, runAtMs, attempts], ['QUEUED', 0, 'broken', 6000, 2])
  assert.deepEqual(again.effects, { announceAfterMs: 1000 })
  const dead = made(decide(recordOf({ ...RUNNING, attempts: 5 }), undefined, fail, AT))
  assert.equal(dead.after.job.failure, 'DEAD')
  assert.equal(dead.after.job.progress, 0.5)
  assert.equal(dead.after.expiresAtMs, 5000 + DEFAULT_JOB_POLICY.retentionMs)
  assert.deepEqual(dead.effects, { hasEnded: true, deadLetter: 'copy' })
  const silent = made(decide(recordOf({ ...RUNNING, attempts: 5 }), undefined, SILENT, AT))
  assert.deepEqual([silent.after.job.failure, silent.after.job.lastError], ['DEAD', LEASE_LOST_TEXT])
})

test('decide() puts a dead letter back as if new, and not a job that someone cancelled', () => {
  const dead = recordOf({ status: 'FAILURE', failure: 'DEAD', attempts: 5, lastError: 'no' }, { expiresAtMs: 9000 })
  const { after, effects } = made(decide(dead, undefined, { name: 'redrive' }, AT))
  const { status, failure, attempts, lastError, runAtMs } = after.job
  assert.deepEqual([status, failure, attempts, lastError, runAtMs], ['QUEUED', undefined, 0, 'no', 5000])
  assert.equal(after.expiresAtMs, undefined)
  assert.equal(after.token, 1, 'old leases stay over')
  assert.deepEqual(effects, { announceAfterMs: 0, deadLetter: 'remove' })
  const cancelled = recordOf({ status: 'FAILURE', failure: 'CANCELLED' })
  assert.equal(decide(cancelled, undefined, { name: 'redrive' }, AT).outcome, 'refused')
})

test('decide() ends a job that would wait beside a newer one of its group', () => {
  const group: GroupState = { waitingId: 'newer', runningId: 'a' }
  for (const command of LEASED.slice(2)) {
    const { after, group: groupAfter, effects } = made(decide(recordOf(RUNNING), group, command, AT))
    assert.deepEqual([after.job.failure, after.job.lastError], ['CANCELLED', SUPERSEDED_TEXT], command.name)
    assert.deepEqual(groupAfter, { waitingId: 'newer', runningId: undefined })
    assert.equal(effects.freedId, 'newer')
  }
  for (const command of [{ name: 'claim', leaseMs: 1 }, { name: 'resend' }, { name: 'supersede' }] as const) {
    const outdated = made(decide(recordOf(), { waitingId: 'newer', runningId: undefined }, command, AT))
    assert.equal(outdated.after.job.lastError, SUPERSEDED_TEXT, command.name)
    assert.deepEqual(outdated.group, { waitingId: 'newer', runningId: undefined })
  }
})

test('decide() keeps a group to one job at work and one that waits', () => {
  const claim = { name: 'claim', leaseMs: 1 } as const
  const busy = { waitingId: 'a', runningId: 'b' }
  assert.deepEqual(decide(recordOf(), busy, claim, AT), { outcome: 'refused', reason: 'group-busy' })
  const free = made(decide(recordOf(), { waitingId: 'a', runningId: undefined }, claim, AT))
  assert.deepEqual(free.group, { waitingId: undefined, runningId: 'a' })
  const released = made(decide(recordOf(RUNNING), free.group, { name: 'release', token: 1 }, AT))
  assert.deepEqual(released.group, { waitingId: 'a', runningId: undefined })
  assert.equal(released.effects.freedId, undefined, 'it is announced by itself')
  const failed = recordOf({ status: 'FAILURE', failure: 'PERMANENT' })
  assert.equal(decide(failed, { waitingId: 'b', runningId: undefined }, { name: 'redrive' }, AT).outcome, 'refused')
  const added = addition({ type: 'work', input: packPayload(0) }, 'print', busy, 1)
  assert.deepEqual([added.outdatedId, added.group?.runningId, added.group?.waitingId], ['a', 'b', added.record.job.id])
})

test('decide() drops the input of what no further try will need', () => {
  const finished = made(decide(recordOf(RUNNING), undefined, { name: 'finish', token: 1 }, AT))
  const cancelled = made(decide(recordOf(RUNNING), undefined, { name: 'cancel' }, AT))
  const failed = { message: 'no', isPermanent: true }
  const permanent = made(decide(recordOf(RUNNING), undefined, { name: 'fail', token: 1, failed, random: 0 }, AT))
  assert.deepEqual(
    [finished, cancelled, permanent].map(({ effects }) => effects.isInputDone),
    [true, true, undefined]
  )
})

test('isOver() is true from the last millisecond of the retention on', () => {
  assert.equal(isOver({ expiresAtMs: 10 }, 9), false)
  assert.equal(isOver({ expiresAtMs: 10 }, 10), true)
  assert.equal(isOver({ expiresAtMs: undefined }, 10), false)
})

test('spread() draws other waits for the jobs of one sweep, evenly', () => {
  for (const first of [0, 0.3, 0.999]) {
    const drawn = Array.from({ length: 20 }, (_, index) => spread(first, index)).toSorted((a, b) => a - b)
    assert(drawn.every((value) => value >= 0 && value < 1))
    const gaps = drawn.slice(1).map((value, index) => value - drawn[index]!)
    assert(Math.max(...gaps) < 0.12 && Math.min(...gaps) > 0.01, gaps.join(' '))
  }
})
