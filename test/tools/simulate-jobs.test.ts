/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Random } from '../../tools/simulate-jobs/random.ts'
import { KINDS, simulate } from '../../tools/simulate-jobs/simulate.ts'

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

function breakAtTwelve(seed: number): void {
  if (seed === 12) throw new Error('broken')
}

function draw(seed: number): number[] {
  const random = new Random(seed)
  return Array.from({ length: 1000 }, () => random.next())
}
