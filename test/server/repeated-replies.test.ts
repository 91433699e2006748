/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnsweredRequest } from '../../src/server/request-log.ts'
import { API_KEY, AUTHORIZED, buildTestApp, type TestApp } from './test-app.ts'

const ADDRESS = '/v1/encode?query=hello%20world'

/** The server's answer over a real connection; `inject` begins behind what is tested here. */
async function send({ app }: TestApp, init: RequestInit = {}, address = ADDRESS): Promise<Response> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  return fetch(`${app.listeningOrigin}${address}`, { headers: AUTHORIZED, ...init })
}

/** Headers but those that differ from reply to reply. */
function headersOf(reply: Response): Record<string, string> {
  const { date: _date, 'x-request-id': _id, 'server-timing': _timing, ...rest } = Object.fromEntries(reply.headers)
  return rest
}

test('a repeated GET has the status, headers and bytes that its route gave it, ahead of routing', async (t) => {
  const observed: AnsweredRequest[] = []
  const testApp = await buildTestApp(t, {}, { observeRequest: (request) => observed.push(request) })
  let routedCount = 0
  testApp.app.addHook('onRequest', (_request, _reply, done) => {
    routedCount += 1
    done()
  })
  const first = await send(testApp)
  const again = await send(testApp)
  assert.equal(routedCount, 1)
  assert.equal(again.status, 200)
  assert.deepEqual(headersOf(again), headersOf(first))
  assert.match(again.headers.get('server-timing') ?? '', /^cache;desc="hit"/)
  assert.match(again.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/)
  assert.deepEqual(await again.bytes(), await first.bytes())
  assert.deepEqual({ ...testApp.replyCache.counts, bytes: 0 }, { hitCount: 1, missCount: 1, entryCount: 1, bytes: 0 })
  const lines = testApp.logLines.map((line) => JSON.parse(line)).filter((line) => line.msg === 'request')
  assert.equal(lines.length, 2)
  assert.deepEqual(Object.keys(lines[1]).toSorted(), Object.keys(lines[0]).toSorted())
  assert.equal(lines[1].reqId, again.headers.get('x-request-id'))
  assert.deepEqual(
    observed.map(({ method, route, statusCode }) => [method, route, statusCode]),
    [
      ['GET', '/v1/encode', 200],
      ['GET', '/v1/encode', 200]
    ]
  )
})

for (const origins of ['*', 'https://app.example.org,https://other.example.org']) {
  test(`a repeated GET without an origin says what pages of others may do, as its route does: ${origins}`, async (t) => {
    const testApp = await buildTestApp(t, { CORS_ORIGIN: origins })
    const [first, again] = [await send(testApp), await send(testApp)]
    assert.match(again.headers.get('server-timing') ?? '', /^cache;desc="hit"/)
    for (const name of ['vary', 'access-control-allow-origin', 'access-control-expose-headers']) {
      assert.equal(again.headers.get(name), first.headers.get(name), name)
    }
    assert.equal(again.headers.get('access-control-allow-origin'), origins === '*' ? '*' : null)
  })
}

test('a repeated GET is answered to who may have it alone', async (t) => {
  const testApp = await buildTestApp(t)
  await (await send(testApp)).bytes()
  for (const authorization of [undefined, 'Bearer wrong', `Basic ${API_KEY}`, API_KEY, 'Bearer ']) {
    const reply = await send(testApp, { headers: authorization === undefined ? {} : { authorization } })
    assert.equal(reply.status, 401, String(authorization))
  }
  assert.equal((await send(testApp, { headers: { authorization: 'Bearer test-key-2' } })).status, 200)
  assert.equal((await send(testApp, { headers: { authorization: `bearer ${API_KEY}` } })).status, 200)
})

test('what depends on more than the address is left to the routes', async (t) => {
  const testApp = await buildTestApp(t, { CORS_ORIGIN: 'https://app.example.org' })
  const first = await send(testApp)
  const etag = first.headers.get('etag') ?? ''
  const notModified = await send(testApp, { headers: { ...AUTHORIZED, 'if-none-match': etag } })
  assert.equal(notModified.status, 304)
  const fromPage = await send(testApp, { headers: { ...AUTHORIZED, origin: 'https://app.example.org' } })
  assert.equal(fromPage.headers.get('access-control-allow-origin'), 'https://app.example.org')
  const head = await send(testApp, { method: 'HEAD' })
  assert.equal(head.status, 200)
  assert.equal(await head.text(), '')
  assert.equal((await send(testApp, { method: 'PUT' })).status, 405)
  assert.equal((await send(testApp, {}, '/v1/encode?query=hello%20world&truncate=start')).status, 200)
  assert.equal(testApp.encoder.calls.length, 2)
})

test('an address whose reply is no longer kept is routed again', async (t) => {
  const testApp = await buildTestApp(t, { REPLY_CACHE_BYTES: '8000' })
  for (const address of [ADDRESS, '/v1/encode?query=other', ADDRESS]) {
    assert.equal((await send(testApp, {}, address)).status, 200)
  }
  assert.equal(testApp.encoder.calls.length, 3)
})

test('an address that was refused is not remembered', async (t) => {
  const testApp = await buildTestApp(t)
  for (let time = 0; time < 2; time += 1) assert.equal((await send(testApp, {}, '/v1/encode?query=')).status, 400)
})
