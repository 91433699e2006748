/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError } from '../../../../src/errors.ts'
import type { ModelCatalogue } from '../../../../src/inference/inference-model.ts'
import { AUTHORIZED, buildTestApp, embeddingOf, type TestApp } from '../../test-app.ts'

const MODEL = 'all-MiniLM-L6-v2'
const INFER = `/v2/models/${MODEL}/infer`

function textInput(texts: unknown, shape: readonly number[]) {
  return { name: 'text', datatype: 'BYTES', shape, data: texts }
}

async function infer({ app }: TestApp, payload: object, url = INFER) {
  return app.inject({ method: 'POST', url, headers: AUTHORIZED, payload })
}

/** A request whose tensors follow as bytes. */
function binaryBody(json: object, ...tensors: readonly Buffer[]) {
  const text = Buffer.from(JSON.stringify(json))
  return {
    headers: { ...AUTHORIZED, 'inference-header-content-length': String(text.length) },
    payload: Buffer.concat([text, ...tensors])
  }
}

/** A request with one text that follows as so many bytes. */
function sizedInput(size: number) {
  return { inputs: [{ name: 'text', datatype: 'BYTES', shape: [1], parameters: { binary_data_size: size } }] }
}

/** Texts as the bytes of a BYTES tensor. */
function textBytes(...texts: readonly string[]): Buffer {
  const pieces = texts.flatMap((text) => {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(Buffer.byteLength(text))
    return [length, Buffer.from(text)]
  })
  return Buffer.concat(pieces)
}

test('health is open to everyone; all else asks for a key and says so in the shape of the protocol', async (t) => {
  let isReady = true
  const { app } = await buildTestApp(t, {}, { readiness: { isReady: () => isReady, reasons: () => [] } })
  assert.deepEqual((await app.inject('/v2/health/live')).json(), { live: true })
  assert.deepEqual((await app.inject('/v2/health/ready')).json(), { ready: true })
  isReady = false
  const notReady = await app.inject('/v2/health/ready')
  assert.equal(notReady.statusCode, 503)
  assert.deepEqual(notReady.json(), { ready: false })
  const refused = await app.inject('/v2')
  assert.equal(refused.statusCode, 401)
  assert.deepEqual(Object.keys(refused.json()), ['error'])
  assert.match(String(refused.headers['www-authenticate']), /^Bearer/)
})

test('the server and the encoder describe themselves', async (t) => {
  const { app, encoder } = await buildTestApp(t)
  const get = async (url: string) => (await app.inject({ url, headers: AUTHORIZED })).json()
  const server = await get('/v2')
  assert.equal(server.name, 'sbert-service')
  assert.deepEqual(server.extensions, ['binary_tensor_data', 'model_repository(index)'])
  const described = {
    name: MODEL,
    versions: [encoder.revision],
    platform: 'onnxruntime_onnx',
    inputs: [{ name: 'text', datatype: 'BYTES', shape: [-1] }],
    outputs: [
      { name: 'embedding', datatype: 'FP32', shape: [-1, 384] },
      { name: 'token_count', datatype: 'INT32', shape: [-1] },
      { name: 'truncated', datatype: 'BOOL', shape: [-1] }
    ]
  }
  assert.deepEqual(await get(`/v2/models/${MODEL}`), described)
  assert.deepEqual(await get(`/v2/models/${MODEL}/versions/${encoder.revision}`), described)
  assert.deepEqual(await get(`/v2/models/${MODEL}/ready`), { name: MODEL, ready: true })
  const index = await app.inject({ method: 'POST', url: '/v2/repository/index', headers: AUTHORIZED, payload: {} })
  assert.deepEqual(index.json(), [{ name: MODEL, version: encoder.revision, state: 'READY' }])
})

test('texts become embeddings, in the order asked for, with the id that was sent', async (t) => {
  const testApp = await buildTestApp(t)
  const reply = await infer(testApp, { id: '42', inputs: [textInput(['hello world', 'hi'], [2])] })
  assert.equal(reply.statusCode, 200)
  assert.match(String(reply.headers['server-timing']), /inference;dur=1\.5/)
  const { outputs, ...head } = reply.json()
  assert.deepEqual(head, { model_name: MODEL, model_version: testApp.encoder.revision, id: '42' })
  const [embedding, tokenCount, truncated] = outputs
  assert.deepEqual([embedding.name, embedding.datatype, embedding.shape], ['embedding', 'FP32', [2, 384]])
  assert.deepEqual(
    Float32Array.from(embedding.data),
    Float32Array.of(...embeddingOf('hello world'), ...embeddingOf('hi'))
  )
  assert.deepEqual(tokenCount, { name: 'token_count', datatype: 'INT32', shape: [2], data: [4, 3] })
  assert.deepEqual(truncated, { name: 'truncated', datatype: 'BOOL', shape: [2], data: [false, false] })
})

