/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { hash, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { ANSWER_TYPES } from '../../src/answering/answer.ts'
import { openAwsStorage, type AwsStorage, type AwsStorageOptions } from '../../src/platform/aws-storage.ts'
import { DynamoAnswerRecorder } from '../../src/platform/dynamo-answer-recorder.ts'
import type { DynamoTable } from '../../src/platform/dynamo-table.ts'
import { S3GradeStore } from '../../src/platform/s3-grade-store.ts'
import { S3MentorStore } from '../../src/platform/s3-mentor-store.ts'
import { S3ModelStore } from '../../src/platform/s3-model-store.ts'
import { withEmulators } from '../emulators/emulators.ts'
import { createStorageResources } from '../emulators/job-resources.ts'
import { openMentorApp } from '../server/mentor-app.ts'
import { nameIn, numberIn, optionalIn, textIn } from '../../src/storage/stored-record.ts'
import { answerRecordStoreContract } from './answer-record-store.ts'
import { mentorStoreContract } from './mentor-store.ts'
import { modelStoreContract, newVersion } from './model-store.ts'

await withEmulators('Stores', (running) => {
  const openStorage = async (t: TestContext) => {
    const options = await createStorageResources(running(), `stores-${randomUUID()}`)
    const open = (): AwsStorage => {
      const storage = openAwsStorage(options)
      t.after(() => storage.close())
      return storage
    }
    return { open, options }
  }
  mentorStoreContract('S3MentorStore', async (t) => {
    const { open, options } = await openStorage(t)
    const peer = async () => new S3MentorStore({ storage: open() })
    return { store: await peer(), peer, countTexts: () => countObjects(options, '') }
  })
  modelStoreContract('S3ModelStore', async (t, settings) => {
    const { open, options } = await openStorage(t)
    const peer = async () => new S3ModelStore({ storage: open(), ...settings })
    return { store: await peer(), peer, countModels: () => countObjects(options, '.model') }
  })
  answerRecordStoreContract('DynamoAnswerRecorder', async (t) => {
    const { open, options } = await openStorage(t)
    const errors: unknown[] = []
    const { table } = open()
    const store = new DynamoAnswerRecorder(table, (error) => errors.push(error))
    return { store, errors, recordsOf: (mentorId) => recordsOf(table, mentorId), breakDown: () => deleteTable(options) }
  })
  s3ModelStoreTests(openStorage)
  reviewStoresTests(openStorage)
  serviceTest(openStorage)
})

/** What only a store across a network has to keep. */
function s3ModelStoreTests(
  openStorage: (t: TestContext) => Promise<{ open: () => AwsStorage; options: AwsStorageOptions }>
) {
  test('S3ModelStore: another process’s promotion counts after a second, one’s own at once', async (t) => {
    const { open } = await openStorage(t)
    let nowMs = 5000
    const [own, other] = [open(), open()].map(
      (storage) => new S3ModelStore({ storage, maxVersions: 5, monotonicMs: () => nowMs })
    )
    assert(own !== undefined && other !== undefined)
    for (const job of ['one', 'two']) await own.add('mentor/m', newVersion(job))
    await own.promote('mentor/m', 1, 'a')
    assert.deepEqual([await own.liveVersion('mentor/m'), await other.liveVersion('mentor/m')], [1, 1])
    nowMs += 900
    await own.promote('mentor/m', 2, 'a')
    assert.deepEqual([await own.liveVersion('mentor/m'), await other.liveVersion('mentor/m')], [2, 1])
    nowMs += 200
    assert.equal(await other.liveVersion('mentor/m'), 2)
  })

  test('S3ModelStore: what is no longer needed leaves no object behind', async (t) => {
    const { open, options } = await openStorage(t)
    const store = new S3ModelStore({ storage: open(), maxVersions: 2 })
    await Promise.all(['one', 'one', 'two'].map((job) => store.add('mentor/m', newVersion(job))))
    for (const job of ['three', 'four']) await store.add('mentor/m', newVersion(job))
    // Two versions of a model, a report and judgements each, and the index.
    assert.equal(await countObjects(options, ''), 7)
    await store.deleteAll('mentor/m')
    assert.equal(await countObjects(options, ''), 0)
  })
}

/** What a review reads and writes across a network. */
function reviewStoresTests(
  openStorage: (t: TestContext) => Promise<{ open: () => AwsStorage; options: AwsStorageOptions }>
) {
  test('S3GradeStore keeps the latest grade of a question, also of grades given at once', async (t) => {
    const { open, options } = await openStorage(t)
    const [one, other] = [new S3GradeStore(open()), new S3GradeStore(open())]
    assert.deepEqual([await one.revisionOf('m'), await one.gradesOf('m')], [undefined, []])
    await Promise.all([
      one.grade('m', [{ question: 'Who?', answerId: 'a' }], 'x'),
      other.grade('m', [{ question: 'Why?', answerId: undefined }], 'y')
    ])
    const revision = await one.revisionOf('m')
    await one.grade('m', [{ question: 'who', answerId: 'b' }], 'x')
    assert.notEqual(await one.revisionOf('m'), revision)
    assert.deepEqual(await other.gradesOf('m'), [
      { question: 'who', answerId: 'b' },
      { question: 'Why?', answerId: undefined }
    ])
    assert.equal(await countObjects(options, ''), 1)
    await other.deleteOf('m')
    assert.deepEqual([await other.gradesOf('m'), await countObjects(options, '')], [[], 0])
  })

  test('DynamoAnswerRecorder.askedOf() gives what no phrase matched, the latest first', async (t) => {
    const { open } = await openStorage(t)
    const store = new DynamoAnswerRecorder(open().table, assert.ifError)
    const types = ['CLASSIFIER', 'EXACT', 'OFF_TOPIC', 'CLASSIFIER'] as const
    for (const [n, answerType] of types.entries()) {
      const answer = { mentorId: 'm', answerId: 'a', confidence: 0.5, margin: 0.25, chatSessionId: undefined }
      // What is written at once has one time, and so no order.
      await store.record({ ...answer, question: `${n}`, answerType })
      await store.flush()
    }
    const asked = await store.askedOf('m', 2)
    assert.deepEqual(
      asked.map(({ question, margin }) => [question, margin]),
      [
        ['3', 0.25],
        ['2', 0.25]
      ]
    )
    assert.equal((await store.askedOf('m', 9)).length, 3)
  })
}

/** Two processes, as it were, that share nothing but the table and the bucket. */
function serviceTest(openStorage: (t: TestContext) => Promise<{ options: AwsStorageOptions }>) {
  test('BACKEND=aws: what one service stores and trains another one answers with', { timeout: 60_000 }, async (t) => {
    const { options } = await openStorage(t)
    const { table, bucket, endpoints = {} } = options
    const env = {
      BACKEND: 'aws',
      JOBS_QUEUE_URL: 'http://127.0.0.1/0/unused',
      JOBS_TABLE: table,
      MODELS_BUCKET: bucket,
      AWS_ENDPOINT_URL_S3: endpoints.s3 ?? '',
      AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb ?? ''
    }
    Object.assign(process.env, env)
    const [one, other] = [await openMentorApp(t, env), await openMentorApp(t, env)]
    const csv = readFileSync(new URL('../../examples/mentor.csv', import.meta.url), 'utf8')
    assert.equal((await one.put('noor', csv)).statusCode, 200)
    assert.equal((await other.ask({ url: '/trainingdata/noor' })).body, csv)
    const training = await other.train({ mentor: 'noor' })
    assert.deepEqual([training.status, training.result.version], ['SUCCESS', 1])
    const reply = await one.question('noor', 'your name, what is it, can you tell me')
    const answer: { answer_id: string; classifier: string; feedback_id: string } = reply.json()
    assert.deepEqual([answer.answer_id, answer.classifier], ['intro-name', 'softmax/1'])
    assert.equal((await other.train({ mentor: 'noor', arch: 'ridge', force: true })).result.version, 2)
    const rolledBack = await one.ask({ method: 'POST', url: '/mentors/noor/rollback' })
    assert.deepEqual(rolledBack.json(), { data: { mentor: 'noor', live: 1 } })
    const evaluation = await one.ask({ url: '/mentors/noor/versions/2/evaluation' })
    assert.equal(evaluation.statusCode, 200)
    assert.equal((await one.ask({ method: 'DELETE', url: '/mentors/noor' })).statusCode, 204)
    assert.equal((await other.ask({ url: '/mentors/noor' })).statusCode, 404)
    assert.equal(await countObjects(options, ''), 0)
  })
}

async function countObjects({ bucket, region, endpoints }: AwsStorageOptions, ending: string): Promise<number> {
  assert(region !== undefined && endpoints?.s3 !== undefined)
  const client = new S3Client({ region, endpoint: endpoints.s3, forcePathStyle: true })
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }))
  client.destroy()
  return Contents.filter(({ Key }) => Key?.endsWith(ending)).length
}

