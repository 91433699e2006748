/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import type { Mentor } from '../../../../src/mentor/mentor.ts'
import { withTrainingData } from '../../../../src/mentor/sheet-merge.ts'
import { readTrainingData } from '../../../../src/mentor/training-data.ts'
import type { Fault, GraphQlStandIn } from '../../../../tools/graphql-stand-in/stand-in.ts'
import { openStandIn } from '../../../platform/open-stand-in.ts'
import { bearer, openMentorApp, temporaryFolder, type MentorApp } from '../../mentor-app.ts'
import { API_KEY } from '../../test-app.ts'

const CSV = readFileSync(new URL('../../../../examples/mentor.csv', import.meta.url), 'utf8')
/** A few answers of the example. */
const NOOR: Mentor = withTrainingData(
  undefined,
  readTrainingData(
    CSV.split('\r\n')
      .filter((line, index) => index < 9 || line.startsWith('say-'))
      .join('\r\n')
  ).rows
)
const SECRET_HEADER = { name: 'x-platform-secret', value: 'platform-secret' }
/** Nowhere near a question of the example. */
const OFF_TOPIC = 'xylophone quantum brie'
/** Near one, but not word for word. */
const NEAR = 'your name, what is it, can you tell me'

interface Answer {
  readonly answer_id: string
  readonly answer_type: string
  readonly confidence: number
  readonly feedback_id: string
  readonly answer_missing: boolean
}

interface Setting {
  readonly app: MentorApp
  readonly standIn: GraphQlStandIn
  /** Asks; the answer as it came. */
  readonly asked: (query: string, more?: Record<string, string>) => Promise<Answer>
}

async function setUp(t: TestContext, env: Record<string, string> = {}, standIn?: GraphQlStandIn): Promise<Setting> {
  const platform = standIn ?? (await openStandIn(t, { mentors: { noor: NOOR }, secretHeader: SECRET_HEADER }))
  const app = await openMentorApp(t, {
    MENTOR_SOURCE: 'graphql',
    GRAPHQL_ENDPOINT: platform.endpoint,
    SECRET_HEADER_NAME: SECRET_HEADER.name,
    SECRET_HEADER_VALUE: SECRET_HEADER.value,
    ...env
  })
  return {
    app,
    standIn: platform,
    asked: async (query, more) => {
      const reply = await app.question('noor', query, more)
      assert.equal(reply.statusCode, 200, reply.body)
      return reply.json()
    }
  }
}

