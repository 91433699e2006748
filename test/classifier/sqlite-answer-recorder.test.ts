/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { SqliteAnswerRecorder } from '../../src/classifier/sqlite-answer-recorder.ts'
import { SqliteFile } from '../../src/sqlite-file.ts'
import { temporaryFolder } from '../server/mentor-app.ts'

const ANSWER = { answerId: 'a', answerType: 'EXACT', confidence: 1, chatSessionId: undefined } as const

test('SqliteAnswerRecorder keeps the latest records under their ids, and forgets a mentor', async (t) => {
  const file = new SqliteFile(join(await temporaryFolder(t), 'records.db'))
  t.after(() => file.close())
  const errors: unknown[] = []
  const recorder = new SqliteAnswerRecorder({ file, maxRecords: 3, onError: (error) => errors.push(error) })
  const ids: string[] = []
  for (const question of ['one', 'two', 'three', 'four']) {
    ids.push(await recorder.record({ ...ANSWER, mentorId: question === 'four' ? 'n' : 'm', question }))
  }
  recorder.flush()
  const stored = () => file.all('SELECT id, question FROM asked_questions ORDER BY seq').map((row) => ({ ...row }))
  assert.deepEqual(stored(), [
    { id: ids[1], question: 'two' },
    { id: ids[2], question: 'three' },
    { id: ids[3], question: 'four' }
  ])
  recorder.deleteOf('m')
  assert.deepEqual(stored(), [{ id: ids[3], question: 'four' }])
  assert.deepEqual(errors, [])
})

test('SqliteAnswerRecorder says when records are lost, and answers all the same', async (t) => {
  const file = new SqliteFile(join(await temporaryFolder(t), 'records.db'))
  const errors: unknown[] = []
  const recorder = new SqliteAnswerRecorder({ file, maxRecords: 3, onError: (error) => errors.push(error) })
  await recorder.record({ ...ANSWER, mentorId: 'm', question: 'one' })
  file.close()
  recorder.flush()
  assert.equal(errors.length, 1)
})
