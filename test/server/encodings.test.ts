/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import type { InjectOptions } from 'fastify'
import { sentencesInput } from '../../src/jobs/encode-job.ts'
import { MemoryJobBackend } from '../../src/jobs/memory-job-backend.ts'
import { ReadingLine } from '../../src/reading/reading-line.ts'
import { openMentorApp } from './mentor-app.ts'
import { AUTHORIZED, buildTestApp } from './test-app.ts'

const LATIN_1 = Buffer.from('{"query":"caf\xE9 au lait"}', 'latin1')

/** Jobs that are accepted, and done by nobody. */
function jobParts() {
  return {
    backend: new MemoryJobBackend(),
    types: new Map([['encode', { input: sentencesInput({ maxTextCharacters: 1000 }), priority: 'bulk' as const }]]),
    line: new ReadingLine({ maxWaitingBodies: 1, maxWaitingOfCaller: 1, readingMemoryBytes: 268_435_456 }),
    maxJsonDepth: 64,
    jobBodyLimitBytes: 1_000_000,
    callbacks: undefined
  }
}

/** Every route of the document that takes JSON. */
async function jsonRoutes(t: TestContext) {
  const app = await openMentorApp(t)
  const { paths } = (await app.ask({ url: '/docs/json' })).json()
  const routes: { method: 'POST' | 'PUT'; url: string }[] = []
  for (const [path, operations] of Object.entries<Record<string, { requestBody?: { content: object } }>>(paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      // Of a version that is not there no body is looked at; test/server/routes/classifiers/tables.test.ts has one.
      const isOfVersion = path.endsWith('/versions/{version}/evaluation')
      if (isOfVersion || !('application/json' in (operation.requestBody?.content ?? {}))) continue
      routes.push({ method: method === 'put' ? 'PUT' : 'POST', url: path.replaceAll(/\{\w+\}/g, '1') })
    }
  }
  return { ...app, routes }
}

test('a body that is not UTF-8 is 400 on every route that takes JSON', async (t) => {
  const { ask, routes, encoder } = await jsonRoutes(t)
  assert.ok(routes.length >= 15, String(routes.length))
  for (const { method, url } of routes) {
    for (const type of ['application/json', 'application/json; charset=utf-8']) {
      const reply = await ask({ method, url, payload: LATIN_1, headers: { 'content-type': type } })
      assert.equal(reply.statusCode, 400, `${method} ${url}: ${reply.body}`)
      assert.match(reply.body, /not UTF-8/, `${method} ${url}`)
    }
  }
  assert.deepEqual(encoder.encoded, [])
})

test('a body in a charset that is declared is decoded; an unknown one is 415', async (t) => {
  const { app } = await buildTestApp(t)
  const post = (payload: Buffer, charset: string) =>
    app.inject({
      method: 'POST',
      url: '/v1/encode',
      payload,
      headers: { ...AUTHORIZED, 'content-type': `application/json; charset=${charset}` }
    })
  assert.equal((await post(LATIN_1, 'iso-8859-1')).json().query, 'café au lait')
  assert.equal((await post(Buffer.from('{"query":"café"}', 'utf16le'), 'utf-16le')).json().query, 'café')
  assert.equal((await post(Buffer.from('\uFEFF{"query":"café"}'), 'utf-8')).json().query, 'café')
  const unknown = await post(LATIN_1, 'klingon')
  assert.equal(unknown.statusCode, 415)
  assert.match(unknown.json().message, /unknown charset/)
})

test('JSON lines, and JSON before bytes, that are not UTF-8 are 400', async (t) => {
  const { app } = await buildTestApp(t, {}, { jobs: jobParts() })
  const lines = { method: 'POST', url: '/v1/jobs', payload: LATIN_1 } as const
  const refused = await app.inject({ ...lines, headers: { ...AUTHORIZED, 'content-type': 'application/jsonl' } })
  assert.equal(refused.statusCode, 400, refused.body)
  assert.match(refused.body, /not UTF-8/)
  const accepted = await app.inject({
    ...lines,
    headers: { ...AUTHORIZED, 'content-type': 'application/jsonl; charset=latin1' }
  })
  assert.equal(accepted.statusCode, 202, accepted.body)
  const infer = await app.inject({
    method: 'POST',
    url: '/v2/models/all-MiniLM-L6-v2/infer',
    payload: Buffer.concat([LATIN_1, Buffer.of(0xff)]),
    headers: { ...AUTHORIZED, 'inference-header-content-length': String(LATIN_1.length) }
  })
  assert.equal(infer.statusCode, 400)
  assert.match(infer.json().error, /not UTF-8/)
})