test('outputs can be chosen; a column may have a second dimension, nested or not', async (t) => {
  const testApp = await buildTestApp(t)
  for (const input of [textInput([['hi'], ['ho']], [2, 1]), textInput(['hi', 'ho'], [2, 1])]) {
    const reply = await infer(testApp, { inputs: [input], outputs: [{ name: 'truncated' }, { name: 'token_count' }] })
    assert.deepEqual(reply.json().outputs, [
      { name: 'truncated', datatype: 'BOOL', shape: [2], data: [false, false] },
      { name: 'token_count', datatype: 'INT32', shape: [2], data: [3, 3] }
    ])
    assert.equal(Object.hasOwn(reply.json(), 'id'), false)
  }
  const none = await infer(testApp, { inputs: [textInput([], [0])] })
  assert.deepEqual(none.json().outputs[0], { name: 'embedding', datatype: 'FP32', shape: [0, 384], data: [] })
})

test('the parameter truncate reaches the encoder', async (t) => {
  const testApp = await buildTestApp(t)
  const inputs = [textInput(['hi'], [1])]
  await infer(testApp, { inputs, parameters: { truncate: 'start' } })
  assert.equal(testApp.encoder.options.at(-1)?.truncate, 'start')
  const reply = await infer(testApp, { inputs, parameters: { truncate: 'middle' } })
  assert.equal(reply.statusCode, 400)
  assert.match(reply.json().error, /"truncate" is none of end, start, none/)
})

test('tensors may be bytes behind the JSON, both ways, with or without a content type', async (t) => {
  const { app } = await buildTestApp(t)
  const texts = textBytes('hello world', 'naïve 日本')
  const request = binaryBody(
    {
      inputs: [{ name: 'text', datatype: 'BYTES', shape: [2], parameters: { binary_data_size: texts.length } }],
      outputs: [{ name: 'embedding', parameters: { binary_data: true } }, { name: 'token_count' }]
    },
    texts
  )
  const reply = await app.inject({ method: 'POST', url: INFER, ...request })
  assert.equal(reply.statusCode, 200)
  assert.equal(reply.headers['content-type'], 'application/octet-stream')
  const jsonLength = Number(reply.headers['inference-header-content-length'])
  const json = JSON.parse(reply.rawPayload.toString('utf8', 0, jsonLength))
  assert.deepEqual(json.outputs, [
    { name: 'embedding', datatype: 'FP32', shape: [2, 384], parameters: { binary_data_size: 3072 } },
    { name: 'token_count', datatype: 'INT32', shape: [2], data: [4, 4] }
  ])
  const bytes = new Uint8Array(reply.rawPayload.subarray(jsonLength))
  assert.deepEqual(new Float32Array(bytes.buffer).subarray(384), embeddingOf('naïve 日本'))

  const all = await app.inject({
    method: 'POST',
    url: INFER,
    headers: { ...AUTHORIZED, 'content-type': 'application/octet-stream' },
    payload: JSON.stringify({ inputs: [textInput(['hi'], [1])], parameters: { binary_data_output: true } })
  })
  const head = all.rawPayload.toString('utf8', 0, Number(all.headers['inference-header-content-length']))
  assert.deepEqual(
    JSON.parse(head).outputs.map((output: { parameters: object }) => output.parameters),
    [{ binary_data_size: 1536 }, { binary_data_size: 4 }, { binary_data_size: 1 }]
  )
})

test('what cannot be read is refused with the reason', async (t) => {
  const testApp = await buildTestApp(t, { MAX_SENTENCES: '3', MAX_TEXT_CHARACTERS: '256' })
  const text = { name: 'text', datatype: 'BYTES', shape: [1] }
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [{}, /inputs: required field/],
    [{ inputs: [] }, /input text is missing/],
    [{ inputs: [{ ...text, name: 'query', data: ['a'] }] }, /the model takes text/],
    [{ inputs: [textInput(['a'], [1]), textInput(['a'], [1])] }, /"text" was sent twice/],
    [{ inputs: [textInput(['a', 'b'], [3])] }, /it has 2 elements, its shape wants 3/],
    [{ inputs: [textInput(['a', 'b'], [1, 2])] }, /has shape \[1,2\], wanted is \[-1\]/],
    [{ inputs: [textInput(['a', 7], [2])] }, /element 1 is a number, a text is wanted/],
    [{ inputs: [textInput('a', [1])] }, /its data is a string, an array is wanted/],
    [{ inputs: [text] }, /it has no data/],
    [{ inputs: [{ ...text, datatype: 'FP32', data: [1] }] }, /has datatype FP32, wanted is BYTES/],
    [{ inputs: [{ ...text, datatype: 'STRING', data: ['a'] }] }, /must be one of BYTES/],
    [{ inputs: [{ ...text, shape: [-1], data: ['a'] }] }, /inputs: 0\/shape\/0 must be >= 0/],
    [{ inputs: [textInput(['a', 'a', 'a', 'a'], [4])] }, /4 texts, at most 3/],
    [{ inputs: [textInput(['a', 'b'.repeat(257)], [2])] }, /text 1 has more characters, at most 256/],
    [{ inputs: [textInput(['a'], [1])], outputs: [{ name: 'logits' }] }, /the model gives embedding, token_count, tr/],
    [{ inputs: [textInput(['a'], [2 ** 53 - 1, 1])] }, /has 1 elements/]
  ]
  for (const [payload, reason] of cases) {
    const reply = await infer(testApp, Object(payload))
    assert.equal(reply.statusCode, 400, JSON.stringify(payload))
    assert.deepEqual(Object.keys(reply.json()), ['error'])
    assert.match(reply.json().error, reason)
  }
})

