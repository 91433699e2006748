/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { SignJWT } from 'jose'
import { assertMayRead, callerKey, createAuthenticator, mayRead, type Caller } from '../../src/server/auth.ts'
import { API_KEY, AUTHORIZED, JWT_SECRET, buildTestApp } from './test-app.ts'

const PAYLOAD = { id: 'user-1', role: 'USER', mentorIds: ['clint'] }

function sign(payload: Record<string, unknown>, secret = JWT_SECRET, algorithm = 'HS256'): Promise<string> {
  return new SignJWT(payload).setProtectedHeader({ alg: algorithm }).sign(new TextEncoder().encode(secret))
}

/** A part of a token, unsigned. */
function encode(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

/** A token signed as HS256 whose header names another algorithm, its signature made over that header. */
function relabelled(alg: string): string {
  const signed = `${encode({ alg })}.${encode(PAYLOAD)}`
  return `${signed}.${createHmac('sha256', JWT_SECRET).update(signed).digest('base64url')}`
}

function authenticator(now?: () => number) {
  return createAuthenticator({ apiSecretKey: ['key-one', 'two'], jwtSecretKey: ['old-secret', JWT_SECRET] }, now)
}

test('createAuthenticator() knows its keys and tells them apart without telling them', () => {
  const authenticate = authenticator()
  const one = authenticate('key-one')
  const two = authenticate('two')
  assert.ok(one && !(one instanceof Promise) && one.kind === 'key')
  assert.ok(two && !(two instanceof Promise) && two.kind === 'key')
  assert.notEqual(one.keyId, two.keyId)
  assert.match(one.keyId, /^[0-9a-f]{12}$/)
})

test('createAuthenticator() knows no other key: none shorter, longer, padded or of another case', async () => {
  const authenticate = authenticator()
  for (const key of ['', 'key-on', 'key-one1', 'KEY-ONE', 'two\0', 'two\0\0\0\0', 'tw\u00f6', 'x'.repeat(10_000)]) {
    assert.equal(await authenticate(key), undefined, JSON.stringify(key))
  }
  assert.equal(await createAuthenticator({ apiSecretKey: [], jwtSecretKey: [] })(''), undefined)
})

test('createAuthenticator() takes a token signed by any of the secrets', async () => {
  const authenticate = authenticator()
  for (const secret of [JWT_SECRET, 'old-secret']) {
    const caller = await authenticate(await sign(PAYLOAD, secret))
    assert.deepEqual(caller, { kind: 'jwt', ...PAYLOAD })
  }
  for (const id of ['abcde', 'a'.repeat(60)]) {
    assert.deepEqual(await authenticate(await sign({ ...PAYLOAD, id })), { kind: 'jwt', ...PAYLOAD, id })
  }
  // What the relabelled tokens below would be if it were not for their header.
  assert.ok(await authenticate(relabelled('HS256')))
})

test('createAuthenticator() refuses tokens of other secrets, algorithms and payloads', async () => {
  const authenticate = authenticator()
  const refused: Record<string, string> = {
    'another secret': await sign(PAYLOAD, 'another-secret-of-thirty-two-chars'),
    'another algorithm': await sign(PAYLOAD, JWT_SECRET, 'HS512'),
    'no algorithm': `${encode({ alg: 'none' })}.${encode(PAYLOAD)}.`,
    'the algorithm of another kind of key, over a signature by the secret': relabelled('RS256'),
    'an unknown algorithm, over a signature by the secret': relabelled('hs256'),
    'a short id': await sign({ ...PAYLOAD, id: 'abcd' }),
    'a long id': await sign({ ...PAYLOAD, id: 'a'.repeat(61) }),
    'no role': await sign({ id: 'user-1', mentorIds: [] }),
    'mentorIds that are no list': await sign({ ...PAYLOAD, mentorIds: 'clint' }),
    'a text that is no token': 'a.b.c'
  }
  for (const [name, token] of Object.entries(refused)) assert.equal(await authenticate(token), undefined, name)
})

test('createAuthenticator() honours exp and nbf, also of a token it has verified before', async () => {
  let now = 1_000_000_000_000
  const authenticate = authenticator(() => now)
  const token = await sign({ ...PAYLOAD, exp: 1_000_000_060 })
  assert.ok(await authenticate(token))
  const remembered = authenticate(token)
  assert.ok(remembered && !(remembered instanceof Promise), 'the second time it is not verified again')
  now += 59_999
  assert.ok(await authenticate(token))
  now += 1
  assert.equal(await authenticate(token), undefined)
  assert.equal(await authenticate(token), undefined)
  assert.equal(await authenticate(await sign({ ...PAYLOAD, nbf: 2_000_000_000 })), undefined)
})

test('mayRead() lets a token read its own mentors, an ADMIN and a key all of them', () => {
  const user: Caller = { kind: 'jwt', ...PAYLOAD }
  assert.ok(mayRead(user, 'clint'))
  assert.ok(!mayRead(user, 'dan'))
  assert.ok(mayRead({ ...user, role: 'ADMIN' }, 'dan'))
  assert.ok(mayRead({ kind: 'key', keyId: 'x', name: 'x', scopes: ['ask'] }, 'dan'))
  assert.throws(() => assertMayRead(user, 'dan'), { code: 'FORBIDDEN', message: 'not authorized' })
})

test('callerKey() differs between callers of both kinds', () => {
  assert.equal(callerKey({ kind: 'key', keyId: 'abc', name: 'abc', scopes: ['ask'] }), 'abc')
  assert.equal(callerKey({ kind: 'jwt', ...PAYLOAD }), 'jwt:user-1')
})

test('routes want a key or token, in the header Authorization alone, whatever the case of "bearer"', async (t) => {
  const { app } = await buildTestApp(t)
  const statusWith = async (authorization?: string) => {
    const headers = authorization === undefined ? {} : { authorization }
    return (await app.inject({ url: '/v1/models', headers })).statusCode
  }
  assert.equal(await statusWith(`Bearer ${API_KEY}`), 200)
  assert.equal(await statusWith(`bearer ${API_KEY}`), 200)
  assert.equal(await statusWith(`Bearer ${await sign(PAYLOAD)}`), 200)
  assert.equal(await statusWith(), 401)
  assert.equal(await statusWith(API_KEY), 401)
  assert.equal(await statusWith(`Basic ${API_KEY}`), 401)
  assert.equal(await statusWith('Bearer'), 401)
  assert.equal(await statusWith('Bearer wrong'), 401)
  assert.equal((await app.inject(`/v1/models?access_token=${API_KEY}`)).statusCode, 401)
})

test('a refusal says so before it reads the body', async (t) => {
  const { app, encoder } = await buildTestApp(t)
  const reply = await app.inject({
    method: 'POST',
    url: '/v1/encode',
    payload: '{{{',
    headers: { 'content-type': 'application/json' }
  })
  assert.equal(reply.statusCode, 401)
  assert.equal(reply.headers['www-authenticate'], 'Bearer realm="sbert-service"')
  assert.equal(reply.json().code, 'UNAUTHORIZED')
  assert.equal(encoder.calls.length, 0)
})

test('all routes but health, ping, docs and the root want a caller', async (t) => {
  const { app } = await buildTestApp(t)
  const api = (await app.inject('/docs/json')).json()
  const open: string[] = []
  for (const [path, methods] of Object.entries<Record<string, { security?: unknown[] }>>(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const reply = await app.inject({ method: method === 'post' ? 'POST' : 'GET', url: path.replace('{model}', 'x') })
      if (reply.statusCode !== 401) open.push(path)
      assert.equal(
        reply.statusCode === 401,
        operation.security === undefined || operation.security.length > 0,
        `${method} ${path} is documented wrongly`
      )
    }
  }
  const expected = ['/', '/health/live', '/health/ready', '/v1/ping', '/v2/health/live', '/v2/health/ready']
  assert.deepEqual(open.toSorted(), expected)
})

test('a key in use is in no log line', async (t) => {
  const { app, logLines } = await buildTestApp(t)
  await app.inject({ url: '/v1/models', headers: AUTHORIZED })
  await app.inject({ url: '/v1/models', headers: { authorization: 'Bearer wrong-key' } })
  assert.ok(logLines.length >= 2)
  assert.ok(!logLines.some((line) => line.includes(API_KEY) || line.includes('wrong-key')))
})
