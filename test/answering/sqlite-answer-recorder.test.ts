/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { AnswerType } from '../../src/answering/answer.ts'
import { SqliteAnswerRecorder, addMargins } from '../../src/answering/sqlite-answer-recorder.ts'
import { SqliteFile } from '../../src/storage/sqlite-file.ts'
import { temporaryFolder } from '../server/mentor-app.ts'

const ANSWER = {
  answerId: 'a',
  answerType: 'EXACT',
  confidence: 1,
  margin: undefined,
  chatSessionId: undefined
} as const

test('SqliteAnswerRecorder gives what no phrase matched, the latest first, also what it has not written yet', async (t) => {
  const file = new SqliteFile(join(await temporaryFolder(t), 'records.db'))
  t.after(() => file.close())
  const recorder = new SqliteAnswerRecorder({ file, maxRecords: 100, onError: assert.ifError })
  const record = (question: string, answerType: AnswerType, margin?: number, mentorId = 'm') =>
    recorder.record({ ...ANSWER, mentorId, question, answerType, confidence: 0.5, margin })
  await record('exact', 'EXACT')
  await record('first', 'CLASSIFIER', 0.25)
  await record('paraphrase', 'PARAPHRASE')
  await record('of another', 'CLASSIFIER', 0.25, 'n')
  await record('second', 'OFF_TOPIC')
  await record('third', 'CLASSIFIER', 0.125)
  const asked = await recorder.askedOf('m', 2)
  assert.deepEqual(
    asked.map(({ question, answerType, confidence, margin }) => [question, answerType, confidence, margin]),
    [
      ['third', 'CLASSIFIER', 0.5, 0.125],
      ['second', 'OFF_TOPIC', 0.5, undefined]
    ]
  )
  assert.ok(Math.abs(asked[0]!.askedAtMs - Date.now()) < 60_000)
  assert.equal((await recorder.askedOf('m', 100)).length, 3)
  assert.deepEqual(await recorder.askedOf('nobody', 100), [])
})

test('SqliteAnswerRecorder reads a file that has no margins yet', async (t) => {
  const file = new SqliteFile(join(await temporaryFolder(t), 'records.db'))
  t.after(() => file.close())
  file.define(`CREATE TABLE asked_questions (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, mentor TEXT NOT NULL, question TEXT NOT NULL, answer TEXT NOT NULL,
    answer_type TEXT NOT NULL, confidence REAL NOT NULL, chat_session TEXT, asked_at INTEGER NOT NULL) STRICT;
    INSERT INTO asked_questions VALUES (1, 'i', 'm', 'old', 'a', 'CLASSIFIER', 0.5, NULL, 7);`)
  file.migrate([addMargins])
  const recorder = new SqliteAnswerRecorder({ file, maxRecords: 100, onError: assert.ifError })
  const old = { question: 'old', answerType: 'CLASSIFIER', confidence: 0.5, margin: undefined, askedAtMs: 7 }
  assert.deepEqual(await recorder.askedOf('m', 9), [old])
})
