/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { AnswerRecord, AnswerRecordStore } from '../../src/answering/answer-record.ts'

/** A store that is empty at first. */
export interface OpenAnswerRecordStore {
  readonly store: AnswerRecordStore
  /** What is kept of a mentor, oldest first. */
  readonly recordsOf: (mentorId: string) => Promise<readonly (AnswerRecord & { readonly id: string })[]>
  /** Keeps the store from writing any more. */
  readonly breakDown: () => void | Promise<void>
  /** What could not be written was told here. */
  readonly errors: readonly unknown[]
}

/** Of records of one moment any order will do. */
const byQuestion = (a: AnswerRecord, b: AnswerRecord): number => (a.question < b.question ? -1 : 1)

const ANSWER = {
  answerId: 'a',
  answerType: 'CLASSIFIER',
  confidence: 0.75,
  margin: 0.5,
  chatSessionId: 'chat-1'
} as const

/** The promises of every AnswerRecordStore. */
export function answerRecordStoreContract(
  name: string,
  open: (t: TestContext) => Promise<OpenAnswerRecordStore>
): void {
  test(`${name}: records are kept under their ids`, { timeout: 30_000 }, async (t) => {
    const { store, recordsOf, errors } = await open(t)
    const answers: AnswerRecord[] = Array.from({ length: 60 }, (_, n) => ({
      ...ANSWER,
      mentorId: n % 3 === 0 ? 'n' : 'm',
      question: `Question ${n}?`,
      margin: n % 4 === 0 ? undefined : 0.5,
      chatSessionId: n % 2 === 0 ? 'chat-1' : undefined
    }))
    const ids = await Promise.all(answers.map((answer) => store.record(answer, {})))
    await store.flush()
    const kept = await recordsOf('n')
    const wanted = answers.flatMap((answer, n) => (n % 3 === 0 ? [{ ...answer, id: ids[n] }] : []))
    assert.deepEqual([...kept].toSorted(byQuestion), wanted.toSorted(byQuestion))
    assert.equal((await recordsOf('m')).length, 40)
    assert.deepEqual(errors, [])
  })

  test(`${name}: deleteOf() forgets one mentor, also what was asked just now`, { timeout: 30_000 }, async (t) => {
    const { store, recordsOf } = await open(t)
    for (const mentorId of ['m', 'n', 'm']) await store.record({ ...ANSWER, mentorId, question: 'Who?' }, {})
    await store.deleteOf('m')
    assert.deepEqual([(await recordsOf('m')).length, (await recordsOf('n')).length], [0, 1])
  })

  test(
    `${name}: records that are lost are told of, and answers are given all the same`,
    { timeout: 30_000 },
    async (t) => {
      const { store, breakDown, errors } = await open(t)
      await breakDown()
      assert.match(await store.record({ ...ANSWER, mentorId: 'm', question: 'Who?' }, {}), /./)
      await store.flush()
      assert.equal(errors.length, 1)
    }
  )
}
