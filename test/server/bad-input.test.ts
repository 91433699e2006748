/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { AUTHORIZED, buildTestApp } from './test-app.ts'

const JSON_TYPE = { ...AUTHORIZED, 'content-type': 'application/json' }

function portOf(app: FastifyInstance): number {
  return Number(new URL(app.listeningOrigin).port)
}

/** What the server sends to raw bytes, until it ends the connection. */
async function sendRaw(app: FastifyInstance, bytes: string): Promise<{ status: number; head: string; body: string }> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = connect(portOf(app), '127.0.0.1')
  socket.on('error', () => {
    // The server may close before it has read everything; what it said is in the buffer all the same.
  })
  socket.write(bytes)
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n')
  return { status: Number(head.split(' ')[1]), head, body }
}

test('bad input is answered in one shape, with the right status, and never with 500', async (t) => {
  const { app, reported } = await buildTestApp(t, { BODY_LIMIT_BYTES: '100000' })
  const cases: [string, InjectOptions, number][] = [
    ['no query', { url: '/v1/encode' }, 400],
    ['empty query', { url: '/v1/encode?query=' }, 400],
    ['white-space query', { url: '/v1/encode?query=%20%09%C2%A0' }, 400],
    ['two queries', { url: '/v1/encode?query=a&query=b' }, 400],
    ['unknown truncate', { url: '/v1/encode?query=a&truncate=middle' }, 400],
    ['no body', { method: 'POST', url: '/v1/encode' }, 400],
    ['empty JSON body', { method: 'POST', url: '/v1/encode', headers: JSON_TYPE, payload: '' }, 400],
    ['null', { method: 'POST', url: '/v1/encode', headers: JSON_TYPE, payload: 'null' }, 400],
    ['a list', { method: 'POST', url: '/v1/encode', headers: JSON_TYPE, payload: '[]' }, 400],
    ['broken JSON', { method: 'POST', url: '/v1/encode', headers: JSON_TYPE, payload: '{"query":"se' }, 400],
    ['a number', { method: 'POST', url: '/v1/encode', headers: JSON_TYPE, payload: '{"query":5}' }, 400],
    [
      'prototype',
      { method: 'POST', url: '/v1/encode', headers: JSON_TYPE, payload: '{"__proto__":{},"query":"a"}' },
      400
    ],
    ['white space', { method: 'POST', url: '/v1/encode', headers: JSON_TYPE, payload: '{"query":" \\n\\t "}' }, 400],
    [
      'text/plain',
      { method: 'POST', url: '/v1/encode', headers: { 'content-type': 'text/plain' }, payload: 'hi' },
      415
    ],
    ['no type', { method: 'POST', url: '/v1/encode', headers: { 'content-type': '' }, payload: 'hi' }, 415],
    ['broken type', { method: 'POST', url: '/v1/encode', headers: { 'content-type': '///' }, payload: 'hi' }, 415],
    ['long body', { method: 'POST', url: '/v1/encode', payload: { query: 'a'.repeat(100_001) } }, 413],
    ['long text', { method: 'POST', url: '/v1/encode', payload: { query: 'a'.repeat(65_537) } }, 400],
    ['many', { method: 'POST', url: '/v1/encode/multiple_encode', payload: { sentences: Array(2049).fill('a') } }, 400],
    ['numbers', { method: 'POST', url: '/v1/encode/multiple_encode', payload: { sentences: ['a', 1] } }, 400],
    ['no list', { method: 'POST', url: '/v1/encode/multiple_encode', payload: { sentences: 'a' } }, 400],
    [
      'many to compare',
      {
        method: 'POST',
        url: '/v1/encode/cos_sim_weight',
        payload: { a: Array(2000).fill('a'), b: Array(2000).fill('b') }
      },
      400
    ],
    ['empty side', { method: 'POST', url: '/v1/encode/cos_sim_weight', payload: { a: '', b: 'b' } }, 400],
    ['wrong method', { method: 'PUT', url: '/v1/encode' }, 405],
    ['wrong method, long body', { method: 'DELETE', url: '/v1/ping', payload: 'x'.repeat(200_000) }, 405],
    ['unknown route', { url: '/v3/encode' }, 404],
    ['unknown route, broken body', { method: 'POST', url: '/v3', headers: JSON_TYPE, payload: '{{' }, 404],
    ['unknown file', { url: '/docs/static/none.css' }, 404],
    ['way out of the docs', { url: '/docs/static/..%2f..%2fpackage.json' }, 404],
    ['bad percent-encoding', { url: '/v1/%zz' }, 400],
    ['long path', { url: `/v1/${'a'.repeat(2000)}` }, 404]
  ]
  for (const [name, request, status] of cases) {
    const reply = await app.inject({ ...request, headers: { ...AUTHORIZED, ...request.headers } })
    const body = reply.json()
    assert.equal(reply.statusCode, status, `${name}: ${reply.payload}`)
    assert.equal(body.statusCode, status, name)
    for (const key of ['code', 'error', 'message']) assert.equal(typeof body[key], 'string', `${name}: ${key}`)
    assert.ok(reply.headers['x-request-id'], name)
    assert.equal(reply.headers['x-content-type-options'], 'nosniff', name)
    assert.equal(reply.headers['cache-control'], 'no-store', name)
    assert.ok(!/node_modules|\.ts:| at /.test(reply.payload), `${name} has no stack`)
  }
  assert.deepEqual(reported, [])
})