test('bytes that do not add up are refused with the reason', async (t) => {
  const { app } = await buildTestApp(t)
  const texts = textBytes('hi')
  const cases = [
    [binaryBody(sizedInput(99), texts), /binary_data_size is more than was sent/],
    [binaryBody(sizedInput(-1), texts), /binary_data_size is more than was sent/],
    [binaryBody(sizedInput(5), texts), /1 bytes after the JSON belong to no input/],
    [binaryBody(sizedInput(5), texts.subarray(0, 5)), /cut short in element 0/],
    [binaryBody(sizedInput(2), texts.subarray(0, 2)), /cut short in element 0/],
    [binaryBody(sizedInput(6), Buffer.from([2, 0, 0, 0, 0xc3, 0x28])), /element 0 is not UTF-8/],
    [
      { headers: { ...AUTHORIZED, 'inference-header-content-length': '9999' }, payload: Buffer.from('{}') },
      /inference-header-content-length is more than was sent/
    ]
  ] as const
  for (const [request, reason] of cases) {
    const reply = await app.inject({ method: 'POST', url: INFER, ...request })
    assert.equal(reply.statusCode, 400)
    assert.match(reply.json().error, reason)
  }
})

test('unknown models, versions and content types, bad JSON and large bodies are refused in the same shape', async (t) => {
  const testApp = await buildTestApp(t, { BODY_LIMIT_BYTES: '2000' })
  const { app } = testApp
  const payload = { inputs: [textInput(['a'], [1])] }
  const send = async (body: string, type: string) =>
    app.inject({ method: 'POST', url: INFER, headers: { ...AUTHORIZED, 'content-type': type }, payload: body })
  const cases = [
    [404, await infer(testApp, payload, '/v2/models/none/infer')],
    [404, await infer(testApp, payload, `/v2/models/${MODEL}/versions/9/infer`)],
    [404, await app.inject({ url: '/v2/models/none', headers: AUTHORIZED })],
    [404, await app.inject({ url: `/v2/models/none/ready`, headers: AUTHORIZED })],
    [415, await send('a', 'text/plain')],
    [400, await send('{', 'application/json')],
    [400, await send('{"__proto__": {"a": 1}}', 'application/json')],
    [413, await send(JSON.stringify({ id: 'x'.repeat(2000) }), 'application/json')]
  ] as const
  for (const [status, reply] of cases) {
    assert.equal(reply.statusCode, status)
    assert.deepEqual(Object.keys(reply.json()), ['error'])
  }
})

test('whether a version is ready that there is not is a mistake of who asks, not an outage', async (t) => {
  const { app } = await buildTestApp(t)
  const { name, version } = (
    await app.inject({ method: 'POST', url: '/v2/repository/index', headers: AUTHORIZED })
  ).json()[0]
  const readyOf = async (asked: string) =>
    app.inject({ url: `/v2/models/${name}/versions/${asked}/ready`, headers: AUTHORIZED })
  assert.deepEqual((await readyOf(version)).json(), { name, ready: true })
  const unknown = await readyOf('no-such-version')
  assert.equal(unknown.statusCode, 404)
  assert.deepEqual(unknown.json(), { error: 'Cannot open the model: there is no such version' })
})

test('the longest name reaches its route, whatever its characters', async (t) => {
  const { app } = await buildTestApp(t)
  const statusOf = async (name: string) =>
    (await app.inject({ url: `/v2/models/${encodeURIComponent(name)}`, headers: AUTHORIZED })).statusCode
  assert.equal(await statusOf('\u{1f600}'.repeat(300)), 404)
  assert.equal(await statusOf('\u{1f600}'.repeat(301)), 414)
  assert.equal(await statusOf('a'.repeat(301)), 400)
})

test('a model that cannot be opened now is listed, and not ready', async (t) => {
  const failing: ModelCatalogue = {
    names: async () => ['late'],
    find: async (name) => ({
      name,
      access: { kind: 'everyone' },
      versions: async () => [],
      open: async () => {
        throw new ServiceError('UNAVAILABLE', 'Cannot encode: the model is being loaded')
      }
    })
  }
  const { app } = await buildTestApp(t, {}, { inferenceModels: failing })
  const ready = await app.inject({ url: '/v2/models/late/ready', headers: AUTHORIZED })
  assert.equal(ready.statusCode, 503)
  assert.deepEqual(ready.json(), { name: 'late', ready: false })
  const metadata = await app.inject({ url: '/v2/models/late', headers: AUTHORIZED })
  assert.equal(metadata.statusCode, 503)
  assert.deepEqual(metadata.json(), { error: 'Cannot encode: the model is being loaded' })
  const index = await app.inject({ method: 'POST', url: '/v2/repository/index', headers: AUTHORIZED })
  assert.deepEqual(index.json(), [{ name: 'late', version: '', state: 'UNAVAILABLE' }])
})
