/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError } from '../../../../src/errors.ts'
import { AUTHORIZED, buildTestApp, embeddingOf } from '../../test-app.ts'

const LONG_TEXT = 'word '.repeat(300)

test('GET and POST /v1/encode give the trimmed text and its embedding, in the same bytes', async (t) => {
  const { app } = await buildTestApp(t)
  const get = await app.inject({ url: '/v1/encode?query=%20hello%20world%0A', headers: AUTHORIZED })
  const post = await app.inject({
    method: 'POST',
    url: '/v1/encode/',
    headers: AUTHORIZED,
    payload: { query: ' hello world ' }
  })
  assert.equal(get.statusCode, 200)
  assert.equal(get.headers['content-type'], 'application/json; charset=utf-8')
  assert.deepEqual(Object.keys(get.json()), ['query', 'encoding'])
  assert.equal(get.json().query, 'hello world')
  assert.deepEqual(Float32Array.from(get.json().encoding), embeddingOf('hello world'))
  assert.equal(post.payload, get.payload)
})

test('numbers are the shortest decimals of their float32', async (t) => {
  const { app } = await buildTestApp(t)
  const reply = await app.inject({ url: '/v1/encode?query=hello', headers: AUTHORIZED })
  for (const decimal of reply.payload.match(/-?0\.\d+/g) ?? [])
    assert.ok(decimal.replace(/^-?0\.0*/, '').length <= 9, decimal)
})

test('encode replies tell the model revision, the timings and what was cut', async (t) => {
  const { app } = await buildTestApp(t)
  const requests = [
    { method: 'POST', url: '/v1/encode', payload: { query: LONG_TEXT } },
    { method: 'POST', url: '/v1/encode/multiple_encode', payload: { sentences: ['short', LONG_TEXT] } },
    { method: 'POST', url: '/v1/encode/cos_sim_weight', payload: { a: 'short', b: LONG_TEXT } },
    { method: 'POST', url: '/v1/paraphrase', payload: { sentences: ['short', LONG_TEXT] } },
    { method: 'POST', url: '/v1/embeddings', payload: { model: 'all-MiniLM-L6-v2', input: ['short', LONG_TEXT] } }
  ] as const
  for (const request of requests) {
    const reply = await app.inject({ ...request, headers: AUTHORIZED })
    assert.equal(reply.statusCode, 200, request.url)
    assert.equal(reply.headers['x-model-revision'], 'stand-in-1', request.url)
    assert.equal(reply.headers['x-truncated'], '1', request.url)
    assert.equal(
      reply.headers['server-timing'],
      'tokenize;dur=0.250, queue;dur=0.000, inference;dur=1.500',
      request.url
    )
  }
  const cut = await app.inject({
    method: 'POST',
    url: '/v1/encode',
    headers: AUTHORIZED,
    payload: { query: LONG_TEXT }
  })
  assert.equal(cut.json().truncated, true)
  const short = await app.inject({ url: '/v1/encode?query=short', headers: AUTHORIZED })
  assert.equal(short.headers['x-truncated'], '0')
})

test('truncate is handed on, and "none" refuses what is too long', async (t) => {
  const { app, encoder } = await buildTestApp(t)
  const send = (truncate?: string) =>
    app.inject({ method: 'POST', url: '/v1/encode', headers: AUTHORIZED, payload: { query: LONG_TEXT, truncate } })
  assert.equal((await send('start')).statusCode, 200)
  assert.equal((await send('none')).statusCode, 400)
  assert.equal((await send()).statusCode, 200)
  assert.deepEqual(
    encoder.options.map((options) => options?.truncate),
    ['start', 'end']
  )
})

test('GET /v1/encode may be cached by a CDN and by browsers, apart for each key', async (t) => {
  const { app } = await buildTestApp(t)
  const reply = await app.inject({ url: '/v1/encode?query=hello', headers: AUTHORIZED })
  assert.equal(reply.headers['cache-control'], 'public, max-age=3600')
  assert.equal(reply.headers.vary, 'Authorization')
  assert.match(String(reply.headers.etag), /^"[\w-]{27}"$/)
  const off = await buildTestApp(t, { ENCODE_MAX_AGE_SECONDS: '0' })
  const notReused = await off.app.inject({ url: '/v1/encode?query=hello', headers: AUTHORIZED })
  assert.equal(notReused.headers['cache-control'], 'no-cache')
})

test('GET /v1/encode answers 304 to its ETag, in any form and list, without encoding', async (t) => {
  const { app, encoder } = await buildTestApp(t, { REPLY_CACHE_BYTES: '0' })
  const etagOf = async (url: string) => String((await app.inject({ url, headers: AUTHORIZED })).headers.etag)
  const etag = await etagOf('/v1/encode?query=hello')
  encoder.calls.length = 0
  for (const ifNoneMatch of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
    const headers = { ...AUTHORIZED, 'if-none-match': ifNoneMatch }
    const reply = await app.inject({ url: '/v1/encode?query=%20hello', headers })
    assert.equal(reply.statusCode, 304, ifNoneMatch)
    assert.equal(reply.payload, '')
    assert.equal(reply.headers.etag, etag)
    assert.equal(reply.headers['cache-control'], 'public, max-age=3600')
  }
  assert.equal(encoder.calls.length, 0)
  assert.notEqual(await etagOf('/v1/encode?query=other'), etag)
  assert.notEqual(await etagOf('/v1/encode?query=hello&truncate=start'), etag)
  const other = await app.inject({ url: '/v1/encode?query=hello', headers: { ...AUTHORIZED, 'if-none-match': '"x"' } })
  assert.equal(other.statusCode, 200)
  const stranger = await app.inject({ url: '/v1/encode?query=hello', headers: { 'if-none-match': etag } })
  assert.equal(stranger.statusCode, 401)
})