test('a key that would be a prototype is named, and not taken for broken JSON', async (t) => {
  const { app } = await buildTestApp(t)
  for (const payload of ['{"__proto__":{},"query":"a"}', '{"query":"a","b":[{"\\u005f_proto__":1}]}']) {
    const reply = await app.inject({ method: 'POST', url: '/v1/encode', headers: JSON_TYPE, payload })
    assert.equal(reply.statusCode, 400)
    assert.equal(reply.json().message, 'Cannot read the body: the key "__proto__" is not taken')
  }
})

test('a missing field, an empty one and a missing body are told in the words of the seed', async (t) => {
  const { app } = await buildTestApp(t)
  const errorsOf = async (url: string, payload?: object) => {
    const reply = await app.inject({
      method: payload ? 'POST' : 'GET',
      url,
      headers: AUTHORIZED,
      ...(payload ? { payload } : {})
    })
    return reply.json().errors
  }
  const query = { query: ['required field'] }
  assert.deepEqual(await errorsOf('/v1/encode'), query)
  assert.deepEqual(await errorsOf('/v1/encode?query='), query)
  assert.deepEqual(await errorsOf('/v1/encode?query=%20'), query)
  assert.deepEqual(await errorsOf('/v1/encode', {}), query)
  assert.deepEqual(await errorsOf('/v1/encode', { query: '  ' }), query)
  assert.deepEqual(await errorsOf('/v1/encode/multiple_encode', {}), { sentences: ['required field'] })
  assert.deepEqual(await errorsOf('/v1/encode/cos_sim_weight', {}), { a: ['required field'], b: ['required field'] })
  const noBody = await app.inject({ method: 'POST', url: '/v1/encode', headers: AUTHORIZED })
  assert.deepEqual(noBody.json().errors, query)
})

test('NUL and lone surrogates are encoded, and come back as they were sent', async (t) => {
  const { app } = await buildTestApp(t)
  for (const query of ['a\0b', 'a\ud800b', '\udc00', '\uffff', 'a\u2028b', '"\\']) {
    const reply = await app.inject({
      method: 'POST',
      url: '/v1/encode',
      headers: JSON_TYPE,
      payload: JSON.stringify({ query })
    })
    assert.equal(reply.statusCode, 200)
    assert.equal(reply.json().query, query)
    assert.equal(reply.json().encoding.length, 384)
  }
})

test('a word of 1 MB is encoded where the limits allow it', async (t) => {
  const { app } = await buildTestApp(t, { MAX_TEXT_CHARACTERS: '2000000' })
  const reply = await app.inject({
    method: 'POST',
    url: '/v1/encode',
    headers: AUTHORIZED,
    payload: { query: 'a'.repeat(1_000_000) }
  })
  assert.equal(reply.statusCode, 200)
})

test('no word of a request is in an error reply or in the log', async (t) => {
  const { app, logLines } = await buildTestApp(t)
  const secret = 'my-private-words'
  const replies = await Promise.all([
    app.inject({ method: 'POST', url: '/v1/encode', headers: JSON_TYPE, payload: `{"query":"${secret}` }),
    app.inject({ method: 'POST', url: '/v1/encode', headers: { ...AUTHORIZED, 'content-type': secret }, payload: 'x' }),
    app.inject({ url: `/v1/encode?query=a&truncate=${secret}`, headers: AUTHORIZED }),
    app.inject({ url: `/${secret}`, headers: AUTHORIZED }),
    app.inject({ url: `/%zz${secret}`, headers: AUTHORIZED })
  ])
  for (const reply of replies) assert.ok(!reply.payload.includes(secret), reply.payload)
  await app.inject({ url: `/v1/encode?query=${secret}`, headers: AUTHORIZED })
  await app.inject({ method: 'POST', url: '/v1/encode', headers: AUTHORIZED, payload: { query: secret } })
  assert.ok(logLines.length >= 7)
  for (const line of logLines) assert.ok(!line.includes(secret), line)
})

test('headers and addresses of absurd length are refused with 431 in the shape of all errors', async (t) => {
  const { app } = await buildTestApp(t)
  for (const request of [
    `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(100_000)}\r\n\r\n`,
    `GET /v1/encode?query=${'a'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`
  ]) {
    const { status, head, body } = await sendRaw(app, request)
    assert.equal(status, 431)
    assert.match(head, /\r\nx-request-id: [\w-]{36}\r\n/)
    assert.match(head, /\r\nconnection: close/)
    const { message: _message, ...rest } = JSON.parse(body)
    assert.deepEqual(rest, { statusCode: 431, code: 'HEADERS_TOO_LARGE', error: 'Request Header Fields Too Large' })
  }
  assert.equal((await app.inject('/')).statusCode, 200)
})

