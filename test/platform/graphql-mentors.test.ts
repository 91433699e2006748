/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { GraphQlClient, GraphQlError } from '../../src/platform/graphql-client.ts'
import { GraphQlMentors } from '../../src/platform/graphql-mentors.ts'
import { answer, listed } from '../mentor/mentors.ts'
import { openStandIn } from './open-stand-in.ts'

const HOME = { ...answer('a', 'Where do you live?'), transcript: 'In Oban.' }
const NOOR = {
  name: 'Noor',
  questions: listed(HOME).map(({ question }) => ({ question, topics: [{ name: 'Home' }] })),
  answers: [HOME]
}

async function setUp(t: TestContext) {
  const standIn = await openStandIn(t, { mentors: { noor: NOOR } })
  const client = new GraphQlClient({ endpoint: standIn.endpoint })
  t.after(() => client.close())
  const warnings: string[] = []
  const mentors = new GraphQlMentors(client, { warn: (_fields, message) => warnings.push(message) })
  return { standIn, mentors, warnings }
}

test('find() gives mentor, graded questions and a revision of both', async (t) => {
  const { standIn, mentors } = await setUp(t)
  const first = await mentors.find('noor')
  assert.deepEqual([first?.mentor.name, first?.gradedQuestions], ['Noor', []])
  assert.equal(await mentors.revisionOf('noor'), first?.revision)
  standIn.grade('noor', 'Your town?', 'a')
  const graded = await mentors.find('noor')
  assert.deepEqual(
    graded?.gradedQuestions.map(({ question, answer: { _id } }) => [question, _id]),
    [['Your town?', 'a']]
  )
  assert.notEqual(graded?.revision, first?.revision)
  standIn.mentors.set('noor', { ...NOOR, name: 'N.' })
  assert.notEqual(await mentors.revisionOf('noor'), graded?.revision)
  assert.equal(await mentors.find('nobody'), undefined)
})

test('find() reads graded questions page by page, when there are more than a page', async (t) => {
  const { standIn, mentors } = await setUp(t)
  for (let count = 0; count < 10_001; count += 1) standIn.grade('noor', `Question ${count}?`, 'a')
  const found = await mentors.find('noor')
  assert.equal(found?.gradedQuestions.length, 10_001)
  assert.equal(found.gradedQuestions.at(-1)?.question, 'Question 10000?')
  assert.equal(new Set(found.gradedQuestions.map(({ question }) => question)).size, 10_001)
})

test('find() keeps the first page of a service whose further pages fail, and none when that fails', async (t) => {
  const { standIn, mentors, warnings } = await setUp(t)
  for (let count = 0; count < 9999; count += 1) standIn.grade('noor', `Question ${count}?`, 'a')
  standIn.fail({ fault: 'errors', field: 'GradedQuestionsPage' })
  assert.equal((await mentors.find('noor'))?.gradedQuestions.length, 9999)
  assert.deepEqual(warnings, ['not all graded questions could be read: the rest is ignored'])
  standIn.fail({ fault: 'errors', field: 'GradedQuestions' })
  assert.deepEqual((await mentors.find('noor'))?.gradedQuestions, [])
})

test('categoryAnswers() gives questions and answers of a category; nothing for an unknown mentor', async (t) => {
  const { standIn, mentors } = await setUp(t)
  assert.deepEqual(await mentors.categoryAnswers('Home', 'noor'), [
    { questionText: 'Where do you live?', answerText: 'In Oban.' }
  ])
  assert.deepEqual(await mentors.categoryAnswers('Work', 'noor'), [])
  assert.equal(await mentors.categoryAnswers('Home', 'nobody'), undefined)
  standIn.fail({ fault: 'errors' })
  await assert.rejects(mentors.categoryAnswers('Home', 'noor'), GraphQlError)
})
