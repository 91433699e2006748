/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// Models as skl2onnx writes them by default, ZipMap and all, against what scikit-learn itself says (tools/fixtures/exported-models.py).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspectOnnx } from '../../../../src/onnx/inspect-onnx.ts'
import { preparedModel } from '../../../../src/onnx/prepared-model.ts'
import { openMentorApp } from '../../mentor-app.ts'
import fixture from '../../../fixtures/onnx/cases.json' with { type: 'json' }

/** Of a probability: the exporter computes in float32. */
const TOLERANCE = 1e-4

for (const { name, signature, model, asked, classes, probabilities } of fixture.cases) {
  test(`skl2onnx: ${name}: answers as in Python`, async (t) => {
    const app = await openMentorApp(t, { ONNX_TIME_LIMIT_MS: '60000' })
    const form = new FormData()
    form.append('model', new Blob([Buffer.from(model, 'base64')]), 'model.onnx')
    form.append('signature', JSON.stringify(signature))
    const encoded = new Response(form)
    const brought = await app.ask({
      method: 'PUT',
      url: '/v1/classifiers/exported/versions',
      payload: Buffer.from(await encoded.arrayBuffer()),
      headers: { 'content-type': encoded.headers.get('content-type') ?? '' }
    })
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
