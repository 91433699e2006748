/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  GraphQlClient,
  GraphQlError,
  type GraphQlClientOptions,
  type GraphQlOperation
} from '../../src/platform/graphql-client.ts'
import {
  GRADED_QUESTIONS,
  MENTOR,
  MENTOR_CAN_EDIT,
  UPDATE_MENTOR_TRAINING,
  USER_QUESTION_CREATE
} from '../../src/platform/graphql-operations.ts'
import type { Fault } from '../../tools/graphql-stand-in/stand-in.ts'
import { answer, listed } from '../mentor/mentors.ts'
import { openStandIn } from './open-stand-in.ts'

const NOOR = answer('a', 'Where do you live?')
const MENTORS = { noor: { name: 'Noor', questions: listed(NOOR), answers: [NOOR] } }

async function setUp(t: TestContext, options: Partial<GraphQlClientOptions> = {}) {
  const standIn = await openStandIn(t, { mentors: MENTORS })
  const client = new GraphQlClient({ endpoint: standIn.endpoint, ...options })
  t.after(() => client.close())
  return { standIn, client }
}

/** What an operation fails with. */
async function failureOf(running: Promise<unknown>): Promise<GraphQlError> {
  const error: unknown = await running.then(
    () => undefined,
    (thrown: unknown) => thrown
  )
  assert.ok(error instanceof GraphQlError, `not a GraphQlError: ${String(error)}`)
  return error
}

test('run() sends the caller’s headers and the secret one, on connections that it keeps', async (t) => {
  const secretHeader = { name: 'X-Secret', value: 's3cret' }
  const standIn = await openStandIn(t, { mentors: MENTORS, secretHeader })
  const client = new GraphQlClient({ endpoint: standIn.endpoint, secretHeader })
  t.after(() => client.close())
  const caller = { authorization: 'Bearer token', externalOrigin: 'https://app.example.org' }
  const { mentor } = await client.run(MENTOR, { id: 'noor' }, { caller })
  assert.deepEqual(mentor?.answers?.[0]?.question.question, 'Where do you live?')
  assert.equal(await client.run(MENTOR_CAN_EDIT, { mentor: 'noor' }, { caller }), true)
  assert.equal(await client.run(MENTOR_CAN_EDIT, { mentor: 'noor' }), false)
  const [first, , third] = standIn.requests.map(({ headers }) => headers)
  assert.deepEqual(
    [first?.authorization, first?.['custom-external-origin'], first?.['x-secret']],
    ['Bearer token', 'https://app.example.org', 's3cret']
  )
  assert.deepEqual([third?.authorization, third?.['custom-external-origin']], [undefined, undefined])
  for (let count = 0; count < 10; count += 1) await client.run(MENTOR, { id: 'noor' })
  assert.ok(standIn.connectionCount <= 2, `${standIn.connectionCount} connections for 13 requests`)
})

/** Far beyond the time that an operation has: who is not ready then is stuck. */
const IN_TIME = { timeout: 20_000 }
const FAULT_REPLIES: readonly [Fault, number, RegExp, { isAway: boolean; mayBeDone: boolean }][] = [
  ['errors', 502, /answered 200 with 1 error\(s\): TOLD_TO_FAIL$/, { isAway: false, mayBeDone: true }],
  ['status-500', 502, /answered 500$/, { isAway: true, mayBeDone: true }],
  ['hang', 504, /did not answer in time$/, { isAway: true, mayBeDone: true }],
  ['drip', 504, /did not answer in time$/, { isAway: true, mayBeDone: true }],
  ['not-json', 502, /answered 200, and not with JSON$/, { isAway: true, mayBeDone: true }],
  ['half', 502, /broke the connection off$/, { isAway: true, mayBeDone: true }],
  ['refuse', 502, /broke the connection off$/, { isAway: true, mayBeDone: true }]
]
for (const [fault, statusCode, message, kind] of FAULT_REPLIES) {
  test(`run() fails with ${statusCode} in time when the service does so: ${fault}`, IN_TIME, async (t) => {
    const { standIn, client } = await setUp(t, statusCode === 504 ? { timeoutMs: 300 } : {})
    standIn.fail({ fault })
    const operations = { [MENTOR.action]: MENTOR, [UPDATE_MENTOR_TRAINING.action]: UPDATE_MENTOR_TRAINING }
    for (const [action, operation] of Object.entries<GraphQlOperation<unknown>>(operations)) {
      const error = await failureOf(client.run(operation, { id: 'noor' }))
      assert.equal(error.statusCode, statusCode)
      assert.match(error.message, message)
      assert.ok(error.message.startsWith(`Cannot ${action}: the GraphQL service `))
      assert.deepEqual({ isAway: error.isAway, mayBeDone: error.mayBeDone }, kind)
    }
    standIn.fail()
    assert.equal(await client.run(MENTOR_CAN_EDIT, { mentor: 'noor' }), false)
  })
}

test('run() ends with the call’s own time, where that is shorter', IN_TIME, async (t) => {
  const { standIn, client } = await setUp(t, { timeoutMs: 60_000 })
  standIn.fail({ fault: 'hang' })
  assert.equal((await failureOf(client.run(MENTOR, { id: 'noor' }, { timeoutMs: 50 }))).statusCode, 504)
})

test('run() tries a query three times, a mutation and what is not the service’s fault once', async (t) => {
  const { standIn, client } = await setUp(t)
  standIn.fail({ fault: 'status-500', times: 2 })
  assert.equal((await client.run(MENTOR, { id: 'noor' })).mentor?.name, 'Noor')
  assert.equal(standIn.requests.length, 3)
  standIn.fail({ fault: 'status-500' })
  await failureOf(client.run(UPDATE_MENTOR_TRAINING, { id: 'noor' }))
  assert.equal(standIn.requests.length, 4)
  standIn.fail({ fault: 'errors' })
  await failureOf(client.run(MENTOR, { id: 'noor' }))
  assert.equal(standIn.requests.length, 5)
})

