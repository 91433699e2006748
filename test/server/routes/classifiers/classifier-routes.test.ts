/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openClassifierApp, SENSORS } from '../../classifier-app.ts'
import { bearer } from '../../mentor-app.ts'

test('sensors: a table is trained, and the seed’s call gives the seed’s reply', async (t) => {
  const { trainTable, post, ask } = await openClassifierApp(t)
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
  const { trainTable, post } = await openClassifierApp(t)
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
  const { ask, post } = await openClassifierApp(t)
  for (const url of ['/v1/classifiers', '/v1/classifiers/sensors/versions']) {
    assert.equal((await ask({ url, headers: await bearer('sensors') })).statusCode, 403)
  }
  assert.equal((await post('sensors/predict', { a: [1] }, await bearer('sensors'))).statusCode, 403)
  assert.equal((await post('sensors/train', SENSORS, await bearer('sensors'))).statusCode, 403)
})

test('versions: exported, imported elsewhere, compared, promoted, rolled back', async (t) => {
  const { trainTable, post, ask } = await openClassifierApp(t)
  await trainTable('sensors/train', SENSORS)
  // The second table says the contrary of each row too, twice.
  const lies = SENSORS.split('\n')
    .slice(1)
    .map((line) => line.replace(/\d$/, (label) => String(1 - Number(label))))
  const worse = [SENSORS, ...lies, ...lies].join('\n')
  await trainTable('sensors/train?force=true', worse)
  const diff: { data: { samples: object; figures: { accuracy: { change: number } }; errors: { added: object[] } } } = (
    await ask({ url: '/v1/classifiers/sensors/versions/1/diff/live' })
  ).json()
  assert.ok(diff.data.figures.accuracy.change < -0.1)
  assert.ok(diff.data.errors.added.length > 0)
  const file = await ask({ url: '/v1/classifiers/sensors/versions/1/export' })
  assert.equal(file.statusCode, 200)
  assert.equal(file.headers['content-disposition'], 'attachment; filename="sensors-1.version"')
  const send = (payload: Buffer, url = 'copy/versions') =>
    ask({
      method: 'POST',
      url: `/v1/classifiers/${url}`,
      payload,
      headers: { 'content-type': 'application/octet-stream' }
    })
  const imported = await send(file.rawPayload)
  assert.deepEqual(imported.json(), {
    data: { classifier: 'copy', version: 1, promotion: { outcome: 'promoted' } }
  })
  assert.equal((await send(file.rawPayload)).body, imported.body)
  const asked = { sensor_1: [0, 2], sensor_2: [0.2, -1.9] }
  assert.equal((await post('copy/predict', asked)).body, (await post('sensors/predict?version=1', asked)).body)
  const [mine, theirs]: { data: { versions: { modelHash: string; dataHash: string }[] } }[] = await Promise.all(
    ['copy', 'sensors'].map(async (name) => (await ask({ url: `/v1/classifiers/${name}/versions` })).json())
  )
  assert.equal(mine?.data.versions[0]?.modelHash, theirs?.data.versions[1]?.modelHash)
  for (const at of [0, 20, 60, 500, file.rawPayload.length - 9]) {
    const tampered = Buffer.from(file.rawPayload)
    tampered[at] = tampered[at]! ^ 1
    const refused = await send(tampered, 'tampered/versions')
    assert.equal(refused.statusCode, 400, refused.body)
    assert.match(refused.body, /Cannot import the version: /)
  }
  assert.equal((await send(Buffer.alloc(0), 'tampered/versions')).statusCode, 400)
  assert.equal((await ask({ url: '/v1/classifiers' })).body.includes('tampered'), false)
  const mentor = await ask({
    method: 'POST',
    url: '/mentors/noor/versions',
    payload: file.rawPayload,
    headers: { 'content-type': 'application/octet-stream' }
  })
  assert.equal(mentor.statusCode, 409, mentor.body)

  const back = await ask({ method: 'POST', url: '/v1/classifiers/sensors/rollback' })
  assert.equal(back.body, '{"data":{"classifier":"sensors","live":1}}')
  const gated = await ask({ method: 'POST', url: '/v1/classifiers/sensors/versions/2/promote' })
  assert.equal(gated.statusCode, 409, gated.body)
  const forced = await ask({
    method: 'POST',
    url: '/v1/classifiers/sensors/versions/2/promote',
    payload: { force: true }
  })
  assert.equal(forced.body, '{"data":{"classifier":"sensors","live":2}}')
  assert.equal((await ask({ method: 'DELETE', url: '/v1/classifiers/sensors' })).statusCode, 204)
  assert.equal((await ask({ method: 'DELETE', url: '/v1/classifiers/sensors' })).statusCode, 404)
  assert.equal((await post('sensors/predict', asked)).statusCode, 404)
})

