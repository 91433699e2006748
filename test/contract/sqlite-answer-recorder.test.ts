/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ANSWER_TYPES } from '../../src/answering/answer.ts'
import { SqliteAnswerRecorder } from '../../src/answering/sqlite-answer-recorder.ts'
import { SqliteFile } from '../../src/storage/sqlite-file.ts'
import { nameIn, numberIn, optionalIn, textIn } from '../../src/storage/stored-record.ts'
import { temporaryFolder } from '../server/mentor-app.ts'
import { answerRecordStoreContract } from './answer-record-store.ts'

async function open(t: TestContext, maxRecords = 1000) {
  const file = new SqliteFile(join(await temporaryFolder(t), 'records.db'))
  let isOpen = true
  const breakDown = () => {
    if (isOpen) file.close()
    isOpen = false
  }
  t.after(breakDown)
  const errors: unknown[] = []
  const store = new SqliteAnswerRecorder({ file, maxRecords, onError: (error) => errors.push(error) })
  const recordsOf = async (mentorId: string) =>
    file.all('SELECT * FROM asked_questions WHERE mentor = ? ORDER BY seq', mentorId).map((row) => ({
      id: textIn(row, 'id'),
      mentorId: textIn(row, 'mentor'),
      question: textIn(row, 'question'),
      answerId: textIn(row, 'answer'),
      answerType: nameIn(ANSWER_TYPES, row, 'answer_type'),
      confidence: numberIn(row, 'confidence'),
      margin: optionalIn(row, 'margin', numberIn),
      chatSessionId: optionalIn(row, 'chat_session', textIn)
    }))
  return { store, recordsOf, breakDown, errors }
}

answerRecordStoreContract('SqliteAnswerRecorder', open)

test('SqliteAnswerRecorder keeps the latest records', async (t) => {
  const { store, recordsOf } = await open(t, 3)
  const answer = {
    mentorId: 'm',
    answerId: 'a',
    answerType: 'EXACT',
    confidence: 1,
    margin: undefined,
    chatSessionId: undefined
  } as const
  for (const question of ['one', 'two', 'three', 'four']) await store.record({ ...answer, question })
  await store.flush()
  assert.deepEqual(
    (await recordsOf('m')).map(({ question }) => question),
    ['two', 'three', 'four']
  )
})