test('run() leaves a service alone that fails again and again, then asks it once more', async (t) => {
  const { standIn, client } = await setUp(t, { openMs: 50 })
  standIn.fail({ fault: 'status-500' })
  const userQuestion = { mentor: 'noor', question: 'Why?' }
  for (let failures = 0; failures < 10; failures += 1) {
    await failureOf(client.run(USER_QUESTION_CREATE, { userQuestion }))
  }
  standIn.fail()
  const error = await failureOf(client.run(USER_QUESTION_CREATE, { userQuestion }))
  assert.match(error.message, /failed 10 times in a row and is left alone for some seconds$/)
  assert.deepEqual([error.statusCode, error.retryAfterSeconds, error.isAway, error.mayBeDone], [502, 1, true, false])
  assert.equal(standIn.requests.length, 10)
  for (;;) {
    const id = await client.run(USER_QUESTION_CREATE, { userQuestion }).catch(() => undefined)
    if (id !== undefined) break
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.equal(standIn.userQuestions.length, 1)
})

test('run() lets nobody wait for the one that tries whether the service is well again', IN_TIME, async (t) => {
  const { standIn, client } = await setUp(t, { openMs: 1, timeoutMs: 60_000 })
  standIn.fail({ fault: 'refuse', times: 10 })
  const update = () => client.run(UPDATE_MENTOR_TRAINING, { id: 'noor' })
  for (let failures = 0; failures < 10; failures += 1) await failureOf(update())
  standIn.fail({ fault: 'hang' })
  await new Promise((resolve) => setTimeout(resolve, 2))
  const trying = update()
  assert.match((await failureOf(update())).message, /left alone for some seconds$/)
  await standIn.close()
  await failureOf(trying)
})

test('run() does not hold errors in a reply against the service', async (t) => {
  const { standIn, client } = await setUp(t)
  standIn.fail({ fault: 'errors', times: 20 })
  for (let failures = 0; failures < 20; failures += 1) await failureOf(client.run(MENTOR, { id: 'noor' }))
  assert.equal((await client.run(MENTOR, { id: 'noor' })).mentor?.name, 'Noor')
})

test('run() says what else is wrong: nobody there, too long a reply, data of another shape, an unknown operation', async (t) => {
  const { standIn, client } = await setUp(t, { maxReplyBytes: 200 })
  const tooLong = await failureOf(client.run(MENTOR, { id: 'noor' }))
  assert.match(tooLong.message, /is too long$/)
  assert.equal(tooLong.isAway, false)
  assert.equal((await client.run(MENTOR, { id: 'nobody' })).mentor, undefined)
  const other = { ...MENTOR_CAN_EDIT, read: () => undefined }
  assert.match((await failureOf(client.run(other, { mentor: 'noor' }))).message, /answered with data of another shape$/)
  const unknown = { ...MENTOR_CAN_EDIT, document: '{ noSuchField }' }
  const refused = await failureOf(client.run(unknown, {}))
  assert.match(refused.message, /answered 400 with 1 error\(s\)$/)
  assert.deepEqual([refused.isAway, refused.mayBeDone], [false, false])
  await standIn.close()
  const nobody = await failureOf(client.run(UPDATE_MENTOR_TRAINING, { id: 'noor' }))
  assert.deepEqual([nobody.statusCode, nobody.isAway], [502, true])
  const elsewhere = new GraphQlClient({ endpoint: 'http://127.0.0.1:1/graphql' })
  t.after(() => elsewhere.close())
  const refusedConnection = await failureOf(elsewhere.run(UPDATE_MENTOR_TRAINING, { id: 'noor' }))
  assert.match(refusedConnection.message, /cannot be reached$/)
  assert.deepEqual([refusedConnection.statusCode, refusedConnection.mayBeDone], [502, false])
})

test('MENTOR leaves out answers that were never recorded or whose question is gone, and says how many', async (t) => {
  const { standIn, client } = await setUp(t)
  const { question } = answer('b', 'gone')
  const never: unknown[] = [{ ...answer('b', 'gone'), question: null }, { _id: null, question }, null]
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- such answers are not of the shape that is asked for
  const answers = [NOOR, ...never] as (typeof NOOR)[]
  standIn.mentors.set('noor', { answers, orphanedCompleteAnswers: answers.slice(1), questions: listed(NOOR) })
  const { mentor, leftOutCount, leftOutQuestionCount } = await client.run(MENTOR, { id: 'noor' })
  assert.deepEqual([mentor?.answers?.map(({ _id }) => _id), mentor?.orphanedCompleteAnswers], [['a'], []])
  assert.deepEqual([leftOutCount, leftOutQuestionCount], [6, 0])
  const read = MENTOR.read({ mentor: { questions: [null, { question: null }, ...listed(NOOR)] } })
  assert.deepEqual([read?.leftOutCount, read?.leftOutQuestionCount], [0, 2])
})

test('GRADED_QUESTIONS reads what is graded alone', async (t) => {
  const { standIn, client } = await setUp(t)
  standIn.grade('noor', 'Your town?', 'a')
  await client.run(USER_QUESTION_CREATE, { userQuestion: { mentor: 'noor', question: 'Why?' } })
  const filter = { $and: [{ graderAnswer: { $ne: null } }, { mentor: 'noor' }] }
  const { questions, length, next } = await client.run(GRADED_QUESTIONS, { filter })
  assert.deepEqual(questions[0] && [questions[0].question, questions[0].answer._id], ['Your town?', 'a'])
  assert.deepEqual([length, next], [1, undefined])
})