/** What the table keeps of a mentor's questions: the index knows which, the items have the rest. */
async function recordsOf(table: DynamoTable, mentorId: string) {
  const id = hash('sha256', mentorId, 'base64url')
  const listed = [...(await table.list(`UNMATCHED#${id}`)), ...(await table.list(`MATCHED#${id}`))]
  const items = await Promise.all(listed.map((item) => table.get(textIn(item, 'pk'))))
  return items.map((item = {}) => {
    assert(numberIn(item, 'ttl') * 1000 > Date.now(), 'it does not stay for ever')
    return {
      id: textIn(item, 'id'),
      mentorId: textIn(item, 'mentor'),
      question: textIn(item, 'question'),
      answerId: textIn(item, 'answerId'),
      answerType: nameIn(ANSWER_TYPES, item, 'answerType'),
      confidence: numberIn(item, 'confidence'),
      margin: optionalIn(item, 'margin', numberIn),
      chatSessionId: optionalIn(item, 'chatSessionId', textIn)
    }
  })
}

async function deleteTable({ table, region, endpoints }: AwsStorageOptions): Promise<void> {
  assert(region !== undefined && endpoints?.dynamodb !== undefined)
  const client = new DynamoDBClient({ region, endpoint: endpoints.dynamodb })
  await client.send(new DeleteTableCommand({ TableName: table }))
  client.destroy()
}
