/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AUTHORIZED, buildTestApp } from './test-app.ts'

test('the root and /health/live answer while the process lives; /health/ready only when it takes work', async (t) => {
  let reasons = ['the model is being loaded']
  const readiness = { isReady: () => reasons.length === 0, reasons: () => reasons }
  const { app } = await buildTestApp(t, {}, { readiness })
  assert.equal((await app.inject('/')).statusCode, 200)
  assert.equal((await app.inject('/health/live')).statusCode, 200)
  const notReady = await app.inject('/health/ready')
  assert.equal(notReady.statusCode, 503)
  assert.deepEqual(notReady.json(), { status: 'not ready', reasons })
  reasons = []
  const ready = await app.inject('/health/ready/')
  assert.equal(ready.statusCode, 200)
  assert.deepEqual(ready.json(), { status: 'ready', reasons: [] })
  assert.equal(ready.headers['cache-control'], 'no-store')
})

test('/v1/ping says who answered, with a key or without one, or with a wrong one', async (t) => {
  const { app } = await buildTestApp(t)
  for (const headers of [{}, AUTHORIZED, { authorization: 'Bearer wrong-key' }]) {
    const reply = await app.inject({ url: '/v1/ping', headers })
    assert.deepEqual(reply.json(), { status: 'success', message: 'pong!', container_id: 'container-1' })
  }
})

test('x-request-id is taken when it is sane, else made; returned and logged', async (t) => {
  const { app, logLines } = await buildTestApp(t)
  const idOf = async (given?: string) => {
    const reply = await app.inject({ url: '/', headers: given === undefined ? {} : { 'x-request-id': given } })
    return String(reply.headers['x-request-id'])
  }
  assert.equal(await idOf('abc-123:4.5_6/7=8+9@x'), 'abc-123:4.5_6/7=8+9@x')
  assert.match(await idOf(), /^[0-9a-f-]{36}$/)
  for (const forged of ['', 'a b', 'a"b', 'a'.repeat(129), 'é']) assert.match(await idOf(forged), /^[0-9a-f-]{36}$/)
  const ids = logLines.map((line) => JSON.parse(line).reqId)
  assert.equal(ids[0], 'abc-123:4.5_6/7=8+9@x')
})

test('each request leaves one line, which names the route and not the address', async (t) => {
  const { app, logLines } = await buildTestApp(t)
  await app.inject({ url: '/v1/encode?query=private', headers: AUTHORIZED })
  assert.equal(logLines.length, 1)
  const { level, time, reqId, durationMs, ...line } = JSON.parse(logLines[0] ?? '')
  assert.deepEqual(line, { method: 'GET', route: '/v1/encode', statusCode: 200, msg: 'request' })
  for (const number of [level, time, durationMs]) assert.equal(typeof number, 'number')
  assert.equal(typeof reqId, 'string')
})

test('405 and OPTIONS name the methods of an address', async (t) => {
  const { app } = await buildTestApp(t)
  const put = await app.inject({ method: 'PUT', url: '/v1/encode/' })
  assert.equal(put.statusCode, 405)
  assert.equal(put.headers.allow, 'GET, POST, HEAD, OPTIONS')
  const get = await app.inject({ url: '/v1/paraphrase?x=1', headers: AUTHORIZED })
  assert.equal(get.statusCode, 405)
  assert.equal(get.headers.allow, 'POST, OPTIONS')
  const options = await app.inject({ method: 'OPTIONS', url: '/v1/encode' })
  assert.equal(options.statusCode, 204)
  assert.equal(options.headers.allow, 'GET, POST, HEAD, OPTIONS')
  assert.equal((await app.inject({ method: 'OPTIONS', url: '/nothing' })).statusCode, 404)
  assert.equal((await app.inject({ method: 'DELETE', url: '/' })).statusCode, 405)
})

test('without CORS_ORIGIN no reply lets another origin read it', async (t) => {
  const { app } = await buildTestApp(t)
  const headers = { ...AUTHORIZED, origin: 'https://app.example.org' }
  const reply = await app.inject({ url: '/v1/encode?query=a', headers })
  assert.equal(reply.headers['access-control-allow-origin'], undefined)
  const preflight = {
    method: 'OPTIONS',
    url: '/v1/encode',
    headers: { ...headers, 'access-control-request-method': 'POST' }
  } as const
  const answer = await app.inject(preflight)
  assert.equal(answer.headers['access-control-allow-origin'], undefined)
})

test('CORS_ORIGIN lets pages of its origins call, and no others', async (t) => {
  const { app } = await buildTestApp(t, { CORS_ORIGIN: 'https://app.example.org,https://two.example.org' })
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: '/v1/encode',
    headers: {
      origin: 'https://two.example.org',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type'
    }
  })
  assert.equal(preflight.statusCode, 204)
  assert.equal(preflight.headers['access-control-allow-origin'], 'https://two.example.org')
  assert.match(String(preflight.headers['access-control-allow-methods']), /POST/)
  assert.equal(preflight.headers['access-control-allow-headers'], 'authorization,content-type')
  const reply = await app.inject({
    url: '/v1/encode?query=a',
    headers: { ...AUTHORIZED, origin: 'https://app.example.org' }
  })
  assert.equal(reply.headers['access-control-allow-origin'], 'https://app.example.org')
  assert.match(String(reply.headers['access-control-expose-headers']), /x-model-revision/)
  assert.equal(reply.headers.vary, 'Authorization, Origin')
  const stranger = await app.inject({
    url: '/v1/encode?query=a',
    headers: { ...AUTHORIZED, origin: 'https://evil.example.org' }
  })
  assert.equal(stranger.headers['access-control-allow-origin'], undefined)
  const refused = await app.inject({ url: '/v1/encode', headers: { origin: 'https://app.example.org' } })
  assert.equal(refused.statusCode, 401)
  assert.equal(refused.headers['access-control-allow-origin'], 'https://app.example.org', 'a page may read its errors')
  const plain = await app.inject({ method: 'OPTIONS', url: '/v1/encode' })
  assert.equal(plain.headers.allow, 'GET, POST, HEAD, OPTIONS')
})

test('every reply has secure headers', async (t) => {
  const { app } = await buildTestApp(t)
  for (const url of ['/', '/v1/encode', '/nothing', '/docs', '/docs/json']) {
    const { headers } = await app.inject(url)
    assert.equal(headers['x-content-type-options'], 'nosniff', url)
    assert.match(String(headers['strict-transport-security']), /max-age=\d+/, url)
    assert.match(String(headers['content-security-policy']), /frame-ancestors 'none'/, url)
    assert.ok(headers['x-frame-options'], url)
  }
})

test('a body in another encoding than plain is refused, not decompressed', async (t) => {
  const { app, encoder } = await buildTestApp(t)
  const reply = await app.inject({
    method: 'POST',
    url: '/v1/encode',
    headers: { ...AUTHORIZED, 'content-type': 'application/json', 'content-encoding': 'br' },
    payload: Buffer.from('0b028068656c6c6f03', 'hex')
  })
  assert.equal(reply.statusCode, 415)
  assert.equal(encoder.calls.length, 0)
})
