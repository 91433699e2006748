/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { bearer, openMentorApp } from '../../mentor-app.ts'

/** Two sensors and a note that tell a running machine from one that stands. */
const MACHINES = [
  'sensor_1,sensor_2,note,state',
  ...Array.from({ length: 40 }, (_, i) => {
    const note = i % 2 === 0 ? `standing still ${i % 9}` : `running fast ${i % 9}`
    return `${(i % 2) * 2 + (i % 7) / 10},${-(i % 2) * 2 + (i % 5) / 10},${note},${i % 2}`
  })
].join('\n')

async function open(t: TestContext) {
  const app = await openMentorApp(t)
  app.work()
  const train = async () => {
    const reply = await app.ask({
      method: 'POST',
      url: '/v1/classifiers/machines/train?label=state',
      payload: MACHINES,
      headers: { 'content-type': 'text/csv' }
    })
    const { data }: { data: { id: string } } = reply.json()
    await app.backend.waitUntilEnded(data.id, 30_000)
  }
  const infer = async (model: string, payload: object, headers: Record<string, string> = {}) =>
    app.ask({ method: 'POST', url: `/v2/models/${model}/infer`, payload, headers })
  return { ...app, trainMachines: train, infer }
}

const COLUMNS = [
  { name: 'sensor_1', datatype: 'FP64', shape: [2], data: [0.1, 2.3] },
  { name: 'sensor_2', datatype: 'INT32', shape: [2, 1], data: [[0], [-2]] },
  { name: 'note', datatype: 'BYTES', shape: [2], data: ['standing still 3', 'running fast 4'] }
]

test('a classifier takes a tensor for each column, and gives classes and how sure it is', async (t) => {
  const { ask, infer, trainMachines, metrics } = await open(t)
  await trainMachines()
  await trainMachines()
  const metadata = await ask({ url: '/v2/models/machines' })
  assert.deepEqual(metadata.json(), {
    name: 'machines',
    versions: ['2', '1'],
    platform: 'sbert-service_logistic',
    inputs: [
      { name: 'note', datatype: 'BYTES', shape: [-1] },
      { name: 'sensor_1', datatype: 'FP64', shape: [-1] },
      { name: 'sensor_2', datatype: 'FP64', shape: [-1] }
    ],
    outputs: [
      { name: 'class', datatype: 'FP64', shape: [-1] },
      { name: 'probability', datatype: 'FP64', shape: [-1] },
      { name: 'off_topic', datatype: 'BOOL', shape: [-1] }
    ]
  })
  const reply = await infer('machines', { inputs: COLUMNS })
  assert.equal(reply.statusCode, 200, reply.body)
  const { model_version: version, outputs } = reply.json()
  assert.equal(version, '2')
  assert.deepEqual(outputs[0], { name: 'class', datatype: 'FP64', shape: [2], data: [0, 1] })
  assert.ok(outputs[1].data.every((probability: number) => probability > 0.5 && probability <= 1))
  const pinned = await infer('machines/versions/1', { inputs: COLUMNS, outputs: [{ name: 'class' }] })
  assert.deepEqual([pinned.json().model_version, pinned.json().outputs.length], ['1', 1])
  const text = await metrics.text()
  assert.match(text, /predictions_total\{model="classifier\/machines",version="2",class="1"\} 1/)
  assert.match(text, /input_characters_sum\{model="classifier\/machines",version="2"\} 30/)
})

test('what a classifier cannot take is refused by column, in the shape of the protocol', async (t) => {
  const { infer, trainMachines, ask } = await open(t)
  await trainMachines()
  const [sensor1, sensor2, note] = COLUMNS
  const cases: readonly (readonly [number, object, RegExp])[] = [
    [400, { inputs: [sensor1, note] }, /input sensor_2 is missing/],
    [400, { inputs: [sensor1, { ...sensor2, shape: [1], data: [1] }, note] }, /columns of different lengths/],
    [400, { inputs: [sensor1, sensor2, { ...note, data: ['', 'b'] }] }, /note/],
    [400, { inputs: [sensor1, { ...sensor2, datatype: 'FP64', data: [1, 1e300] }, note] }, /sensor_2/]
  ]
  for (const [status, payload, reason] of cases) {
    const reply = await infer('machines', payload)
    assert.equal(reply.statusCode, status, reply.body)
    assert.match(reply.json().error, reason)
  }
  for (const url of ['/v2/models/machines/versions/7', '/v2/models/machines/versions/01', '/v2/models/none']) {
    assert.equal((await ask({ url })).statusCode, 404)
  }
  assert.equal((await infer('machines', { inputs: COLUMNS }, await bearer('machines'))).statusCode, 403)
})

test('a mentor’s model is asked by its text, by those who may read the mentor', async (t) => {
  const { ask, put, train, infer, trainMachines } = await open(t)
  await put('noor', readFileSync(new URL('../../../../examples/mentor.csv', import.meta.url), 'utf8'))
  await train({ mentor: 'noor', arch: 'ridge' })
  await trainMachines()
  const inputs = [{ name: 'question', datatype: 'BYTES', shape: [1], data: ['your name, what is it'] }]
  const reply = await infer('mentor:noor', { inputs }, await bearer('noor'))
  assert.equal(reply.statusCode, 200, reply.body)
  const [answer, confidence, offTopic] = reply.json().outputs
  assert.deepEqual(answer, { name: 'class', datatype: 'BYTES', shape: [1], data: ['intro-name'] })
  assert.deepEqual([confidence.name, typeof confidence.data[0]], ['confidence', 'number'])
  assert.deepEqual(offTopic.data, [false])
  assert.equal((await infer('mentor:noor', { inputs }, await bearer('other'))).statusCode, 403)
  const namesFor = async (headers: Record<string, string>) => {
    const listed: { name: string }[] = (await ask({ method: 'POST', url: '/v2/repository/index', headers })).json()
    return listed.map(({ name }) => name)
  }
  assert.deepEqual(await namesFor({}), ['all-MiniLM-L6-v2', 'machines', 'mentor:noor'])
  assert.deepEqual(await namesFor(await bearer('noor')), ['all-MiniLM-L6-v2', 'mentor:noor'])
  assert.deepEqual(await namesFor(await bearer('other')), ['all-MiniLM-L6-v2'])
})