test('a job is read in its charset and without members that are null, here and in a thread', async (t) => {
  const jobs = jobParts()
  const { app } = await buildTestApp(t, {}, { jobs })
  for (const count of [1, 20_000]) {
    const sentences = Array.from({ length: count }, () => 'café au lait')
    const body = { type: 'encode', priority: null, callbackUrl: null, input: { sentences, truncate: null } }
    const headers = { ...AUTHORIZED, 'content-type': 'application/json; charset=iso-8859-1' }
    const payload = Buffer.from(JSON.stringify(body), 'latin1')
    const accepted = await app.inject({ method: 'POST', url: '/v1/jobs', payload, headers })
    assert.equal(accepted.statusCode, 202, accepted.body)
    const [claim] = await jobs.backend.claim({ types: ['encode'], limit: 1, leaseMs: 60_000, waitMs: 0 })
    assert.deepEqual(JSON.parse(Buffer.from(claim?.input.bytes ?? []).toString()), { sentences })
    const undeclared = { ...headers, 'content-type': 'application/json' }
    const refused = await app.inject({ method: 'POST', url: '/v1/jobs', payload, headers: undeclared })
    assert.equal(refused.statusCode, 400, refused.body)
    assert.match(refused.body, /not UTF-8, from line 1 on/)
  }
})

test('a body of a job in another charset is decoded as it arrives, wherever it is cut', async (t) => {
  const jobs = jobParts()
  const { app } = await buildTestApp(t, {}, { jobs })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const line = '{"query":"Ünïcödé 漢字 \u{1f600}"}\n'
  const post = async (bytes: Buffer, charset: string): Promise<Response> => {
    const pieces = ReadableStream.from(
      Array.from({ length: Math.ceil(bytes.length / 7) }, (_, index) => bytes.subarray(index * 7, index * 7 + 7))
    )
    const headers = { ...AUTHORIZED, 'content-type': `application/x-ndjson; charset=${charset}` }
    return fetch(`${origin}/v1/jobs`, { method: 'POST', headers, body: pieces, duplex: 'half' })
  }
  const accepted = await post(Buffer.from(line.repeat(300), 'utf16le'), 'utf-16le')
  assert.equal(accepted.status, 202, await accepted.text())
  const [claim] = await jobs.backend.claim({ types: ['encode'], limit: 1, leaseMs: 60_000, waitMs: 0 })
  assert.equal(Buffer.from(claim?.input.bytes ?? []).toString(), line.repeat(300))
  const cut = await post(Buffer.from(line.repeat(300), 'utf16le').subarray(1), 'utf-16le')
  assert.equal(cut.status, 400)
  const wrong = await post(Buffer.concat([Buffer.from('{"query":"a"}\n'), Buffer.of(0x81, 0x20)]), 'shift_jis')
  assert.equal(wrong.status, 400)
  assert.match(await wrong.text(), /line 2 is not shift_jis/)
  assert.equal((await post(Buffer.from(line), 'klingon')).status, 415)
  // Refused by its head, while what is no text arrives.
  const tooLong = await fetch(`${origin}/v1/jobs`, {
    method: 'POST',
    headers: { ...AUTHORIZED, 'content-type': 'application/x-ndjson; charset=shift_jis' },
    body: Buffer.alloc(70_000_000, 0x81)
  }).then(
    ({ status }) => status,
    () => 'closed'
  )
  assert.ok(tooLong === 413 || tooLong === 'closed')
  assert.equal((await fetch(`${origin}/health/live`)).status, 200)
})