test('CORS headers are also on what no route gets to see', async (t) => {
  const origin = 'https://page.example'
  const requests: [string, number][] = [
    [`GET / HTTP/1.1\r\nHost: x\r\nOrigin: ${origin}\r\nX-Long: ${'a'.repeat(100_000)}\r\n\r\n`, 431],
    [`GET / HTTP/1.1\r\nHost: x\r\nOrigin: ${origin}\r\nExpect: magic\r\n\r\n`, 417],
    [`GET / HTTP/1.1\r\nHost: x\r\nOrigin: ${origin}\r\nContent-Length: x\r\n\r\n`, 400]
  ]
  for (const [allowed, sent] of [
    ['*', '*'],
    [`https://other.example,${origin}`, origin],
    ['https://other.example', undefined]
  ] as const) {
    const { app } = await buildTestApp(t, { CORS_ORIGIN: allowed })
    for (const [request, wanted] of requests) {
      const { status, head } = await sendRaw(app, request)
      assert.equal(status, wanted)
      assert.equal(/\r\naccess-control-allow-origin: (\S+)\r\n/.exec(head)?.[1], sent, `${allowed}, ${wanted}`)
      assert.match(head, /\r\naccess-control-expose-headers: allow, /)
    }
  }
})

test('what is not HTTP is refused with 400 in the shape of all errors', async (t) => {
  const { app } = await buildTestApp(t)
  for (const request of [
    'hello\r\n\r\n',
    'GET / HTTP/1.1\r\nBad Header\r\n\r\n',
    'GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n'
  ]) {
    const { status, body } = await sendRaw(app, request)
    assert.equal(status, 400)
    assert.equal(JSON.parse(body).code, 'INVALID_REQUEST')
  }
})

test('an oversized body is refused by its announced length, and when it is longer than it says', async (t) => {
  const { app } = await buildTestApp(t, { BODY_LIMIT_BYTES: '2000' })
  const head = 'POST /v1/encode HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n'
  const key = `Authorization: ${AUTHORIZED.authorization}\r\n`
  const announced = await sendRaw(app, `${head}${key}Content-Length: 5000\r\n\r\n`)
  assert.equal(announced.status, 413)
  const chunk = `${(1500).toString(16)}\r\n${' '.repeat(1500)}\r\n`
  const chunked = await sendRaw(app, `${head}${key}Transfer-Encoding: chunked\r\n\r\n${chunk}${chunk}0\r\n\r\n`)
  assert.equal(chunked.status, 413)
  assert.equal(JSON.parse(chunked.body).code, 'PAYLOAD_TOO_LARGE')
})

test('a broken request behind one that is being answered does not get into its reply', async (t) => {
  const { app, encoder } = await buildTestApp(t)
  const gate = Promise.withResolvers<void>()
  encoder.gate = gate.promise
  const started = once(app.server, 'clientError').then(() => gate.resolve())
  const get = `GET /v1/encode?query=a HTTP/1.1\r\nHost: x\r\nAuthorization: ${AUTHORIZED.authorization}\r\n\r\n`
  const { head } = await sendRaw(app, `${get}not http\r\n\r\n`)
  await started
  assert.ok(!head.includes('400'), head)
})

test('an encode is given up when its caller leaves', async (t) => {
  const { app, encoder, reported } = await buildTestApp(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const gate = Promise.withResolvers<void>()
  encoder.gate = gate.promise
  const body = '{"query":"a"}'
  const socket = connect(portOf(app), '127.0.0.1')
  socket.write(
    `POST /v1/encode HTTP/1.1\r\nHost: x\r\nAuthorization: ${AUTHORIZED.authorization}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  )
  const options = await encoder.nextCall()
  assert.ok(options?.signal)
  assert.equal(options.signal.aborted, false)
  const aborted = once(options.signal, 'abort')
  socket.destroy()
  await aborted
  gate.resolve()
  assert.equal((await app.inject('/')).statusCode, 200)
  assert.deepEqual(reported, [])
})

test('a bug of ours is a bare 500, logged with its stack and reported', async (t) => {
  const { app, encoder, logLines, reported } = await buildTestApp(t)
  const bug = new TypeError('inner secret')
  encoder.gate = Promise.reject(bug)
  const reply = await app.inject({ url: '/v1/encode?query=a', headers: AUTHORIZED })
  assert.equal(reply.statusCode, 500)
  assert.equal(reply.json().code, 'INTERNAL')
  assert.ok(!reply.payload.includes('inner secret'))
  assert.deepEqual(reported, [bug])
  const line = logLines.find((candidate) => candidate.includes('request failed')) ?? ''
  assert.match(line, /inner secret.*\.ts/)
  assert.ok(line.includes(String(reply.headers['x-request-id'])))
})
