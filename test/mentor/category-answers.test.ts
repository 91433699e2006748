/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { TopicAnswers } from '../../src/mentor/category-answers.ts'
import type { Mentor } from '../../src/mentor/mentor.ts'
import { SqliteMentorStore } from '../../src/mentor/sqlite-mentor-store.ts'
import { SqliteFile } from '../../src/storage/sqlite-file.ts'
import { temporaryFolder } from '../server/mentor-app.ts'
import { answer } from './mentors.ts'

test('categoryAnswers() gives the answers whose questions have the topic, in any case, and only those that count', async (t) => {
  const file = new SqliteFile(join(await temporaryFolder(t), 'mentors.db'))
  t.after(() => file.close())
  const mentors = new SqliteMentorStore(file)
  const noor: Mentor = {
    questions: [
      { question: { _id: 'q-a' }, topics: [{ name: 'Childhood' }, { name: 'Home' }] },
      { question: { _id: 'q-b' }, topics: [{ name: 'Work' }] },
      { question: { _id: 'q-c' }, topics: [{ name: 'childhood ' }] }
    ],
    answers: [
      answer('a', 'Where did you grow up?', { transcript: 'In Oban.' }),
      answer('b', 'What do you do?'),
      answer('c', 'Who raised you?', { status: 'INCOMPLETE' })
    ]
  }
  const json = new TextEncoder().encode(JSON.stringify(noor))
  await mentors.put('noor', { json, revision: '1', name: undefined, answerCount: 3 })
  const categories = new TopicAnswers(mentors)
  assert.deepEqual(await categories.categoryAnswers(' CHILDHOOD', 'noor'), [
    { questionText: 'Where did you grow up?', answerText: 'In Oban.' }
  ])
  assert.deepEqual(await categories.categoryAnswers('Sport', 'noor'), [])
  assert.equal(await categories.categoryAnswers('Childhood', 'nobody'), undefined)
})