/** Waits until something holds, as it will once what was begun is done. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

test('a mentor of the GraphQL service is trained and asked, and the service is told', async (t) => {
  const { app, standIn, asked } = await setUp(t)
  const training = await app.train({ mentor: 'noor' })
  assert.equal(training.status, 'SUCCESS', training.error)
  assert.deepEqual(
    standIn.trainTasks.map(({ _id, mentor, status }) => [_id, mentor, status]),
    ['QUEUED', 'IN_PROGRESS', 'SUCCESS'].map((status) => [training.id, 'noor', status])
  )
  assert.match(training.id, /^[0-9a-f]{24}$/)
  assert.deepEqual(standIn.trained, ['noor'])
  for (const { headers, fields } of standIn.requests) {
    assert.equal(headers.authorization, `Bearer ${API_KEY}`, fields.join())
    assert.equal(headers['x-platform-secret'], 'platform-secret')
  }

  const exact = await asked('What is your name?', { chatsessionid: 'chat-1' })
  assert.deepEqual([exact.answer_id, exact.answer_type], ['intro-name', 'EXACT'])
  const classified = await asked(NEAR)
  assert.deepEqual([classified.answer_id, classified.answer_type], ['intro-name', 'CLASSIFIER'])
  const off = await asked(OFF_TOPIC)
  assert.equal(off.answer_type, 'OFF_TOPIC')
  const [first, second, third] = standIn.userQuestions
  assert.deepEqual(
    { ...first },
    {
      _id: exact.feedback_id,
      mentor: 'noor',
      question: 'What is your name?',
      classifierAnswer: 'intro-name',
      classifierAnswerType: 'EXACT',
      confidence: 1,
      chatSessionId: 'chat-1',
      graderAnswer: null
    }
  )
  assert.deepEqual([second?._id, second?.confidence], [classified.feedback_id, classified.confidence])
  assert.deepEqual([third?.classifierAnswerType, third?.classifierAnswer], ['OFF_TOPIC', off.answer_id])

  const whole = await app.ask({ url: '/mentors/noor' })
  assert.equal(whole.json<Mentor>().answers?.length, NOOR.answers?.length)
  assert.equal((await app.ask({ url: '/trainingdata/noor' })).statusCode, 200)
})

test('training data is for who may edit the mentor, as the service says, and goes by the ids of questions', async (t) => {
  const { app, standIn } = await setUp(t, { GRAPHQL_TIMEOUT_SECONDS: '1' })
  const sheet = await app.ask({ url: '/trainingdata/noor' })
  assert.equal(sheet.statusCode, 200, sheet.body)
  const ids = readTrainingData(sheet.body).rows.map(({ id }) => id)
  assert.deepEqual(ids, [...new Set((NOOR.answers ?? []).map((one) => one.question._id))])
  assert.ok(standIn.requests.some(({ fields }) => fields.includes('mentorCanEdit')))
  for (const [fault, status] of [
    ['refuse', 502],
    ['errors', 502],
    ['hang', 504]
  ] as const) {
    standIn.fail({ fault, field: 'mentorCanEdit' })
    const failed = await app.ask({ url: '/trainingdata/noor' })
    assert.equal(failed.statusCode, status, fault)
    standIn.fail()
  }
  standIn.locked.add('noor')
  const refused = await app.ask({ url: '/trainingdata/noor' })
  assert.deepEqual([refused.statusCode, refused.json().message], [403, 'not authorized'])

  // Where the same mentor is stored, the sheet changes nothing.
  const local = await openMentorApp(t)
  await local.ask({ method: 'PUT', url: '/mentors/noor', payload: NOOR })
  const before = (await local.ask({ url: '/trainingdata/noor' })).body
  const put = await local.put('noor', sheet.body)
  assert.deepEqual(put.json().data.problems, [])
  assert.equal((await local.ask({ url: '/trainingdata/noor' })).body, before)
  assert.deepEqual((await local.ask({ url: '/mentors/noor' })).json(), NOOR)
})

test('answers that were never recorded are left out of a mentor of the service, and lint says how many', async (t) => {
  const { app, standIn, asked } = await setUp(t, { MENTOR_FRESH_SECONDS: '0' })
  const [first] = NOOR.answers!
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- such answers are not of the shape that is asked for
  const never = [{ ...first, _id: null }, { ...first, question: null }, null] as unknown as NonNullable<
    Mentor['answers']
  >
  standIn.mentors.set('noor', { ...NOOR, answers: [...never, ...NOOR.answers!] })
  const training = await app.train({ mentor: 'noor' })
  assert.equal(training.status, 'SUCCESS', training.error)
  assert.equal((await asked('What is your name?')).answer_id, 'intro-name')
  assert.equal((await app.ask({ url: '/mentors/noor/lint' })).json().data.leftOutCount, 3)
  assert.deepEqual((await app.ask({ url: '/mentors/noor' })).json().answers.length, NOOR.answers!.length)
})

test('the caller’s custom-external-origin goes along, at once and in the training', async (t) => {
  const { app, standIn } = await setUp(t)
  app.work()
  const headers = { 'custom-external-origin': 'https://app.example.org' }
  const reply = await app.ask({ method: 'POST', url: '/train', payload: { mentor: 'noor' }, headers })
  const { data }: { data: { id: string } } = reply.json()
  await app.backend.waitUntilEnded(data.id, 30_000)
  assert.equal(standIn.trainTasks.length, 3)
  assert.deepEqual(
    new Set(standIn.requests.map((request) => request.headers['custom-external-origin'])),
    new Set(['https://app.example.org'])
  )
})

test('a graded question wins over what the mentor’s own questions say', async (t) => {
  const { app, standIn, asked } = await setUp(t)
  standIn.grade('noor', 'What is your name?', 'intro-home')
  standIn.grade('noor', OFF_TOPIC, 'intro-job')
  await app.train({ mentor: 'noor' })
  const graded = await asked('what is YOUR name')
  assert.deepEqual([graded.answer_id, graded.answer_type, graded.confidence], ['intro-home', 'PARAPHRASE', 1])
  assert.equal((await asked(OFF_TOPIC)).answer_id, 'intro-job')
})

test('graded questions that cannot be read are none', async (t) => {
  const { app, standIn, asked } = await setUp(t)
  standIn.grade('noor', OFF_TOPIC, 'intro-job')
  standIn.fail({ fault: 'errors', field: 'userQuestions' })
  await app.train({ mentor: 'noor' })
  assert.equal((await asked(OFF_TOPIC)).answer_type, 'OFF_TOPIC')
})

test('a changed mentor is known after its training at once, and without one soon', async (t) => {
  const { app, standIn, asked } = await setUp(t, { MENTOR_FRESH_SECONDS: '3600' })
  await app.train({ mentor: 'noor' })
  assert.equal((await asked(NEAR)).answer_id, 'intro-name')
  const renamed = (NOOR.answers ?? []).map((one) => (one._id === 'intro-name' ? { ...one, _id: 'new-name' } : one))
  standIn.mentors.set('noor', { ...NOOR, answers: renamed })
  assert.equal((await asked(NEAR)).answer_id, 'intro-name')
  await app.train({ mentor: 'noor', force: true })
  assert.equal((await asked(NEAR)).answer_id, 'new-name')
})

test('another process that trained makes this one read the mentor anew', async (t) => {
  const dataDir = await temporaryFolder(t)
  const { app, standIn } = await setUp(t, { MENTOR_FRESH_SECONDS: '3600' })
  const env = {
    MENTOR_SOURCE: 'graphql',
    GRAPHQL_ENDPOINT: standIn.endpoint,
    SECRET_HEADER_NAME: SECRET_HEADER.name,
    SECRET_HEADER_VALUE: SECRET_HEADER.value,
    MENTOR_FRESH_SECONDS: '3600'
  }
  assert.notEqual(dataDir, app.dataDir)
  const other = await openMentorApp(t, env, app.dataDir)
  await app.train({ mentor: 'noor' })
  const ask = async (): Promise<Answer> => (await other.question('noor', NEAR)).json()
  assert.equal((await ask()).answer_id, 'intro-name')
  const renamed = (NOOR.answers ?? []).map((one) => (one._id === 'intro-name' ? { ...one, _id: 'new-name' } : one))
  standIn.mentors.set('noor', { ...NOOR, answers: renamed })
  await app.train({ mentor: 'noor', force: true })
  const after = await ask()
  assert.deepEqual([after.answer_id, after.answer_missing], ['new-name', false])
})

test('an answer that is gone since the training is missing', async (t) => {
  const { app, standIn, asked } = await setUp(t, { MENTOR_FRESH_SECONDS: '0' })
  await app.train({ mentor: 'noor' })
  standIn.remove('noor', 'intro-name')
  let answer = await asked(NEAR)
  // Stale while revalidate: the first question may still be answered by what is remembered.
  for (let tries = 0; tries < 50 && !answer.answer_missing; tries += 1) answer = await asked(NEAR)
  assert.deepEqual([answer.answer_type, answer.answer_missing, answer.confidence], ['OFF_TOPIC', true, -1])
})

test('answers go on while the service is away, and what was asked is recorded later, once', async (t) => {
  const { app, standIn, asked } = await setUp(t, { MENTOR_FRESH_SECONDS: '0' })
  await app.train({ mentor: 'noor' })
  await asked('What is your name?')
  standIn.fail({ fault: 'refuse' })
  const ids: string[] = []
  for (const query of ['Where do you live?', NEAR, OFF_TOPIC]) ids.push((await asked(query)).feedback_id)
  assert.equal(standIn.userQuestions.length, 1)
  const jobs = await Promise.all(ids.map((id) => app.backend.find(id)))
  assert.ok(jobs.every((job) => job?.type === 'record-question'))
  standIn.fail()
  await Promise.all(ids.map((id) => app.backend.waitUntilEnded(id, 60_000)))
  assert.deepEqual(
    standIn.userQuestions.map(({ question }) => question).toSorted(),
    [NEAR, OFF_TOPIC, 'What is your name?', 'Where do you live?'].toSorted()
  )
})

test('a record whose reply was lost is not made twice', async (t) => {
  const { app, standIn, asked } = await setUp(t)
  await app.train({ mentor: 'noor' })
  standIn.fail({ fault: 'half', field: 'userQuestionCreate', times: 1 })
  const { feedback_id: id } = await asked('What is your name?', { chatsessionid: 'chat-1' })
  const job = await app.backend.waitUntilEnded(id, 30_000)
  assert.equal(job?.status, 'SUCCESS')
  assert.equal(standIn.userQuestions.length, 1)
  standIn.fail({ fault: 'status-500', field: 'userQuestionCreate', times: 1 })
  const later = await asked('Where do you live?', { chatsessionid: 'chat-1' })
  await app.backend.waitUntilEnded(later.feedback_id, 30_000)
  assert.deepEqual(
    standIn.userQuestions.map(({ question }) => question),
    ['What is your name?', 'Where do you live?']
  )
})

const FAULT_STATUS: readonly [Fault, number][] = [
  ['errors', 502],
  ['status-500', 502],
  ['hang', 504],
  ['drip', 504],
  ['not-json', 502],
  ['half', 502],
  ['refuse', 502]
]
for (const [fault, statusCode] of FAULT_STATUS) {
  test(`${fault}: what cannot be had of the service is answered ${statusCode}`, async (t) => {
    const { app, standIn } = await setUp(t, statusCode === 504 ? { GRAPHQL_TIMEOUT_SECONDS: '1' } : {})
    standIn.fail({ fault })
    const mentor = await app.ask({ url: '/mentors/noor' })
    const training = await app.ask({ method: 'POST', url: '/train', payload: { mentor: 'noor' } })
    for (const reply of [mentor, training]) {
      assert.equal(reply.statusCode, statusCode, reply.body)
      const body = reply.json<{ code: string; message: string }>()
      assert.equal(body.code, statusCode === 502 ? 'BAD_GATEWAY' : 'DEADLINE_EXCEEDED')
      assert.match(body.message, /^Cannot read the mentor: the GraphQL service /)
    }
    standIn.fail({ fault, field: 'mentorCanEdit' })
    const permission = await app.ask({ method: 'POST', url: '/train', payload: { mentor: 'noor' } })
    assert.equal(permission.statusCode, statusCode)
    assert.match(permission.body, /Cannot ask who may edit the mentor/)
    standIn.fail({ fault, field: 'mentorTrainTaskAddOrUpdate' })
    const announced = await app.ask({ method: 'POST', url: '/train', payload: { mentor: 'noor' } })
    assert.equal(announced.statusCode, statusCode)
    assert.match(announced.body, /Cannot say how the training stands/)
  })
}

test('who may not edit the mentor is told so; an unknown mentor is not found', async (t) => {
  const { app, standIn } = await setUp(t)
  standIn.locked.add('noor')
  const train = (mentor: string, headers = {}, ping = false) =>
    app.ask({ method: 'POST', url: '/train', payload: { mentor, ping }, headers })
  for (const reply of [await train('noor'), await train('noor', {}, true), await train('noor', await bearer('noor'))]) {
    assert.equal(reply.statusCode, 403)
    assert.equal(reply.json<{ message: string }>().message, 'not authorized')
  }
  assert.equal((await train('noor', await bearer('other'))).statusCode, 403)
  const review = { decision: 'reject', questions: ['Why?'] }
  for (const [url, payload] of [
    ['/mentors/noor/rollback', undefined],
    ['/mentors/noor/versions/1/promote', {}],
    ['/mentors/noor/review', review]
  ] as const) {
    const reply = await app.ask({ method: 'POST', url, ...(payload !== undefined && { payload }) })
    assert.equal(reply.statusCode, 403, url)
  }
  assert.equal((await app.ask({ url: '/mentors/noor/versions' })).statusCode, 200)
  assert.equal((await train('nobody')).statusCode, 404)
  assert.deepEqual(standIn.trainTasks, [])
  standIn.locked.delete('noor')
  assert.equal((await train('noor', await bearer('noor'))).statusCode, 200)
  assert.equal((await app.ask({ method: 'POST', url: '/mentors/noor/rollback' })).statusCode, 409)
  assert.equal((await app.question('nobody', 'Why?')).statusCode, 404)
})

test('mentors are not listed or changed here', async (t) => {
  const { app } = await setUp(t)
  const requests = [
    { url: '/mentors' },
    { url: '/mentors/noor', method: 'DELETE' },
    { url: '/mentors/noor', method: 'PUT', payload: {} }
  ] as const
  for (const request of requests) {
    const reply = await app.ask(request)
    assert.equal(reply.statusCode, 405)
    assert.match(reply.body, /the GraphQL service keeps them/)
  }
})

test('a training that fails, is superseded or cancelled is told as FAILURE', async (t) => {
  const { app, standIn } = await setUp(t)
  const post = async (mentor: string): Promise<string> => {
    const reply = await app.ask({ method: 'POST', url: '/train', payload: { mentor } })
    return reply.json<{ data: { id: string } }>().data.id
  }
  const statusesOf = (id: string) => standIn.trainTasks.filter(({ _id }) => _id === id).map(({ status }) => status)
  standIn.mentors.set('empty', { answers: [] })
  const superseded = await post('noor')
  const cancelled = await post('noor')
  await app.backend.cancel(cancelled)
  const failed = await post('empty')
  app.work()
  await until(() => [superseded, cancelled, failed].every((id) => statusesOf(id).includes('FAILURE')))
  assert.deepEqual(statusesOf(superseded), ['QUEUED', 'FAILURE'])
  assert.deepEqual(statusesOf(cancelled), ['QUEUED', 'FAILURE'])
  assert.deepEqual(statusesOf(failed), ['QUEUED', 'IN_PROGRESS', 'FAILURE'])
  assert.deepEqual(standIn.trained, [])
})

test('a training that ends while the service is away is told of later', async (t) => {
  const { app, standIn } = await setUp(t)
  const reply = await app.ask({ method: 'POST', url: '/train', payload: { mentor: 'noor' } })
  const { id } = reply.json<{ data: { id: string } }>().data
  standIn.fail({ fault: 'status-500', field: 'updateMentorTraining', times: 2 })
  app.work()
  await until(() => standIn.trained.length > 0 && standIn.trainTasks.some(({ status }) => status === 'SUCCESS'))
  assert.equal((await app.backend.find(id))?.status, 'SUCCESS')
  assert.deepEqual(
    standIn.trainTasks.map(({ _id, status }) => [_id, status]),
    ['QUEUED', 'IN_PROGRESS', 'SUCCESS'].map((status) => [id, status])
  )
})

test('a training waits for a service that is away, and is told as QUEUED again', async (t) => {
  const { app, standIn } = await setUp(t)
  const reply = await app.ask({ method: 'POST', url: '/train', payload: { mentor: 'noor' } })
  const { id } = reply.json<{ data: { id: string } }>().data
  standIn.fail({ fault: 'refuse', field: 'mentor', times: 3 })
  app.work()
  await app.backend.waitUntilEnded(id, 30_000)
  assert.deepEqual(
    standIn.trainTasks.map(({ status }) => status),
    ['QUEUED', 'IN_PROGRESS', 'QUEUED', 'IN_PROGRESS', 'SUCCESS']
  )
})

test('an Idempotency-Key gives the same training, which the service is told of under one id', async (t) => {
  const { app, standIn } = await setUp(t)
  const post = (payload: object) =>
    app.ask({ method: 'POST', url: '/train', payload, headers: { 'idempotency-key': 'k' } })
  const first = (await post({ mentor: 'noor' })).json<{ data: { id: string } }>().data
  assert.deepEqual((await post({ mentor: 'noor' })).json<{ data: object }>().data, first)
  assert.equal((await post({ mentor: 'noor', arch: 'ridge' })).statusCode, 409)
  assert.deepEqual(new Set(standIn.trainTasks.map(({ _id }) => _id)), new Set([first.id]))
  assert.equal(standIn.trainTasks.at(-1)?.status, 'QUEUED')
  app.work()
  await app.backend.waitUntilEnded(first.id, 30_000)
  await post({ mentor: 'noor' })
  assert.equal(standIn.trainTasks.at(-1)?.status, 'SUCCESS')
})

test('a service that gives an id twice gets a second training all the same', async (t) => {
  const { app, standIn } = await setUp(t)
  standIn.taskIds = 'one'
  const [first, second] = [await app.train({ mentor: 'noor' }), await app.train({ mentor: 'noor' })]
  assert.deepEqual([first.status, second.status, second.result.version], ['SUCCESS', 'SUCCESS', 2])
  assert.equal(first.id, 'task')
  assert.notEqual(second.id, first.id)
})

test('no job shows the caller’s Authorization', async (t) => {
  const { app, standIn } = await setUp(t)
  const reply = await app.ask({ method: 'POST', url: '/train', payload: { mentor: 'noor' } })
  const { id } = reply.json<{ data: { id: string } }>().data
  standIn.fail({ fault: 'refuse' })
  const [claim] = await app.backend.claim({ types: ['train'], limit: 1, leaseMs: 1000, waitMs: 0 })
  assert.ok(claim !== undefined)
  const stored = JSON.stringify([claim.job, Buffer.from(claim.input.bytes).toString()])
  assert.match(stored, /"caller":"[\w-]{60,}"/)
  assert.doesNotMatch(stored, new RegExp(API_KEY))
  assert.doesNotMatch((await app.ask({ url: `/train/status/${id}` })).body, /caller|Bearer/)
})
