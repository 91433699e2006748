/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { greedyModel, linearModel, logitsModel, loopModel, modelWithOperator, textModel } from '../../../onnx/models.ts'
import { bearer, openMentorApp } from '../../mentor-app.ts'

const SENSORS = {
  features: ['a', 'b', 'c'].map((name) => ({ name, type: 'number' })),
  label: { name: 'state', type: 'number' },
  classes: [0, 1]
}
const TWO_SENSORS = { ...SENSORS, features: SENSORS.features.slice(0, 2) }
const URL = '/v1/classifiers/brought/versions'

async function open(t: TestContext, env: Record<string, string> = {}) {
  // Of a busy machine the usual limit may be too short for what is quick otherwise.
  const app = await openMentorApp(t, { ONNX_TIME_LIMIT_MS: '60000', ...env })
  const put = async (model: Uint8Array | undefined, signature: unknown, headers: Record<string, string> = {}) => {
    const form = new FormData()
    if (model !== undefined) form.append('model', new Blob([new Uint8Array(model)]), 'model.onnx')
    if (signature !== undefined) form.append('signature', new Blob([JSON.stringify(signature)]), 'signature.json')
    const encoded = new Response(form)
    const contentType = encoded.headers.get('content-type') ?? ''
    const payload = Buffer.from(await encoded.arrayBuffer())
    return app.ask({ method: 'PUT', url: URL, payload, headers: { 'content-type': contentType, ...headers } })
  }
  const predict = async (payload: object, query = '') =>
    app.ask({ method: 'POST', url: `/v1/classifiers/brought/predict${query}`, payload })
  return { ...app, bring: put, predict }
}

test('a model that was brought is a version like all others: predicted by, listed, promoted, counted, asked by /v2', async (t) => {
  const { bring, predict, ask, metrics } = await open(t)
  const reply = await bring(linearModel(), SENSORS)
  assert.equal(reply.statusCode, 200, reply.body)
  assert.deepEqual(reply.json().data, {
    classifier: 'brought',
    version: 1,
    promotion: { outcome: 'promoted' },
    features: SENSORS.features,
    label: SENSORS.label,
    classes: ['0', '1'],
    output: 'probabilities'
  })
  const predicted = await predict({ a: '[2, 0.0]', b: '[0, 3]', c: [5, 5] })
  assert.equal(predicted.body, '{"class":[0.0,1.0]}')
  const { probability } = (await predict({ a: [2], b: [0], c: [5] }, '?probability=true')).json()
  assert.ok(Math.abs(probability[0] - Math.exp(2) / (Math.exp(2) + 1)) < 1e-6)
  const again = await bring(linearModel(), SENSORS)
  assert.equal(again.json().data.version, 1)
  await bring(linearModel(), { ...SENSORS, classes: [7, 8] })
  assert.equal((await predict({ a: [2], b: [0], c: [5] })).body, '{"class":[7.0]}')
  const list = (await ask({ url: URL })).json().data
  assert.deepEqual([list.live, list.versions.length, list.versions[0].architecture], [2, 2, 'onnx'])
  const report = await ask({ url: `${URL}/1/evaluation` })
  assert.match(report.json().data.notMeasured[0], /trained elsewhere/)
  assert.equal((await ask({ url: `${URL}/1/export` })).statusCode, 409)
  const inputs = ['a', 'b', 'c'].map((name) => ({ name, datatype: 'FP64', shape: [1], data: [1] }))
  const inferred = await ask({ method: 'POST', url: '/v2/models/brought/infer', payload: { inputs } })
  assert.deepEqual(inferred.json().outputs[1].data, [0.5])
  assert.match(await metrics.text(), /predictions_total\{model="classifier\/brought",version="2",class="7"\} 2/)
})

test('texts reach a model as themselves or as embeddings, beside numbers', async (t) => {
  const { bring, predict, encoder } = await open(t)
  const signature = { ...SENSORS, features: [{ name: 'text', type: 'text' }] }
  assert.equal((await bring(textModel(), { ...signature, classes: ['long', 'short'] })).statusCode, 400)
  const asTexts = await bring(textModel(), { ...signature, label: { name: 'x', type: 'text' }, classes: ['no', 'yes'] })
  assert.equal(asTexts.statusCode, 200, asTexts.body)
  assert.deepEqual((await predict({ text: ['yes', 'no', 'yes'] })).json().class, ['yes', 'no', 'yes'])
  assert.equal(encoder.encoded.length, 0)
  const features = [
    { name: 'a', type: 'number' },
    { name: 'text', type: 'text' }
  ]
  const asMatrix = await bring(logitsModel(385, true), { ...SENSORS, features })
  assert.equal(asMatrix.statusCode, 200, asMatrix.body)
  assert.equal((await predict({ a: [1, 2], text: ['one', 'two'] })).statusCode, 200)
  assert.ok(encoder.encoded.includes('two'))
})

