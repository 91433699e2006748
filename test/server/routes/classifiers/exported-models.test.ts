/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// Models as their converters write them by default, ZipMap and all, against what they answer in Python (tools/fixtures/exported-models.py).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspectOnnx } from '../../../../src/onnx/inspect-onnx.ts'
import { preparedModel } from '../../../../src/onnx/prepared-model.ts'
import { openMentorApp, type MentorApp } from '../../mentor-app.ts'
import fixture from '../../../fixtures/onnx/cases.json' with { type: 'json' }

/** Of a probability: the exporter computes in float32. */
const TOLERANCE = 1e-4

async function bring(app: MentorApp, { signature, model }: { signature: object; model: string }) {
  const form = new FormData()
  form.append('model', new Blob([Buffer.from(model, 'base64')]), 'model.onnx')
  form.append('signature', JSON.stringify(signature))
  const encoded = new Response(form)
  return app.ask({
    method: 'PUT',
    url: '/v1/classifiers/exported/versions',
    payload: Buffer.from(await encoded.arrayBuffer()),
    headers: { 'content-type': encoded.headers.get('content-type') ?? '' }
  })
}

for (const { name, signature, model, asked, classes, probabilities } of fixture.cases) {
  test(`exported model: ${name}: answers as in Python`, async (t) => {
    const app = await openMentorApp(t, { ONNX_TIME_LIMIT_MS: '60000' })
    const brought = await bring(app, { signature, model })
    assert.equal(brought.statusCode, 200, brought.body)
    const url = '/v1/classifiers/exported/predict?probability=true'
    const predicted = await app.ask({ method: 'POST', url, payload: asked })
    assert.equal(predicted.statusCode, 200, predicted.body)
    const reply: { class: (string | number)[]; probability: number[] } = predicted.json()
    assert.deepEqual(reply.class, classes)
    for (const [index, probability] of reply.probability.entries()) {
      assert.ok(Math.abs(probability - probabilities[index]!) < TOLERANCE, `row ${index}: ${probability}`)
    }
  })
}

test('preparedModel() of a prepared model changes nothing, byte for byte', () => {
  for (const { name, model } of fixture.cases) {
    const bytes = preparedModel(Buffer.from(model, 'base64'))
    assert.equal(inspectOnnx(bytes).outcome, 'accepted', name)
    assert.deepEqual(Buffer.from(preparedModel(bytes)), Buffer.from(bytes), name)
  }
})

test('a model of integers takes whole numbers alone, and says which column has others', async (t) => {
  const app = await openMentorApp(t, { ONNX_TIME_LIMIT_MS: '60000' })
  const brought = fixture.cases.find(({ name }) => name.endsWith('on integers'))!
  assert.equal((await bring(app, brought)).statusCode, 200)
  const url = '/v1/classifiers/exported/predict'
  const refused = await app.ask({ method: 'POST', url, payload: { x: [1, 2], y: [1, 2.5] } })
  assert.equal(refused.statusCode, 400)
  assert.deepEqual(refused.json().errors, { y: ['whole numbers wanted'] })
  const asText = { ...brought, signature: { ...brought.signature, features: [{ name: 'words', type: 'text' }] } }
  const unbound = await bring(app, asText)
  assert.equal(unbound.statusCode, 400)
  assert.match(unbound.json().message, /feature words is no input of the model/)
})
