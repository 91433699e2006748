/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { AuthenticationError, BadRequestError, NotFoundError, OpenAI } from 'openai'
import { API_KEY, AUTHORIZED, buildTestApp, embeddingOf } from '../../test-app.ts'

const MODEL = 'all-MiniLM-L6-v2'

/** The official client, against a listening server. */
async function listen(t: TestContext, apiKey = API_KEY) {
  const { app, encoder } = await buildTestApp(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const client = new OpenAI({ apiKey, baseURL: `${app.listeningOrigin}/v1`, maxRetries: 0 })
  return { client, encoder }
}

test('the OpenAI client gets the embedding of a text, by base64 as it asks for by itself, and as numbers', async (t) => {
  const { client } = await listen(t)
  const byDefault = await client.embeddings.create({ model: MODEL, input: 'hello world' })
  assert.equal(byDefault.object, 'list')
  assert.equal(byDefault.model, MODEL)
  assert.deepEqual(byDefault.usage, { prompt_tokens: 4, total_tokens: 4 })
  assert.deepEqual(Float32Array.from(byDefault.data[0]?.embedding ?? []), embeddingOf('hello world'))
  const asNumbers = await client.embeddings.create({ model: MODEL, input: 'hello world', encoding_format: 'float' })
  assert.deepEqual(Float32Array.from(asNumbers.data[0]?.embedding ?? []), embeddingOf('hello world'))
})

test('the OpenAI client may send lists of texts, token ids, and lists of token ids', async (t) => {
  const { client } = await listen(t)
  const texts = await client.embeddings.create({ model: MODEL, input: ['a', 'b'] })
  assert.deepEqual(
    texts.data.map(({ index, object }) => [index, object]),
    [
      [0, 'embedding'],
      [1, 'embedding']
    ]
  )
  assert.deepEqual(Float32Array.from(texts.data[1]?.embedding ?? []), embeddingOf('b'))
  const ids = await client.embeddings.create({ model: MODEL, input: [101, 7592, 102] })
  assert.deepEqual(Float32Array.from(ids.data[0]?.embedding ?? []), embeddingOf('101 7592 102'))
  const input = [
    [101, 7592, 102],
    [101, 2088, 999, 102]
  ]
  const rows = await client.embeddings.create({ model: MODEL, input })
  assert.equal(rows.data.length, 2)
  assert.deepEqual(Float32Array.from(rows.data[1]?.embedding ?? []), embeddingOf('101 2088 999 102'))
})

test('token ids of another tokenizer are refused, and the switch of the client that sends them is named', async (t) => {
  const { client, encoder } = await listen(t)
  for (const input of [
    [15339, 1917],
    [[101, 7592, 102], [9906]],
    [[101, 7592]],
    [[7592, 102]],
    [101],
    [[102, 5, 101]]
  ]) {
    await assert.rejects(client.embeddings.create({ model: MODEL, input }), (error) => {
      assert.ok(error instanceof BadRequestError)
      assert.equal(error.param, 'input')
      assert.match(error.message, /\[CLS\] \(101\).*check_embedding_ctx_length=False/)
      return true
    })
  }
  await assert.rejects(client.embeddings.create({ model: MODEL, input: [[101, 7, 102], [5]] }), /input\[1\]/)
  assert.equal(encoder.options.length, 0)
})

test('a blank text among others is encoded, an empty one is told by its index', async (t) => {
  const { client } = await listen(t)
  const { data } = await client.embeddings.create({ model: MODEL, input: ['a', ' ', '\n'] })
  assert.deepEqual(
    data.map(({ embedding }) => Float32Array.from(embedding)),
    ['a', ' ', '\n'].map(embeddingOf)
  )
  await assert.rejects(
    client.embeddings.create({ model: MODEL, input: ['a', ' ', ''] }),
    /input\[2\] is an empty string/
  )
})

test('null stands for what is absent, as gateways write it', async (t) => {
  const { app } = await buildTestApp(t)
  const payload = { model: MODEL, input: 'hello world', encoding_format: null, dimensions: null, user: null }
  const reply = await app.inject({ method: 'POST', url: '/v1/embeddings', headers: AUTHORIZED, payload })
  assert.equal(reply.statusCode, 200, reply.body)
  assert.equal(reply.json().data[0].embedding.length, 384)
})

test('dimensions cuts an embedding and scales it to norm 1 again', async (t) => {
  const { client } = await listen(t)
  const { data } = await client.embeddings.create({ model: MODEL, input: 'hello', dimensions: 64 })
  const embedding = data[0]?.embedding ?? []
  assert.equal(embedding.length, 64)
  assert.ok(Math.abs(Math.hypot(...embedding) - 1) < 1e-6)
  const full = embeddingOf('hello')
  assert.ok(Math.abs((embedding[0] ?? 0) / (embedding[1] ?? 1) - (full[0] ?? 0) / (full[1] ?? 1)) < 1e-5)
})

test('the OpenAI client finds the model, by its name with or without an owner', async (t) => {
  const { client } = await listen(t)
  const { data: models } = await client.models.list()
  assert.deepEqual(
    models.map(({ id, object }) => [id, object]),
    [
      [MODEL, 'model'],
      [`embedding/${MODEL}`, 'model']
    ]
  )
  assert.equal((await client.models.retrieve(MODEL)).id, MODEL)
  assert.equal((await client.models.retrieve(`sentence-transformers/${MODEL}`)).id, MODEL)
  const owned = await client.embeddings.create({ model: `sentence-transformers/${MODEL}`, input: 'a' })
  assert.equal(owned.model, MODEL)
})

test('a client that offers only models with "embed" in their name finds one, and may use that name', async (t) => {
  const { client } = await listen(t)
  const { data: models } = await client.models.list()
  const offered = models.map(({ id }) => id).filter((id) => id.includes('embed'))
  assert.equal(offered.length, 1)
  assert.equal((await client.models.retrieve(offered[0]!)).id, MODEL)
  const { data } = await client.embeddings.create({ model: offered[0]!, input: 'hello' })
  assert.deepEqual(Float32Array.from(data[0]!.embedding), embeddingOf('hello'))
})

/** Bodies that clients without a package to try them by send: Open WebUI (with a prefix field), Dify at its check of a model, Dify, n8n. */
const OTHER_CLIENTS = {
  'Open WebUI': {
    input: ['hello', 'bye'],
    model: 'sentence-transformers/all-MiniLM-L6-v2',
    input_type: 'search_query'
  },
  'Dify, when the model is added': { model: MODEL, input: 'hello', encoding_format: 'float' },
  Dify: { model: MODEL, input: ['hello', 'bye'] },
  n8n: { model: `embedding/${MODEL}`, input: ['hello', 'bye'], encoding_format: 'float', dimensions: 384 }
}

for (const [name, payload] of Object.entries(OTHER_CLIENTS)) {
  test(`${name} is answered with numbers and a count of tokens`, async (t) => {
    const { app } = await buildTestApp(t)
    const reply = await app.inject({ method: 'POST', url: '/v1/embeddings', headers: AUTHORIZED, payload })
    assert.equal(reply.statusCode, 200, reply.body)
    const { data, usage }: { data: { embedding: number[] }[]; usage: { prompt_tokens: number } } = reply.json()
    assert.deepEqual(
      data.map(({ embedding }) => Float32Array.from(embedding)),
      [payload.input].flat().map(embeddingOf)
    )
    assert.ok(usage.prompt_tokens > 0)
  })
}

test('the OpenAI client understands what went wrong', async (t) => {
  const { client } = await listen(t)
  await assert.rejects(client.embeddings.create({ model: 'text-embedding-3-small', input: 'a' }), (error) => {
    assert.ok(error instanceof NotFoundError)
    assert.equal(error.param, 'model')
    assert.equal(error.type, 'invalid_request_error')
    return true
  })
  await assert.rejects(client.embeddings.create({ model: MODEL, input: '' }), BadRequestError)
  await assert.rejects(client.embeddings.create({ model: MODEL, input: [] }), BadRequestError)
  await assert.rejects(client.embeddings.create({ model: MODEL, input: 'a', dimensions: 385 }), (error) => {
    assert.ok(error instanceof BadRequestError)
    assert.equal(error.param, 'dimensions')
    return true
  })
  const stranger = await listen(t, 'wrong')
  await assert.rejects(stranger.client.embeddings.create({ model: MODEL, input: 'a' }), AuthenticationError)
})

test('input that is neither text nor ids is refused, with the error nested under "error"', async (t) => {
  const { app } = await buildTestApp(t)
  for (const input of [undefined, null, 5, '', ' ', [], [[]], ['a', 1], [1, 'a'], [1.5], [-1], [[1], 2], ['']]) {
    const reply = await app.inject({
      method: 'POST',
      url: '/v1/embeddings',
      headers: AUTHORIZED,
      payload: { model: MODEL, input }
    })
    assert.equal(reply.statusCode, 400, JSON.stringify(input))
    const { error } = reply.json()
    assert.deepEqual(Object.keys(error), ['message', 'type', 'param', 'code'])
    assert.equal(error.param, 'input', JSON.stringify(input))
  }
})