test('a classifier that was deleted and trained anew answers with its new model alone', async (t) => {
  const { ask, trainTable, post } = await openClassifierApp(t)
  const asked = { sensor_1: [0, 2], sensor_2: [0.2, -1.9] }
  await trainTable('sensors/train', SENSORS)
  assert.equal((await post('sensors/predict', asked)).body, '{"class":[0.0,1.0]}')
  assert.equal((await ask({ method: 'DELETE', url: '/v1/classifiers/sensors' })).statusCode, 204)
  const contrary = SENSORS.replace(/\d$/gm, (label) => String(1 - Number(label)))
  await trainTable('sensors/train', contrary)
  assert.equal((await post('sensors/predict', asked)).body, '{"class":[1.0,0.0]}')
})

test('evaluation: rows of one’s own, by any version; a label that it never saw is named by row', async (t) => {
  const { trainTable, post } = await openClassifierApp(t)
  await trainTable('sensors/train', SENSORS)
  const own = [
    { sensor_1: 2, sensor_2: -2, label: 1, note: 'not of the model' },
    { sensor_1: 0, sensor_2: 0, label: 0 },
    { sensor_1: 0, sensor_2: 0, label: 1 }
  ]
  const judged = await post('sensors/versions/live/evaluation', own)
  const report: { data: { evaluation: { questionCount: number; accuracy: number; errors: { question: string }[] } } } =
    judged.json()
  assert.equal(report.data.evaluation.accuracy, 2 / 3)
  assert.deepEqual(
    report.data.evaluation.errors.map(({ question }) => question),
    ['{"sensor_1":0,"sensor_2":0}']
  )
  const unseen = await post('sensors/versions/1/evaluation', 'sensor_1,label\n1,0\nx,2\n')
  assert.equal(unseen.statusCode, 400)
  const { errors }: { errors: object } = unseen.json()
  assert.deepEqual(errors, {
    sensor_1: ['row 2: not a number'],
    sensor_2: ['required field'],
    label: ['row 2: a label that the version was not trained on']
  })
  assert.equal((await post('sensors/versions/7/evaluation', own)).statusCode, 404)
})

test('predict: what a training took for texts is taken again', async (t) => {
  const { trainTable, post } = await openClassifierApp(t)
  const rows = Array.from({ length: 12 }, (_, i) => ({
    flag: i % 3 === 0 ? 'unknown' : i % 2 === 0,
    label: `${i % 2}`
  }))
  await trainTable('flags/train', rows)
  const said = await post('flags/predict', { flag: [true, 'true', 5] })
  assert.equal(said.statusCode, 200, said.body)
  const [first, second]: string[] = said.json().class
  assert.equal(first, second)
  assert.deepEqual((await post('flags/predict', { flag: [[1], {}] })).json().errors, {
    flag: ['row 1: not a text', 'row 2: not a text']
  })
})