test('a file is refused with all that is wrong with it, refused operators by name', async (t) => {
  const { bring } = await open(t)
  const cases: readonly (readonly [Uint8Array | undefined, unknown, string, RegExp])[] = [
    [modelWithOperator('ImageDecoder'), TWO_SENSORS, 'model', /operator ImageDecoder is not taken \(1 times\)/],
    [modelWithOperator('Gelu', 'com.microsoft'), TWO_SENSORS, 'model', /operator Gelu of com.microsoft is not taken/],
    [Buffer.from('no model'), SENSORS, 'model', /it is no ONNX file/],
    [linearModel(), TWO_SENSORS, 'model', /input features is 3 wide, the signature's features are 2/],
    [linearModel(), { ...SENSORS, classes: [0, 1, 2] }, 'model', /a float output of shape \[n,3\] is wanted/],
    [undefined, SENSORS, 'model', /required field/],
    [linearModel(), undefined, 'signature', /required field/],
    [linearModel(), { ...SENSORS, classes: [1] }, 'signature', /classes must not have fewer than 2 items/],
    [linearModel(), { ...SENSORS, classes: ['a', 'b'] }, 'signature', /classes of a number label are numbers/],
    [linearModel(), { ...SENSORS, classes: [1, '1.0'] }, 'signature', /a class is there twice/],
    [linearModel(), { ...SENSORS, more: 1 }, 'signature', /^more /],
    [linearModel(), { ...SENSORS, features: [SENSORS.features[0], SENSORS.features[0]] }, 'signature', /twice/]
  ]
  for (const [model, signature, field, reason] of cases) {
    const reply = await bring(model, signature)
    assert.equal(reply.statusCode, 400, reply.body)
    assert.match(reply.json().errors[field].join('; '), reason)
  }
})

test('a model that takes too long is refused by its trial, and the service goes on', async (t) => {
  const { bring, predict } = await open(t, { ONNX_TIME_LIMIT_MS: '3000' })
  const reply = await bring(loopModel(Number.MAX_SAFE_INTEGER), TWO_SENSORS)
  assert.equal(reply.statusCode, 422, reply.body)
  assert.match(reply.json().message, /it took longer than 3000 ms/)
  assert.equal((await bring(linearModel(), SENSORS)).statusCode, 200)
  assert.equal((await predict({ a: [1], b: [1], c: [1] })).statusCode, 200)
})

test('a model that takes too much memory, or gives no probabilities, is refused by its trial', async (t) => {
  const { bring, predict } = await open(t)
  const cases: readonly (readonly [Uint8Array, RegExp])[] = [
    [greedyModel(4 * 2 ** 30), /it took more than 536870912 bytes of memory/],
    [logitsModel(3, false), /does not add up to 1: end it with Softmax/]
  ]
  for (const [model, reason] of cases) {
    const reply = await bring(model, SENSORS)
    assert.equal(reply.statusCode, 422, reply.body)
    assert.match(reply.json().message, reason)
  }
  assert.equal((await bring(linearModel(), SENSORS)).statusCode, 200)
  assert.equal((await predict({ a: [1], b: [1], c: [1] })).statusCode, 200)
})

test('models are brought by keys and administrators, as forms, up to a size, and only where there are processes for them', async (t) => {
  const { bring, ask } = await open(t, { ONNX_BODY_LIMIT_BYTES: '1024' })
  assert.equal((await bring(linearModel(), SENSORS, await bearer('noor'))).statusCode, 403)
  assert.equal((await bring(new Uint8Array(2000), SENSORS)).statusCode, 413)
  assert.equal((await ask({ method: 'PUT', url: URL, payload: { a: 1 } })).statusCode, 415)
  const headers = { 'content-type': 'multipart/form-data; boundary=x' }
  assert.equal((await ask({ method: 'PUT', url: URL, payload: 'no form', headers })).statusCode, 400)
  const without = await open(t, { ONNX_PROCESSES: '0' })
  assert.equal((await without.bring(linearModel(), SENSORS)).statusCode, 405)
})
