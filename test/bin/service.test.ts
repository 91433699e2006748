/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The whole service on the real model: its process, its port, real HTTP.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { modelPath } from '../fixtures/model-path.ts'
import { startService, type Service } from '../app/service-process.ts'

const ENTRY = fileURLToPath(new URL('../../src/bin/service.ts', import.meta.url))

type Init = Omit<RequestInit, 'headers'> & { headers?: Record<string, string>; key?: string }

interface Running {
  readonly service: Service
  readonly origin: string
  readonly request: (path: string, init?: Init) => Promise<Response>
}

async function start(t: TestContext, env: Record<string, string> = {}): Promise<Running> {
  const service = startService(t, ENTRY, {
    API_SECRET_KEY: 'key-a,key-b',
    MODEL_DIR: join(modelPath, 'compiled'),
    ...env
  })
  const { address } = await service.logged('listening')
  await service.logged('ready')
  const origin = String(address)
  return {
    service,
    origin,
    request: async (path, { key = 'key-a', headers, ...init } = {}) =>
      fetch(origin + path, { ...init, headers: { authorization: `Bearer ${key}`, ...headers } })
  }
}

function post(body: unknown): Init {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

interface EncodeReply {
  readonly query: string
  readonly encoding: number[]
}

interface Refusal {
  readonly code: string
}

/** The body of a reply, of which the test knows the shape. */
async function bodyOf<Body>(reply: Response): Promise<Body> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a wrong shape fails the assertions that follow
  return (await reply.json()) as Body
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  assert.ok(typeof address === 'object' && address !== null)
  return address.port
}

async function stop(service: Service): Promise<void> {
  service.child.kill('SIGTERM')
  assert.deepEqual(await service.exited, [0, null])
}

test('a text has the same embedding by every route, and in any company', async (t) => {
  const { service, request } = await start(t)
  const query = 'How do I become a nurse?'
  const got = await bodyOf<EncodeReply>(await request(`/v1/encode?query=${encodeURIComponent(query)}`))
  assert.equal(got.query, query)
  assert.equal(got.encoding.length, 384)
  const posted = await bodyOf<EncodeReply>(await request('/v1/encode', post({ query: ` ${query} ` })))
  const company = ['short', query, 'A much longer sentence than the others, with many more words in it than they have.']
  const multiple = await bodyOf<{ data: unknown[] }>(
    await request('/v1/encode/multiple_encode', post({ sentences: company }))
  )
  const openAi = await bodyOf<{ data: { embedding: number[] }[] }>(
    await request('/v1/embeddings', post({ model: 'all-MiniLM-L6-v2', input: query }))
  )
  assert.deepEqual(posted, got)
  assert.deepEqual(multiple.data[1], { original: query, encoded: got.encoding })
  assert.deepEqual(openAi.data[0]?.embedding, got.encoding)
  const concurrent = await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      const text = index % 2 === 0 ? query : `another question, number ${index}`
      return bodyOf<EncodeReply>(await request('/v1/encode', post({ query: text })))
    })
  )
  concurrent.forEach((reply, index) => {
    if (index % 2 === 0) assert.deepEqual(reply, got)
  })
  const same = await bodyOf<{ cos_sim_weight: number }>(
    await request('/v1/encode/cos_sim_weight', post({ a: query, b: [query] }))
  )
  assert.equal(same.cos_sim_weight, 1)
  await stop(service)
})

test('a GET is answered 304 while the model stays, and only to those with a key', async (t) => {
  const { service, request, origin } = await start(t)
  const path = '/v1/encode?query=hello'
  const first = await request(path)
  const etag = first.headers.get('etag') ?? assert.fail('no etag')
  const again = await request(path, { headers: { 'if-none-match': etag } })
  assert.deepEqual([again.status, await again.text()], [304, ''])
  assert.equal((await fetch(origin + path)).status, 401)
  assert.equal((await request(path, { key: 'wrong' })).status, 401)
  await stop(service)
})

test('overload: every request is answered or refused at once, one caller cannot shut another out, nothing is lost', async (t) => {
  const metricsPort = await freePort()
  const { service, request } = await start(t, { MAX_PENDING_TOKENS: '512', METRICS_PORT: String(metricsPort) })
  const ask = async (key: string, index: number): Promise<Response> =>
    request('/v1/encode', { ...post({ query: `${key} asks question ${index} about the sea and its many ships` }), key })
  const flood = Array.from({ length: 300 }, async (_, index) => ask('key-a', index))
  const others = Array.from({ length: 10 }, async (_, index) => ask('key-b', index))
  const floodReplies = await Promise.all(flood)
  const otherReplies = await Promise.all(others)
  assert.deepEqual(
    otherReplies.map(({ status }) => status),
    otherReplies.map(() => 200)
  )
  const refused = floodReplies.filter(({ status }) => status !== 200)
  assert.ok(refused.length > 0 && refused.length < floodReplies.length, `${refused.length} were refused`)
  for (const reply of refused) {
    assert.equal(reply.status, 429)
    assert.match(reply.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
    assert.equal((await bodyOf<Refusal>(reply)).code, 'TOO_MANY_REQUESTS')
  }
  for (const reply of floodReplies.filter(({ status }) => status === 200)) {
    assert.equal((await bodyOf<EncodeReply>(reply)).encoding.length, 384)
  }
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  assert.match(metrics, new RegExp(`^sbert_refused_total ${refused.length}$`, 'm'))
  assert.match(metrics, /^sbert_waiting_sentences 0$/m)
  await stop(service)
})

test('a caller that will not wait is told so when its time is over', async (t) => {
  const { service, request } = await start(t, { ENCODE_WORKERS: '1' })
  const sentences = Array.from({ length: 600 }, (_, index) => `sentence ${index} `.repeat(40))
  const bulk = request('/v1/encode/multiple_encode', post({ sentences }))
  const headers = { 'content-type': 'application/json', 'x-request-timeout-ms': '1' }
  const hurried = { method: 'POST', headers, body: JSON.stringify({ sentences: sentences.slice(0, 100) }) }
  const reply = await request('/v1/encode/multiple_encode', { ...hurried, key: 'key-b' })
  assert.ok(reply.status === 504 || reply.status === 503, `status ${reply.status}`)
  const wrong = await request('/v1/encode?query=a', { headers: { 'x-request-timeout-ms': 'soon' } })
  assert.equal(wrong.status, 400)
  assert.equal((await bulk).status, 200)
  await stop(service)
})

test('a model that is not whole keeps readiness red, and the process alive', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'no-model-'))
  t.after(async () => rm(folder, { recursive: true }))
  const service = startService(t, ENTRY, { API_SECRET_KEY: 'key-a', MODEL_DIR: folder })
  const { address } = await service.logged('listening')
  await service.logged('the model could not be loaded')
  const ready = await fetch(`${String(address)}/health/ready`)
  assert.equal(ready.status, 503)
  assert.match((await bodyOf<{ reasons: string[] }>(ready)).reasons.join(), /run "make download-models"/)
  assert.equal((await fetch(`${String(address)}/health/live`)).status, 200)
  const encode = await fetch(`${String(address)}/v1/encode?query=a`, { headers: { authorization: 'Bearer key-a' } })
  assert.deepEqual([encode.status, (await bodyOf<Refusal>(encode)).code], [503, 'UNAVAILABLE'])
  await stop(service)
})
