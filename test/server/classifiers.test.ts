/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { bearer, openMentorApp, type TrainingStatus } from './mentor-app.ts'

/** Two sensors that tell a running machine from one that stands. */
const SENSORS = [
  'sensor_1,sensor_2,label',
  ...Array.from({ length: 40 }, (_, i) => `${(i % 2) * 2 + (i % 7) / 10},${-(i % 2) * 2 + (i % 5) / 10},${i % 2}`)
].join('\n')

interface TrainReply {
  readonly data: {
    readonly id: string
    readonly statusUrl: string
    readonly features: readonly { readonly name: string; readonly type: string }[]
    readonly label: { readonly name: string; readonly type: string }
    readonly rowCount: number
    readonly classCount: number
  }
}

async function open(t: TestContext, env: Record<string, string> = {}) {
  const app = await openMentorApp(t, env)
  const post = (url: string, payload: string | object, headers: Record<string, string> = {}) => {
    const contentType = typeof payload === 'string' && !headers['content-type'] ? { 'content-type': 'text/csv' } : {}
    return app.ask({ method: 'POST', url: `/v1/classifiers/${url}`, payload, headers: { ...contentType, ...headers } })
  }
  return {
    ...app,
    post,
    trainTable: async (url: string, table: string | object): Promise<{ reply: TrainReply; status: TrainingStatus }> => {
      app.work()
      const answer = await post(url, table)
      assert.equal(answer.statusCode, 200, answer.body)
      const reply: TrainReply = answer.json()
      await app.backend.waitUntilEnded(reply.data.id, 30_000)
      const status: { data: TrainingStatus } = (await app.ask({ url: reply.data.statusUrl })).json()
      return { reply, status: status.data }
    }
  }
}

test('sensors: a table is trained, and the seed’s call gives the seed’s reply', async (t) => {
  const { trainTable, post, ask } = await open(t)
  const { reply, status } = await trainTable('sensors/train', SENSORS)
  assert.deepEqual(reply.data.features, [
    { name: 'sensor_1', type: 'number' },
    { name: 'sensor_2', type: 'number' }
  ])
  assert.deepEqual(reply.data.label, { name: 'label', type: 'number' })
  assert.deepEqual([reply.data.rowCount, reply.data.classCount], [40, 2])
  assert.equal(status.status, 'SUCCESS', status.error)
  const predicted = await post('sensors/predict', { sensor_1: '[0,2.0,3]', sensor_2: '[1,-1,-2]' })
  assert.equal(predicted.statusCode, 200, predicted.body)
  assert.equal(predicted.body, '{"class":[0.0,1.0,1.0]}')
  assert.equal(predicted.headers['x-model-version'], '1')
  const list = await ask({ url: '/v1/classifiers' })
  assert.match(list.body, /"classifier":"sensors","live":1,"versionCount":1,"architecture":"logistic"/)
})

test('texts: classes with probabilities and the runners-up', async (t) => {
  const { trainTable, post } = await open(t)
  const rows = ['sun', 'rain', 'snow'].flatMap((word) =>
    Array.from({ length: 6 }, (_, i) => ({ text: `${word} today number ${i}`, label: `about ${word}` }))
  )
  const { status } = await trainTable('weather/train', rows)
  assert.equal(status.status, 'SUCCESS', status.error)
  const predicted = await post('weather/predict?top_k=2', { text: ['so much rain', 'snow and snow'] })
  const reply: { class: string[]; probability: number[]; top_k: { class: string }[][] } = predicted.json()
  assert.deepEqual(reply.class, ['about rain', 'about snow'])
  assert.deepEqual(
    reply.top_k.map((ranked) => [ranked[0]?.class, ranked.length]),
    [
      ['about rain', 2],
      ['about snow', 2]
    ]
  )
  assert.ok(reply.probability.every((value) => value > 0.3 && value < 1))
})

test('classifiers are for keys and administrators', async (t) => {
  const { ask, post } = await open(t)
  for (const url of ['/v1/classifiers', '/v1/classifiers/sensors/versions']) {
    assert.equal((await ask({ url, headers: await bearer('sensors') })).statusCode, 403)
  }
  assert.equal((await post('sensors/predict', { a: [1] }, await bearer('sensors'))).statusCode, 403)
  assert.equal((await post('sensors/train', SENSORS, await bearer('sensors'))).statusCode, 403)
})