test('HEAD /v1/encode has the headers of GET and no body', async (t) => {
  const { app } = await buildTestApp(t)
  const get = await app.inject({ url: '/v1/encode?query=hello', headers: AUTHORIZED })
  const head = await app.inject({ method: 'HEAD', url: '/v1/encode?query=hello', headers: AUTHORIZED })
  assert.equal(head.statusCode, 200)
  assert.equal(head.payload, '')
  assert.equal(head.headers['content-length'], get.headers['content-length'])
  assert.equal(head.headers.etag, get.headers.etag)
})

test('a text is encoded once, and its reply sent again byte by byte to whoever may have it', async (t) => {
  const { app, encoder, replyCache } = await buildTestApp(t)
  const first = await app.inject({ url: '/v1/encode?query=hello', headers: AUTHORIZED })
  const again = await app.inject({ url: '/v1/encode?query=hello%20', headers: { authorization: 'Bearer test-key-2' } })
  const posted = await app.inject({
    method: 'POST',
    url: '/v1/encode',
    headers: AUTHORIZED,
    payload: { query: 'hello', truncate: 'end' }
  })
  assert.equal(again.payload, first.payload)
  assert.equal(posted.payload, first.payload)
  assert.match(String(again.headers['server-timing']), /^cache;desc="hit", tokenize/)
  assert.equal(again.headers.etag, first.headers.etag)
  assert.equal((await app.inject('/v1/encode?query=hello')).statusCode, 401)
  assert.equal(encoder.calls.length, 1)
  await app.inject({ url: '/v1/encode?query=hello&truncate=start', headers: AUTHORIZED })
  await app.inject({ url: '/v1/encode?query=Hello', headers: AUTHORIZED })
  assert.equal(encoder.calls.length, 3)
  assert.equal(replyCache.counts.hitCount, 2)
  assert.equal(replyCache.counts.missCount, 3)
})

test('a failed encode is not kept', async (t) => {
  const { app, encoder } = await buildTestApp(t)
  encoder.gate = Promise.reject(
    new ServiceError('OVERLOADED', 'Cannot encode: the queue is full', { retryAfterSeconds: 3 })
  )
  const refused = await app.inject({ url: '/v1/encode?query=hello', headers: AUTHORIZED })
  assert.equal(refused.statusCode, 503)
  assert.equal(refused.headers['retry-after'], '3')
  assert.equal(refused.headers['cache-control'], 'no-store')
  encoder.gate = Promise.resolve()
  assert.equal((await app.inject({ url: '/v1/encode?query=hello', headers: AUTHORIZED })).statusCode, 200)
})

test('POST /v1/encode/multiple_encode keeps order and words, in one call', async (t) => {
  const { app, encoder } = await buildTestApp(t)
  const sentences = ['one', ' two ', '', 'one', 'd\ud800', LONG_TEXT]
  const reply = await app.inject({
    method: 'POST',
    url: '/v1/encode/multiple_encode',
    headers: AUTHORIZED,
    payload: { sentences }
  })
  const { data } = reply.json()
  assert.deepEqual(
    data.map((item: { original: string }) => item.original),
    sentences
  )
  assert.deepEqual(Float32Array.from(data[1].encoded), embeddingOf(' two '))
  assert.deepEqual(Object.keys(data[0]), ['original', 'encoded'])
  assert.equal(data[5].truncated, true)
  assert.equal(encoder.calls.length, 1)
  const none = await app.inject({
    method: 'POST',
    url: '/v1/encode/multiple_encode',
    headers: AUTHORIZED,
    payload: { sentences: [] }
  })
  assert.deepEqual(none.json(), { data: [] })
})

test('callers are told apart to the encoder by a hash of their key', async (t) => {
  const { app, encoder } = await buildTestApp(t)
  for (const key of ['test-key-1', 'test-key-2', 'test-key-1']) {
    await app.inject({
      method: 'POST',
      url: '/v1/encode/multiple_encode',
      headers: { authorization: `Bearer ${key}` },
      payload: { sentences: ['a'] }
    })
  }
  const [one, two, three] = encoder.options.map((options) => options?.callerKey)
  assert.match(String(one), /^[0-9a-f]{12}$/)
  assert.notEqual(one, two)
  assert.equal(one, three)
})

test('POST /v1/tokenize gives ids, counts and whether a text was cut', async (t) => {
  const { app } = await buildTestApp(t)
  const send = async (payload: object) =>
    (await app.inject({ method: 'POST', url: '/v1/tokenize', headers: AUTHORIZED, payload })).json()
  assert.deepEqual(await send({ inputs: 'a bb ccc' }), {
    data: [{ token_ids: [101, 1, 2, 3, 102], token_count: 5, truncated: false }]
  })
  const { data } = await send({ inputs: ['a', LONG_TEXT] })
  assert.equal(data[0].token_count, 3)
  assert.equal(data[1].token_count, 256)
  assert.equal(data[1].truncated, true)
  assert.equal((await send({ inputs: LONG_TEXT, truncate: 'none' })).statusCode, 400)
})
