/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { AnswerWriteBuffer, type BufferedAnswer } from '../../src/answering/answer-write-buffer.ts'

const answer = {
  mentorId: 'm',
  question: 'Who are you?',
  answerId: 'a',
  answerType: 'CLASSIFIER',
  confidence: 0.5,
  margin: undefined,
  chatSessionId: undefined
} as const

/** A buffer over a store that can be away, with all that was written and told. */
function bufferOf() {
  const written: BufferedAnswer[] = []
  const told: unknown[] = []
  const store = { isAway: false, written, told }
  const buffer = new AnswerWriteBuffer(
    async (records) => {
      if (store.isAway) throw new Error('the store is away')
      store.written.push(...records)
    },
    (error) => store.told.push(error)
  )
  return { store, buffer }
}

test('AnswerWriteBuffer keeps records that could not be written, and writes them in their order once it can', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { store, buffer } = bufferOf()
  store.isAway = true
  const first = buffer.add(answer)
  await buffer.flush()
  assert.equal(store.told.length, 1)
  const second = buffer.add(answer)
  store.isAway = false
  // No later than five seconds after the failure, without being asked.
  t.mock.timers.tick(5000)
  await setImmediate()
  assert.deepEqual(
    store.written.map(({ id }) => id),
    [first, second]
  )
  assert.equal(store.told.length, 1)
})

test('AnswerWriteBuffer drops records beyond its limit, and tells so once each time the store is away', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { store, buffer } = bufferOf()
  for (const time of [1, 2]) {
    store.isAway = true
    const ids = Array.from({ length: 10_003 }, () => buffer.add(answer))
    await buffer.flush()
    const behind = store.told.filter((error) => String(error).includes('behind with 10000 records'))
    assert.equal(behind.length, time)
    store.isAway = false
    store.written.length = 0
    await buffer.flush()
    assert.deepEqual(
      store.written.map(({ id }) => id),
      ids.slice(0, 10_000)
    )
  }
})