test('predict: every form of columns, and what is wrong with one, by column and row', async (t) => {
  const { trainTable, post } = await openClassifierApp(t)
  await trainTable('sensors/train', SENSORS)
  const good = [
    { sensor_1: [2, 0], sensor_2: '[-2,0]' },
    { sensor_1: '[2.0, 0]', sensor_2: [-2, 0], more: 'does not matter' },
    { sensor_1: ['2', ' 0 '], sensor_2: '["-2e0","0"]' }
  ]
  for (const body of good) assert.equal((await post('sensors/predict', body)).body, '{"class":[1.0,0.0]}')
  assert.equal((await post('sensors/predict', { sensor_1: [], sensor_2: '[]' })).body, '{"class":[]}')
  const probable = await post('sensors/predict?probability=true&top_k=16&version=1', { sensor_1: [2], sensor_2: [-2] })
  assert.match(probable.body, /^\{"class":\[1\.0\],"probability":\[0\.9\d+\],"top_k":\[\[\{"class":1\.0,.*"class":0\.0/)
  const bad: [object, object | undefined][] = [
    [{ sensor_1: [1] }, { sensor_2: ['required field'] }],
    [
      { sensor_1: [1, 2], sensor_2: [1] },
      { sensor_1: ['2 values'], sensor_2: ['1 values'] }
    ],
    [{ sensor_1: 1, sensor_2: [1] }, { sensor_1: ['a list, or the text of one, is wanted'] }],
    [{ sensor_1: '[1', sensor_2: [1] }, { sensor_1: ['a list, or the text of one, is wanted'] }],
    [
      { sensor_1: ['1,5', 2, null], sensor_2: [1, 1e308, 3] },
      {
        sensor_1: ['row 1: not a number', 'row 3: no value'],
        sensor_2: ['row 2: too large a number, at most 1e+100 is allowed']
      }
    ]
  ]
  for (const [body, errors] of bad) {
    const refused = await post('sensors/predict', body)
    assert.equal(refused.statusCode, 400, refused.body)
    const reply: { errors?: object } = refused.json()
    assert.deepEqual(reply.errors, errors)
  }
  const many = Array.from({ length: 10_001 }, () => 1)
  assert.equal((await post('sensors/predict', { sensor_1: many, sensor_2: many })).statusCode, 413)
  assert.equal((await post('sensors/predict?version=9', { sensor_1: [], sensor_2: [] })).statusCode, 404)
  assert.equal((await post('sensors/predict', '{}', { 'content-type': 'application/xml' })).statusCode, 415)
})

test('train: options of the address, idempotency keys, and what is refused', async (t) => {
  const { post, work, backend, ask } = await openClassifierApp(t, { MAX_TRAINING_ROWS: '50' })
  const first = await post('a/train?label=kind&types=label:ignore', SENSORS.replace('label', 'kind'), {
    'idempotency-key': 'one'
  })
  // The column that is to be ignored is not there.
  assert.equal(first.statusCode, 400, first.body)
  const accepted = await post('a/train', SENSORS, { 'content-type': 'text/csv', 'idempotency-key': 'one' })
  const again = await post('a/train', SENSORS, { 'content-type': 'text/csv', 'idempotency-key': 'one' })
  const { data }: { data: { id: string; statusUrl: string } } = accepted.json()
  assert.equal(again.json().data.id, data.id)
  const other = await post('a/train?c=2', SENSORS, { 'content-type': 'text/csv', 'idempotency-key': 'one' })
  assert.equal(other.statusCode, 409, other.body)
  assert.equal((await ask({ url: data.statusUrl.replace('/a/', '/b/') })).statusCode, 404)
  work()
  await backend.waitUntilEnded(data.id, 30_000)
  assert.match((await ask({ url: data.statusUrl })).body, /"stage":"STORING","result":\{"version":1,/)
  const tooMany = await post('a/train', SENSORS + '\n1,2,1'.repeat(20))
  assert.equal(tooMany.statusCode, 413)
  assert.match(tooMany.body, /more than 50 rows \(MAX_TRAINING_ROWS\)/)
  for (const query of ['types=a', 'types=a:date', 'c=0', 'c=ten', 'label=']) {
    assert.equal((await post(`a/train?${query}`, SENSORS)).statusCode, 400, query)
  }
  assert.equal((await post('a%20b/train', SENSORS)).statusCode, 400)
  assert.equal((await ask({ method: 'POST', url: '/v1/classifiers/a/train' })).statusCode, 400)
})

test('texts and numbers side by side: each of them counts', async (t) => {
  const { trainTable, post } = await openClassifierApp(t)
  // The class is told by the second text and the number together; the first text tells nothing.
  const rows = Array.from({ length: 80 }, (_, i) => ({
    title: `letter ${i % 7}`,
    days: i % 4 < 2 ? 1 + (i % 3) : 30 + (i % 3),
    body: i % 2 === 0 ? 'please send money' : 'greetings from sea',
    label: i % 2 === 0 ? (i % 4 < 2 ? 'bill' : 'reminder') : 'card'
  }))
  const { reply, status } = await trainTable('post/train', { rows, c: 10 })
  assert.deepEqual(
    reply.data.features.map(({ name, type }) => `${name} ${type}`),
    ['title text', 'body text', 'days number']
  )
  assert.equal(status.status, 'SUCCESS')
  const predicted = await post('post/predict', {
    days: '[1, 31, 31]',
    title: ['letter 1', 'letter 2', 'letter 3'],
    body: ['please send money', 'please send money', 'greetings from sea']
  })
  const { class: classes, probability }: { class: string[]; probability: number[] } = predicted.json()
  assert.deepEqual(classes, ['bill', 'reminder', 'card'])
  assert.ok(probability.every((value) => value > 0.5 && value <= 1))
})

test('predict: without a body it is refused, as a mistake of who asks', async (t) => {
  const { trainTable, ask } = await openClassifierApp(t)
  await trainTable('sensors/train', SENSORS)
  const reply = await ask({ method: 'POST', url: '/v1/classifiers/sensors/predict' })
  assert.equal(reply.statusCode, 400)
  assert.equal(reply.json().message, 'Cannot predict: there are no columns')
})