test('a query string that is not percent-encoded UTF-8 is 400, and never kept', async (t) => {
  const { app, encoder } = await buildTestApp(t)
  for (const query of ['caf%E9', '%ED%A0%80%FF', '100%', '100% caf%C3%A9', '%C3', 'a%zz', '%u00e9', 'a&truncate=%E9']) {
    const reply = await app.inject({ url: `/v1/encode?query=${query}`, headers: AUTHORIZED })
    assert.equal(reply.statusCode, 400, query)
    assert.match(reply.json().message, /not percent-encoded UTF-8/)
    assert.equal(reply.headers['cache-control'], 'no-store')
  }
  assert.equal((await app.inject({ url: '/v1/nowhere/caf%E9', headers: AUTHORIZED })).statusCode, 400)
  assert.deepEqual(encoder.calls, [])
  const right = await app.inject({ url: '/v1/encode?query=100%25+caf%C3%A9', headers: AUTHORIZED })
  assert.equal(right.json().query, '100% café')
})

test('an address with bytes that are not ASCII is refused, not guessed', async (t) => {
  const { app } = await buildTestApp(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = connect(Number(new URL(app.listeningOrigin).port), '127.0.0.1')
  socket.write(`GET /v1/encode?query=café HTTP/1.1\r\nHost: x\r\nAuthorization: ${AUTHORIZED.authorization}\r\n\r\n`)
  assert.match(await text(socket), /^HTTP\/1\.1 400 /)
})

test('null stands for an optional member that is absent, wherever a body has one', async (t) => {
  const { app, ask, put } = await openMentorApp(t)
  await put('noor', 'question,answer\nWho are you?,Noor\nWhere are you?,Here\n')
  const cases: [string, object][] = [
    ['/v1/encode', { query: 'a', truncate: null }],
    ['/v1/encode/multiple_encode', { sentences: ['a'], truncate: null }],
    ['/v1/encode/cos_sim_weight', { a: 'a', b: 'b', truncate: null }],
    ['/v1/paraphrase', { sentences: ['a', 'b'], truncate: null }],
    ['/v1/tokenize', { inputs: 'a', truncate: null }],
    ['/train', { mentor: 'noor', arch: null, ping: true, force: null }],
    [
      '/v1/classifiers/c/train',
      {
        rows: [
          { a: 1, label: 'x' },
          { a: 2, label: 'y' }
        ],
        label: null,
        types: null,
        c: null,
        force: null
      }
    ],
    [
      '/v2/models/all-MiniLM-L6-v2/infer',
      {
        id: null,
        parameters: null,
        inputs: [{ name: 'text', datatype: 'BYTES', shape: [1], data: ['a'], parameters: { binary_data_size: null } }],
        outputs: null
      }
    ],
    [
      '/v2/models/all-MiniLM-L6-v2/infer',
      {
        parameters: { binary_data_output: null },
        inputs: [{ name: 'text', datatype: 'BYTES', shape: [1], data: ['a'], parameters: null }],
        outputs: [{ name: 'embedding', parameters: null }]
      }
    ]
  ]
  assert.ok(app)
  for (const [url, payload] of cases) {
    const reply = await ask({ method: 'POST', url, payload })
    assert.equal(reply.statusCode, 200, `${url}: ${reply.body}`)
  }
  const required = await ask({ method: 'POST', url: '/v1/encode', payload: { query: null } })
  assert.equal(required.statusCode, 400)
  const kept = await ask({ method: 'POST', url: '/v1/classifiers/c/predict', payload: { a: [null] } })
  assert.equal(kept.statusCode, 404, 'of a column, null is a value like others')
})

test('a content type that a route does not take is 415, with those that it does', async (t) => {
  const { ask } = await openMentorApp(t)
  for (const [url, wanted] of [
    ['/v1/classifiers/a/predict', /its content-type is not accepted here, application\/json or text\/csv is/],
    ['/v1/encode', /its content-type is not accepted here, application\/json is/]
  ] as const) {
    const headers = { 'content-type': 'application/vnd.ms-excel' }
    const reply = await ask({ method: 'POST', url, payload: 'text\na\n', headers })
    assert.equal(reply.statusCode, 415)
    assert.match(reply.body, wanted)
  }
})

test('CORS headers are on every error, so that a page is told the reason', async (t) => {
  const origin = 'https://page.example'
  const cases: [string, InjectOptions, number][] = [
    ['no route', { url: '/v3/none' }, 404],
    ['no file', { url: '/docs/static/none.css' }, 404],
    ['no method', { method: 'DELETE', url: '/v1/encode' }, 405],
    ['no key', { url: '/v1/encode?query=a', headers: { authorization: '' } }, 401],
    [
      'content type',
      { method: 'POST', url: '/v1/encode', payload: 'a', headers: { 'content-type': 'text/plain' } },
      415
    ],
    ['compressed', { method: 'POST', url: '/v1/encode', payload: 'a', headers: { 'content-encoding': 'gzip' } }, 415],
    ['path', { url: '/v1/%E9' }, 400],
    ['query', { url: '/v1/encode?query=%E9' }, 400],
    ['long', { method: 'POST', url: '/v1/encode', payload: { query: 'a'.repeat(200_000) } }, 413],
    ['openai', { method: 'POST', url: '/v1/embeddings', payload: {} }, 400],
    ['options', { method: 'OPTIONS', url: '/v3/none' }, 404]
  ]
  for (const allowed of [origin, '*', `https://other.example,${origin}`]) {
    const { app } = await buildTestApp(t, { CORS_ORIGIN: allowed, BODY_LIMIT_BYTES: '100000' })
    for (const [name, request, status] of cases) {
      const reply = await app.inject({ ...request, headers: { ...AUTHORIZED, origin, ...request.headers } })
      assert.equal(reply.statusCode, status, `${name}: ${reply.body}`)
      assert.equal(reply.headers['access-control-allow-origin'], allowed === '*' ? '*' : origin, name)
      assert.match(String(reply.headers['access-control-expose-headers']), /x-request-id/, name)
      if (allowed !== '*') assert.match(String(reply.headers.vary), /Origin/, name)
    }
    const stranger = await app.inject({ url: '/v1/%E9', headers: { origin: 'https://elsewhere.example' } })
    assert.equal(stranger.headers['access-control-allow-origin'], allowed === '*' ? '*' : undefined)
  }
  const { app } = await buildTestApp(t)
  assert.equal(
    (await app.inject({ url: '/v1/%E9', headers: { origin } })).headers['access-control-allow-origin'],
    undefined
  )
})

test('JSON with the content type that curl gives it is read; what is no JSON is 415, with the header to add', async (t) => {
  const { ask, put } = await openMentorApp(t)
  await put('noor', 'question,answer\nWho are you?,Noor\nWhere are you?,Here\n')
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const post = (url: string, payload: string, method: 'POST' | 'PUT' = 'POST') =>
    ask({ method, url, payload, headers: form })
  const ping = await post('/train', '{"mentor":"noor","ping":true}')
  assert.deepEqual(ping.json(), { message: 'Successful ping for mentor: noor.' })
  assert.equal((await post('/v1/encode', ' {"query":"a"}')).json().query, 'a')
  assert.equal((await post('/v1/classifiers/c/train', '[{"a":1,"label":"x"},{"a":2,"label":"y"}]')).statusCode, 200)
  assert.equal((await post('/mentors/ada', '{"name":"Ada"}', 'PUT')).statusCode, 200)
  assert.equal((await post('/train', '{"mentor":5}')).statusCode, 400)
  assert.deepEqual((await post('/train', '')).statusCode, 400)
  for (const [url, payload, method] of [
    ['/train', 'mentor=noor', 'POST'],
    ['/v1/encode', 'query=a', 'POST'],
    ['/v2/models/all-MiniLM-L6-v2/infer', 'query=a', 'POST'],
    ['/v1/classifiers/c/predict', 'a\n1\n', 'POST'],
    ['/v1/classifiers/c/train', 'a,label\n1,x\n2,y\n', 'POST'],
    ['/mentors/ada', 'question,answer\nWhy?,So\n', 'PUT']
  ] as const) {
    const reply = await post(url, payload, method)
    assert.equal(reply.statusCode, 415, `${url}: ${reply.body}`)
    assert.match(reply.body, /Content-Type: application\/json.*Content-Type: text\/csv/)
  }
})
