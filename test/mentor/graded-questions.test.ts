/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { GradedMentors, MAX_GRADES } from '../../src/mentor/graded-questions.ts'
import type { Mentor } from '../../src/mentor/mentor.ts'
import type { MentorSource } from '../../src/mentor/mentor-source.ts'
import { SqliteGradeStore } from '../../src/mentor/sqlite-grade-store.ts'
import { SqliteFile } from '../../src/storage/sqlite-file.ts'
import { temporaryFolder } from '../server/mentor-app.ts'

const answer = (id: string, paraphrases: string[]) => ({
  _id: id,
  transcript: id,
  question: { _id: `q-${id}`, question: `Question ${id}?`, paraphrases }
})
const MENTOR: Mentor = { name: 'M', answers: [answer('a', ['one', 'two'])], orphanedCompleteAnswers: [answer('b', [])] }

const source: MentorSource = {
  revisionOf: async (id) => (id === 'm' ? 'r1' : undefined),
  find: async (id) =>
    id === 'm' ? { mentor: MENTOR, gradedQuestions: [], revision: 'r1', byteLength: 100 } : undefined
}

async function openGrades(t: TestContext): Promise<SqliteGradeStore> {
  const file = new SqliteFile(join(await temporaryFolder(t), 'grades.db'))
  t.after(() => file.close())
  return new SqliteGradeStore(file)
}

test('SqliteGradeStore keeps the latest grade of a question, and a revision that changes with each', async (t) => {
  const grades = await openGrades(t)
  assert.equal(await grades.revisionOf('m'), undefined)
  await grades.grade(
    'm',
    [
      { question: 'One?', answerId: 'a' },
      { question: 'two', answerId: undefined }
    ],
    'me'
  )
  const revision = await grades.revisionOf('m')
  await grades.grade('m', [{ question: 'ONE', answerId: 'b' }], 'you')
  assert.deepEqual(await grades.gradesOf('m'), [
    { question: 'ONE', answerId: 'b' },
    { question: 'two', answerId: undefined }
  ])
  assert.notEqual(await grades.revisionOf('m'), revision)
  assert.deepEqual(await grades.gradesOf('n'), [])
  await grades.deleteOf('m')
  assert.equal(await grades.revisionOf('m'), undefined)
})

test('SqliteGradeStore refuses more grades than a mentor may have, and keeps none of them', async (t) => {
  const grades = await openGrades(t)
  const many = Array.from({ length: MAX_GRADES + 1 }, (_, i) => ({ question: `question ${i}`, answerId: 'a' }))
  await assert.rejects(grades.grade('m', many, 'me'), /at most 25000 graded questions/)
  assert.deepEqual(await grades.gradesOf('m'), [])
})

test('GradedMentors adds accepted questions to what matches and to what is learned', async (t) => {
  const grades = await openGrades(t)
  const mentors = new GradedMentors(source, grades)
  assert.deepEqual(await mentors.find('m'), await source.find('m'))
  await grades.grade(
    'm',
    [
      { question: 'Two!', answerId: 'b' },
      { question: 'question A', answerId: 'a' },
      { question: 'gone', answerId: 'no longer there' },
      { question: 'not mine', answerId: undefined }
    ],
    'me'
  )
  const found = await mentors.find('m')
  assert.ok(found !== undefined)
  assert.deepEqual(found.mentor.answers?.[0]?.question.paraphrases, ['one'], 'what was graded to another is taken away')
  assert.deepEqual(found.mentor.orphanedCompleteAnswers?.[0]?.question.paraphrases, ['Two!'])
  assert.deepEqual(
    found.gradedQuestions.map(({ question, answer: of }) => [question, of._id]),
    [
      ['question A', 'a'],
      ['Two!', 'b']
    ]
  )
  assert.deepEqual(found.rejectedQuestions, ['not mine'])
  assert.equal(found.revision, await mentors.revisionOf('m'))
  assert.notEqual(found.revision, 'r1')
  assert.equal(await mentors.revisionOf('nobody'), undefined)
  assert.equal(await mentors.find('nobody'), undefined)
  assert.deepEqual(MENTOR.answers?.[0]?.question.paraphrases, ['one', 'two'], 'the mentor itself is left as it was')
})

test('GradedMentors takes the latest grade of a question that its store has twice', async (t) => {
  const grades = await openGrades(t)
  const twice = {
    revisionOf: async () => '2',
    gradesOf: async () => [
      { question: 'Где вы?', answerId: undefined },
      { question: 'где вы', answerId: 'a' }
    ],
    grade: grades.grade.bind(grades),
    deleteOf: grades.deleteOf.bind(grades)
  }
  const found = await new GradedMentors(source, twice).find('m')
  assert.deepEqual(found?.rejectedQuestions, ['Где вы?'])
  assert.deepEqual(found?.gradedQuestions, [])
})
