/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { before, test, type TestContext } from 'node:test'
import { SignJWT } from 'jose'

import { planChanges } from '../../tools/edge-keys/plan.ts'
import { keyOf, openFullApp } from '../server/full-app.ts'
import { API_KEY, JWT_SECRET, buildTestApp, type TestApp } from '../server/test-app.ts'
import {
  CACHE_KEY,
  Edge,
  FUNCTION_URL,
  KeyValues,
  edgeRequest,
  isReply,
  loadInNode,
  type Call,
  type EdgeReply,
  type EdgeRequest,
  type Handler,
  type LoadFunction
} from './edge.ts'
import { NjsEngine } from './njs-engine.ts'

const MAX_FUNCTION_BYTES = 10 * 1024
const OTHER_KEY = 'test-key-2'
const UNKNOWN_KEY = 'not-a-key'

function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` }
}

/** A token that the service takes, or one that differs from it in its header. */
async function jwt(change: { alg?: string; secret?: string; claims?: Record<string, unknown> } = {}): Promise<string> {
  const signed = await new SignJWT({ id: 'user-1', role: 'USER', mentorIds: [], ...change.claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(change.secret ?? JWT_SECRET))
  if (change.alg === undefined) return signed
  return [json({ alg: change.alg, typ: 'JWT' }), ...signed.split('.').slice(1)].join('.')
}

/** A part of a JWT. */
function json(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** The function in an engine, alone and before the service. */
class Subject {
  readonly load: LoadFunction

  constructor(load: LoadFunction) {
    this.load = load
  }

  /** Runs the function alone. */
  async run(call: Call, store = KeyValues.of([API_KEY]), requestId = 'request-1'): ReturnType<Handler> {
    const handler = await this.load(store)
    return handler({ version: '1.0', context: { requestId, eventType: 'viewer-request' }, request: edgeRequest(call) })
  }

  async passed(call: Call, store?: KeyValues, requestId?: string): Promise<EdgeRequest> {
    const result = await this.run(call, store, requestId)
    assert(!isReply(result), `passed on, not ${JSON.stringify(result)}`)
    return result
  }

  async refused(call: Call, store?: KeyValues): Promise<EdgeReply> {
    const result = await this.run(call, store)
    assert(isReply(result), 'answered by the function')
    assert.equal(result.statusCode, 401)
    return result
  }

  async scopeOf(call: Call, store?: KeyValues, requestId?: string): Promise<string | undefined> {
    return (await this.passed(call, store, requestId)).headers['x-cache-scope']?.value
  }

  /** The function before the service itself, with a cache between them. */
  async edge(t: TestContext, store: KeyValues): Promise<TestApp & { edge: Edge }> {
    const service = await buildTestApp(t)
    return { ...service, edge: new Edge(await this.load(store), service.app) }
  }
}

const njs = new NjsEngine()
before(() => njs.start())
njs.endAfterTests()

/** A test that runs in Node.js and, where it can be had, in njs, the engine of CloudFront's functions. */
function inBoth(name: string, run: (subject: Subject, t: TestContext) => Promise<void>): void {
  test(name, (t) => run(new Subject(loadInNode), t))
  test(`in njs: ${name}`, async (t) => {
    if (njs.missing === undefined) await run(new Subject(njs.load), t)
    else t.skip(njs.missing)
  })
}

test('authorize.js fits into a CloudFront Function', async () => {
  const { size } = await stat(FUNCTION_URL)
  assert(size < MAX_FUNCTION_BYTES, `${size} bytes`)
})

inBoth('authorize.js: known keys share one copy', async (subject) => {
  const store = KeyValues.of([API_KEY, OTHER_KEY], 'r7')
  assert.equal(await subject.scopeOf({ headers: bearer(API_KEY) }, store), 'shared-r7')
  assert.equal(await subject.scopeOf({ headers: bearer(OTHER_KEY) }, store), 'shared-r7')
})

inBoth('authorize.js: what it passes on still has its Authorization, for the service to check', async (subject) => {
  const { headers } = await subject.passed({ headers: bearer(API_KEY) })
  assert.equal(headers['authorization']?.value, `Bearer ${API_KEY}`)
})

inBoth('attack, no key: 401 in the shape of the service, before the cache', async (subject, t) => {
  const reply = await subject.refused({})
  const { app } = await buildTestApp(t)
  const own = await app.inject('/v1/encode?query=hello')
  assert.deepEqual(JSON.parse(reply.body), own.json())
  for (const name of ['content-type', 'cache-control', 'www-authenticate']) {
    assert.equal(reply.headers[name]?.value, own.headers[name], name)
  }
})

inBoth('attack, wrong key: 401 in the shape of the service', async (subject, t) => {
  const reply = await subject.refused({ headers: bearer(UNKNOWN_KEY) })
  const { app } = await buildTestApp(t)
  const own = await app.inject({ url: '/v1/encode?query=hello', headers: bearer(UNKNOWN_KEY) })
  assert.deepEqual(JSON.parse(reply.body), own.json())
  assert.equal(reply.headers['www-authenticate']?.value, own.headers['www-authenticate'])
})

inBoth('attack, parts of a key: each is refused', async (subject) => {
  for (const token of [
    API_KEY.slice(0, -1),
    `${API_KEY}x`,
    API_KEY.toUpperCase(),
    `${API_KEY},${OTHER_KEY}`,
    `${API_KEY}\0`
  ]) {
    await subject.refused({ headers: bearer(token) })
  }
})

inBoth('attack, the digest in place of the key: refused', async (subject) => {
  const store = KeyValues.of([API_KEY])
  for (const name of store.pairs.keys()) await subject.refused({ headers: bearer(name) }, store)
})

inBoth(
  'attack, a key that is stale: refused as soon as the store forgets it, whatever the cache has',
  async (subject, t) => {
    const store = KeyValues.of([API_KEY, OTHER_KEY])
    const { edge: front } = await subject.edge(t, store)
    assert.equal((await front.call({ headers: bearer(OTHER_KEY) })).from, 'service')
    assert.equal((await front.call({ headers: bearer(OTHER_KEY) })).from, 'cache')
    const gone = KeyValues.of([OTHER_KEY])
    for (const name of gone.pairs.keys()) if (name !== 'revision') store.pairs.delete(name)
    const reply = await front.call({ headers: bearer(OTHER_KEY) })
    assert.deepEqual([reply.status, reply.from], [401, 'function'])
    assert.equal((await front.call({ headers: bearer(API_KEY) })).from, 'cache')
  }
)

inBoth('attack, a JWT that says alg none: refused, signed or not', async (subject) => {
  for (const alg of ['none', 'None', 'NONE', 'RS256', 'HS384', ''])
    await subject.refused({ headers: bearer(await jwt({ alg })) })
  const [head = '', payload = ''] = (await jwt({ alg: 'none' })).split('.')
  await subject.refused({ headers: bearer(`${head}.${payload}.`) })
  await subject.refused({ headers: bearer(`${head}.${payload}`) })
})

inBoth('attack, things that look like a JWT: refused', async (subject) => {
  for (const head of ['null', json(null), json('HS256'), json([]), json({ alg: ['HS256'] }), '%%%']) {
    await subject.refused({ headers: bearer(`${head}.e30.c2ln`) })
  }
})

inBoth(
  'attack, a forged JWT: asks the service each time, finds no cached answer and is refused there',
  async (subject, t) => {
    const { edge: front } = await subject.edge(t, KeyValues.of([API_KEY]))
    await front.call({ headers: bearer(API_KEY) })
    const forged = await jwt({ secret: 'another-secret-of-thirty-two-chars' })
    for (let time = 0; time < 2; time += 1) {
      const reply = await front.call({ headers: bearer(forged) })
      assert.deepEqual([reply.status, reply.from], [401, 'service'])
    }
  }
)

inBoth('a JWT is never answered from the cache, not even from its own', async (subject, t) => {
  const { edge: front } = await subject.edge(t, KeyValues.of([API_KEY]))
  await front.call({ headers: bearer(API_KEY) })
  const headers = bearer(await jwt())
  for (let time = 0; time < 2; time += 1) {
    const reply = await front.call({ headers })
    assert.deepEqual([reply.status, reply.from], [200, 'service'])
  }
})

inBoth('attack, case of header and scheme: as the service takes them, with the same scope', async (subject) => {
  for (const headers of [
    { Authorization: `Bearer ${API_KEY}` },
    { AUTHORIZATION: `bearer ${API_KEY}` },
    { authorization: `BEARER ${API_KEY}` }
  ]) {
    assert.equal(await subject.scopeOf({ headers }), 'shared-r1')
  }
})

inBoth('attack, other schemes and shapes of the header: refused', async (subject) => {
  for (const authorization of [
    '',
    API_KEY,
    'Bearer',
    'Bearer ',
    `Bearer  ${API_KEY}`,
    `Bearer\t${API_KEY}`,
    `Bearer ${API_KEY} `,
    ` Bearer ${API_KEY}`,
    `Basic ${API_KEY}`,
    `Bearer ${API_KEY} x`,
    `Bearer "${API_KEY}"`
  ]) {
    await subject.refused({ headers: { authorization } })
  }
})

inBoth('attack, the header twice: refused, whichever is right', async (subject) => {
  for (const authorization of [
    [`Bearer ${API_KEY}`, `Bearer ${UNKNOWN_KEY}`],
    [`Bearer ${UNKNOWN_KEY}`, `Bearer ${API_KEY}`],
    [`Bearer ${API_KEY}`, `Bearer ${API_KEY}`]
  ]) {
    await subject.refused({ headers: { authorization } })
  }
  await subject.refused({ headers: { Authorization: `Bearer ${API_KEY}`, authorization: `Bearer ${UNKNOWN_KEY}` } })
})

inBoth('attack, a very long token: refused without a look into the store', async (subject) => {
  const store = KeyValues.of([API_KEY])
  await subject.refused({ headers: bearer('k'.repeat(1025)) }, store)
  await subject.refused({ headers: bearer('k'.repeat(1_000_000)) }, store)
  assert.deepEqual(store.looked, [])
  const longest = 'k'.repeat(1024)
  assert.equal(await subject.scopeOf({ headers: bearer(longest) }, KeyValues.of([longest])), 'shared-r1')
})

inBoth('attack, a scope of the caller’s own: is thrown away, on every method', async (subject) => {
  const forged = { 'X-Cache-Scope': 'shared-r1' }
  await subject.refused({ headers: forged })
  await subject.refused({ headers: { ...forged, ...bearer(UNKNOWN_KEY) } })
  assert.equal(await subject.scopeOf({ headers: { ...forged, ...bearer(API_KEY) } }), 'shared-r1')
  assert.match((await subject.scopeOf({ headers: { ...forged, ...bearer(await jwt()) } })) ?? '', /^own-/)
  for (const method of ['POST', 'OPTIONS', 'DELETE']) {
    assert.equal(await subject.scopeOf({ method, headers: forged }), undefined)
  }
})

inBoth(
  'attack, poisoning: what one caller sends beside the text changes no other caller’s answer',
  async (subject, t) => {
    const { edge: front, encoder } = await subject.edge(t, KeyValues.of([API_KEY, OTHER_KEY]))
    const url = '/v1/encode?query=hello'
    const poisoned = await front.call({
      url: `${url}&utm_source=x&Query=bye&__proto__=1`,
      headers: {
        ...bearer(API_KEY),
        'x-cache-scope': 'mine',
        'x-forwarded-host': 'evil.example',
        'x-request-id': 'evil'
      }
    })
    const clean = await front.call({ url, headers: bearer(OTHER_KEY) })
    assert.equal(clean.from, 'cache')
    assert.equal(clean.body, poisoned.body)
    assert.doesNotMatch(JSON.stringify(clean.body), /evil|bye/)
    assert.deepEqual(encoder.calls, [['hello']])
  }
)

inBoth('HEAD is checked as GET is', async (subject) => {
  await subject.refused({ method: 'HEAD' })
  await subject.refused({ method: 'HEAD', headers: bearer(UNKNOWN_KEY) })
  assert.equal(await subject.scopeOf({ method: 'HEAD', headers: bearer(API_KEY) }), 'shared-r1')
})

inBoth('other methods go on to the service, which checks them', async (subject, t) => {
  for (const method of ['POST', 'OPTIONS', 'PUT', 'DELETE', 'PATCH']) {
    const { headers } = await subject.passed({ method, url: '/v1/encode' })
    assert.equal(headers['x-cache-scope'], undefined)
  }
  const { app } = await buildTestApp(t)
  assert.equal((await app.inject({ method: 'POST', url: '/v1/encode', payload: { query: 'x' } })).statusCode, 401)
})

inBoth('the same question in another spelling is the same entry', async (subject, t) => {
  const { edge: front, encoder } = await subject.edge(t, KeyValues.of([API_KEY]))
  const answers = []
  for (const url of [
    '/v1/encode?query=hello%20w%C3%B6rld',
    '/v1/encode?query=hello+w%c3%b6rld',
    '/v1/encode?query=%20hello%20w%C3%B6rld%0A',
    '/v1/encode?query=+hello%20w%C3%B6rld+',
    '/v1/encode?%71uery=ignored&query=h%65llo%20w%C3%B6rld&cache=bust',
    '/v1/encode/?query=hello%20w%C3%B6rld'
  ]) {
    answers.push(await front.call({ url, headers: bearer(API_KEY) }))
  }
  assert.deepEqual(
    answers.map((answer) => answer.status),
    answers.map(() => 200)
  )
  assert.equal(new Set(answers.map((answer) => answer.body)).size, 1)
  assert.deepEqual(encoder.calls, [['hello wörld']])
})

inBoth('texts with signs of their own stay what they are', async (subject, t) => {
  const { edge: front } = await subject.edge(t, KeyValues.of([API_KEY]))
  for (const text of ['a&b=c', '1+1=2', '100%', '#/?;', 'ﬁ 😀', '%41', '"\\', "it's (so)*"]) {
    const reply = await front.call({ url: `/v1/encode?query=${encodeURIComponent(text)}`, headers: bearer(API_KEY) })
    const body: unknown = JSON.parse(reply.body)
    assert(typeof body === 'object' && body !== null && 'query' in body)
    assert.equal(body.query, text)
  }
})

inBoth('what is empty, or there twice, is the service’s to refuse, and is not kept', async (subject, t) => {
  const { edge: front } = await subject.edge(t, KeyValues.of([API_KEY]))
  for (const query of ['query=', 'query=%20', '', 'query=a&query=b', 'truncate=end']) {
    const call = { url: `/v1/encode?${query}`, headers: bearer(API_KEY) }
    for (let time = 0; time < 2; time += 1) {
      const reply = await front.call(call)
      assert.deepEqual([reply.status, reply.from], [400, 'service'], query)
    }
  }
})

inBoth('what is not valid percent-encoding goes on as it came', async (subject) => {
  for (const value of ['%', '%ff', 'a+b%zz']) {
    const { querystring } = await subject.passed({ url: `/v1/encode?query=${value}`, headers: bearer(API_KEY) })
    assert.equal(JSON.stringify(querystring), JSON.stringify({ query: { value } }))
  }
})

inBoth('truncate is part of the entry', async (subject, t) => {
  const { edge: front } = await subject.edge(t, KeyValues.of([API_KEY]))
  const headers = bearer(API_KEY)
  await front.call({ url: '/v1/encode?query=hello', headers })
  assert.equal((await front.call({ url: '/v1/encode?query=hello&truncate=start', headers })).from, 'service')
  assert.equal((await front.call({ url: '/v1/encode?truncate=start&query=hello', headers })).from, 'cache')
})

inBoth('another revision of the model has another cache', async (subject, t) => {
  const store = KeyValues.of([API_KEY], 'r1')
  const { edge: front } = await subject.edge(t, store)
  await front.call({ headers: bearer(API_KEY) })
  assert.equal((await front.call({ headers: bearer(API_KEY) })).from, 'cache')
  store.pairs.set('revision', 'r2')
  assert.equal((await front.call({ headers: bearer(API_KEY) })).from, 'service')
})

inBoth('without a revision, or without the store, keys share nothing and the service is asked', async (subject, t) => {
  const store = KeyValues.of([API_KEY])
  const { edge: front } = await subject.edge(t, store)
  await front.call({ headers: bearer(API_KEY) })
  store.pairs.delete('revision')
  assert.equal((await front.call({ headers: bearer(API_KEY) })).from, 'service')
  store.isAway = true
  assert.equal((await front.call({ headers: bearer(API_KEY) })).from, 'service')
  const wrong = await front.call({ headers: bearer(UNKNOWN_KEY) })
  assert.deepEqual([wrong.status, wrong.from], [401, 'service'])
})

inBoth('a failing store is logged without the token', async (subject) => {
  const store = KeyValues.of([API_KEY])
  store.isAway = true
  const lines: string[] = []
  const handler = await subject.load(store, (line) => lines.push(line))
  const context = { requestId: 'r', eventType: 'viewer-request' }
  await handler({ version: '1.0', context, request: edgeRequest({ headers: bearer(API_KEY) }) })
  assert.equal(lines.length, 1)
  assert.doesNotMatch(lines.join(), new RegExp(API_KEY))
})

inBoth('a fault of the function itself is answered in JSON, where CloudFront would send HTML', async (subject) => {
  const lines: string[] = []
  const handler = await subject.load(KeyValues.of([API_KEY]), (line) => lines.push(line))
  const { method, uri, headers } = edgeRequest({ headers: bearer(API_KEY) })
  // An event as CloudFront does not send it.
  const querystring: EdgeRequest['querystring'] = JSON.parse('null')
  const context = { requestId: 'r', eventType: 'viewer-request' }
  const result = await handler({ version: '1.0', context, request: { method, uri, headers, querystring } })
  assert(isReply(result))
  assert.equal(result.statusCode, 503)
  assert.match(result.headers['content-type']?.value ?? '', /^application\/json/)
  const { statusCode, code } = JSON.parse(result.body)
  assert.deepEqual([statusCode, code], [503, 'UNAVAILABLE'])
  assert.match(lines.join(), /^The function failed: /)
})

inBoth('a key that the service has to be asked about is known, and shares no copy', async (subject) => {
  const store = KeyValues.of([API_KEY])
  store.pairs.set(hash('sha256', OTHER_KEY), 'service 2026-11-21')
  assert.equal(await subject.scopeOf({ headers: bearer(API_KEY) }, store), 'shared-r1')
  assert.equal(await subject.scopeOf({ headers: bearer(OTHER_KEY) }, store, 'request-7'), 'own-request-7')
})

inBoth('a key shares the copy until its end, and then the service is asked', async (subject) => {
  const store = KeyValues.of([API_KEY])
  const nowSeconds = Math.floor(Date.now() / 1000)
  store.pairs.set(hash('sha256', API_KEY), `2026-11-21 until=${nowSeconds + 600}`)
  assert.equal(await subject.scopeOf({ headers: bearer(API_KEY) }, store), 'shared-r1')
  store.pairs.set(hash('sha256', API_KEY), `2026-11-21 until=${nowSeconds - 1}`)
  assert.equal(await subject.scopeOf({ headers: bearer(API_KEY) }, store, 'request-7'), 'own-request-7')
})

inBoth('keys of the file mean the same at the edge, with a full cache, as at the service', async (subject, t) => {
  const keys = [
    keyOf('encodes', ['encode']),
    keyOf('asks', ['ask']),
    keyOf('rated', ['encode'], { rate: { requests: 2, seconds: 60 } }),
    keyOf('over', ['encode'], { expiresAtMs: Date.now() - 1 })
  ]
  const store = new KeyValues()
  store.pairs.set('revision', 'r1')
  for (const { Key, Value } of planChanges([], { fileKeys: keys }, '2026-11-21').puts) store.pairs.set(Key, Value)
  const { app } = await openFullApp(t, keys)
  const front = new Edge(await subject.load(store), app)
  await front.call({ headers: bearer('encodes') })
  const outcomes = []
  for (const key of ['encodes', 'asks', 'rated', 'rated', 'rated', 'over']) {
    const { status, from } = await front.call({ headers: bearer(key) })
    outcomes.push([key, status, from])
  }
  assert.deepEqual(outcomes, [
    ['encodes', 200, 'cache'],
    ['asks', 403, 'service'],
    ['rated', 200, 'service'],
    ['rated', 200, 'service'],
    ['rated', 429, 'service'],
    ['over', 401, 'service']
  ])
})

test('the function and Terraform name the same cache key', async () => {
  const edgeModule = await readFile(new URL('../../terraform/modules/edge/main.tf', import.meta.url), 'utf8')
  const line = (name: string) => new RegExp(`${name}\\s*= (.*)`).exec(edgeModule)?.[1]
  assert.equal(line('cached_parameters'), JSON.stringify(CACHE_KEY.parameters).replace(',', ', '))
  assert.equal(line('cached_headers'), '[var.cache == "keys" ? "x-cache-scope" : "authorization", "origin"]')
})

test('the service’s answer depends on no header that the cache key leaves out', async (t) => {
  const { app } = await buildTestApp(t, { CORS_ORIGIN: 'https://app.example.org' })
  const headers = { ...bearer(API_KEY), origin: 'https://app.example.org', 'accept-encoding': 'gzip' }
  const reply = await app.inject({ url: '/v1/encode?query=hello', headers })
  const names = String(reply.headers['vary']).split(',')
  for (const name of names) assert(['authorization', 'origin'].includes(name.trim().toLowerCase()), name)
})
