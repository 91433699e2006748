/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { DEFAULT_JOB_POLICY, LEASE_LOST_TEXT, type Job } from '../../src/jobs/job.ts'
import { packPayload } from '../../src/jobs/payload.ts'
import { addition, type JobRecord } from '../../src/jobs/transitions.ts'
import { Random } from '../../tools/simulate-jobs/random.ts'
import { KINDS, simulate } from '../../tools/simulate-jobs/simulate.ts'
import {
  BrokenPromise,
  checkAllEnded,
  checkChange,
  checkGroupStates,
  checkSilence
} from '../../tools/simulate-jobs/witness.ts'

const MAIN = fileURLToPath(new URL('../../tools/simulate-jobs/main.ts', import.meta.url))
const QUEUED = { status: 'QUEUED' } as const
const RUNNING = { status: 'IN_PROGRESS', attempts: 1 } as const
const DONE = { status: 'SUCCESS', attempts: 1, progress: 1 } as const
const FAILED = { status: 'FAILURE', failure: 'PERMANENT', attempts: 1 } as const

test('the job engine keeps its promises in 4,000 schedules', { timeout: 60_000 }, async () => {
  const counts = await simulate({ kinds: KINDS, scheduleCount: 4000, seed: 1_000_000 })
  assert.deepEqual([...counts.values()], [3000, 1000])
})

test('simulate() stops at a schedule that breaks a promise, and says how to run it again', async () => {
  await assert.rejects(
    simulate({ kinds: [{ name: 'disk', percent: 1, run: breakAtTwelve }], scheduleCount: 5, seed: 10 }),
    (error) => {
      assert(error instanceof Error && error.cause instanceof Error)
      assert.match(error.message, /npm run simulate-jobs -- --kind disk --schedules 1 --seed 12$/)
      assert.equal(error.cause.message, 'broken')
      return true
    }
  )
})

test('Random draws the same numbers from the same seed, evenly, and others from the next', () => {
  assert.deepEqual(draw(5), draw(5))
  assert.notDeepEqual(draw(5).slice(0, 3), draw(6).slice(0, 3))
  const mean = draw(7).reduce((sum, value) => sum + value, 0) / 1000
  assert(Math.abs(mean - 0.5) < 0.05, String(mean))
  const first = Array.from({ length: 1000 }, (_, seed) => new Random(seed).next())
  assert(Math.abs(first.reduce((sum, value) => sum + value, 0) / 1000 - 0.5) < 0.05, 'of neighbouring seeds too')
})

/** Changes that no job may go through, by the promise that they break. */
const BROKEN: readonly (readonly [RegExp, Partial<Job>, Partial<Job>, token?: number])[] = [
  [/ends once/, DONE, FAILED],
  [/ends once/, { ...FAILED, failure: 'CANCELLED' }, { ...FAILED, failure: 'PERMANENT' }],
  [/only what failed is redriven/, DONE, QUEUED],
  [/claimed before it is done/, QUEUED, { ...DONE, attempts: 0 }],
  [/counts claims/, QUEUED, { ...RUNNING, attempts: 0 }, 2],
  [/counts claims/, { ...RUNNING, attempts: 3 }, { ...QUEUED, attempts: 0, lastError: 'broken' }],
  [/counts claims/, { ...RUNNING, attempts: 3 }, { ...QUEUED, attempts: 2, lastError: 'broken' }],
  [/counts claims/, FAILED, { ...QUEUED, attempts: 1 }],
  [/so often at most/, { ...QUEUED, attempts: 5 }, { ...RUNNING, attempts: 6 }, 2],
  [/used up its tries/, { ...RUNNING, attempts: 2 }, { ...FAILED, failure: 'DEAD', attempts: 2 }],
  [/token of its own/, QUEUED, RUNNING, 1],
  [/from 0 to 1/, RUNNING, { ...RUNNING, progress: 1.5 }],
  [/of the present try/, { ...RUNNING, progress: 0.5 }, { ...QUEUED, attempts: 1, progress: 0.5, lastError: 'broken' }],
  [/1 after success/, RUNNING, { ...DONE, progress: 0.5 }]
]

test('checkChange() tells each promise that a change breaks, and passes what may be', () => {
  for (const [promise, was, is, token] of BROKEN) {
    assert.throws(() => check(was, is, token), { name: 'BrokenPromise', message: promise }, String(promise))
  }
  check(QUEUED, RUNNING, 2)
  check(RUNNING, DONE)
  check(RUNNING, QUEUED)
  check(RUNNING, { ...QUEUED, attempts: 1, lastError: 'broken' })
  check(FAILED, QUEUED)
})

test('the other checks tell what they find', () => {
  const taken = { ...QUEUED, attempts: 1, lastError: LEASE_LOST_TEXT }
  checkSilence(recordOf(RUNNING, 1), recordOf(taken, 1), 30_000)
  assert.throws(() => checkSilence(recordOf(RUNNING, 1), recordOf(taken, 1), 29_999), BrokenPromise)
  const grouped = (job: Partial<Job>): JobRecord => recordOf({ ...job, concurrencyGroup: 'g' }, 1)
  checkGroupStates([grouped(QUEUED), grouped(RUNNING), recordOf(QUEUED, 1), recordOf(QUEUED, 1)])
  assert.throws(() => checkGroupStates([grouped(QUEUED), grouped(QUEUED)]), /two jobs of a group wait/)
  assert.throws(() => checkGroupStates([grouped(RUNNING), grouped(RUNNING)]), /at work/)
  checkAllEnded(['a'], () => recordOf(DONE, 1))
  assert.throws(() => checkAllEnded(['a'], () => undefined), /is gone/)
  assert.throws(() => checkAllEnded(['a'], () => recordOf(QUEUED, 1)), /does not end/)
})

test('simulate-jobs says how many schedules kept every promise, and how it is used', () => {
  const ran = run('--schedules', '8', '--seed', '5')
  assert.equal(ran.status, 0, ran.stderr)
  assert.match(ran.stdout, /^6 on a disk, 2 on a fleet: every promise was kept \(.* s, seeds from 5\)\n$/)
  for (const wrong of [
    ['--kind', 'cloud'],
    ['--schedules', '0'],
    ['--seed', 'x']
  ]) {
    const { status, stderr } = run(...wrong)
    assert.equal(status, 2)
    assert.match(stderr, /^usage: /)
  }
})

function check(was: Partial<Job>, is: Partial<Job>, token = 1): void {
  checkChange(recordOf(was, 1), recordOf(is, token), DEFAULT_JOB_POLICY)
}

function run(...args: string[]) {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' })
}

function recordOf(job: Partial<Job>, token: number): JobRecord {
  const { record } = addition({ id: 'a', type: 'work', input: packPayload(0) }, '', undefined, 1)
  const hasEnded = job.status === 'SUCCESS' || job.status === 'FAILURE'
  return { ...record, job: { ...record.job, ...job }, token, leaseMs: 30_000, expiresAtMs: hasEnded ? 9 : undefined }
}

function breakAtTwelve(seed: number): void {
  if (seed === 12) throw new Error('broken')
}

function draw(seed: number): number[] {
  const random = new Random(seed)
  return Array.from({ length: 1000 }, () => random.next())
}
