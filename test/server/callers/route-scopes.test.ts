/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import Fastify from 'fastify'
import { SignJWT } from 'jose'
import { addRouteScopes } from '../../../src/server/callers/route-scopes.ts'
import { bearerOf, keyOf, openFullApp } from '../full-app.ts'
import { API_KEY, JWT_SECRET } from '../test-app.ts'

const RATE = { rate: { requests: 2, seconds: 60 } }

async function tokenOf(role: string, mentorIds: readonly string[]): Promise<string> {
  const claims = { id: 'user-1', role, mentorIds }
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(JWT_SECRET))
}

test('a route without a scope keeps the server from becoming ready, and so does a scope that nobody asks for', async (t) => {
  for (const [name, isGuarded, config] of [
    ['no scope', false, {}],
    ['no scope, guarded', true, {}],
    ['a scope outside of authentication', false, { scope: 'train' }],
    ['an open route within it', true, { scope: 'open' }]
  ] as const) {
    const app = Fastify()
    t.after(() => app.close())
    const { guard } = addRouteScopes(app)
    await app.register(async (api) => {
      if (isGuarded) api.addHook('onRoute', guard)
      api.get('/forgotten', { config }, async () => '')
    })
    await assert.rejects(async () => app.ready(), /GET \/forgotten declares .* scope.*: this is a bug/, name)
  }
})

test('403 names the missing scope', async (t) => {
  const { app } = await openFullApp(t, [keyOf('web', ['ask'])])
  const refused = await app.inject({ url: '/v1/encode?query=hello', headers: bearerOf('web') })
  assert.equal(refused.statusCode, 403)
  assert.deepEqual(refused.json(), {
    statusCode: 403,
    code: 'MISSING_SCOPE',
    error: 'Forbidden',
    message: 'Cannot do this: the key or token lacks the scope "encode"'
  })
  const either = await app.inject({ url: '/v1/jobs', headers: bearerOf('web') })
  assert.equal(either.json().message, 'Cannot do this: the key or token lacks a scope of "encode", "train"')
})

test('GET /v1/caller tells who is calling, and what it may do', async (t) => {
  const { app } = await openFullApp(t, [keyOf('web', ['ask'])])
  const callerOf = async (token: string) =>
    (await app.inject({ url: '/v1/caller', headers: bearerOf(token) })).json<{ name: string }>()
  const all = ['encode', 'ask', 'train', 'admin']
  assert.deepEqual(await callerOf('web'), { name: 'web', scopes: ['ask'] })
  const { name, ...plain } = await callerOf(API_KEY)
  assert.match(name, /^[0-9a-f]{12}$/)
  assert.deepEqual(plain, { scopes: all })
  const user = { name: 'user-1', scopes: ['encode', 'ask', 'train'], mentors: ['clint'] }
  assert.deepEqual(await callerOf(await tokenOf('USER', ['clint'])), user)
  assert.deepEqual(await callerOf(await tokenOf('ADMIN', [])), { name: 'user-1', scopes: all })
})

test('a kept reply is given to callers of its scope alone, and a rate counts it', async (t) => {
  const { app } = await openFullApp(t, [
    keyOf('encodes', ['encode']),
    keyOf('asks', ['ask']),
    keyOf('rated', ['encode'], RATE)
  ])
  const get = (token: string) => app.inject({ url: '/v1/encode?query=kept', headers: bearerOf(token) })
  for (let turn = 0; turn < 3; turn += 1) assert.equal((await get('encodes')).statusCode, 200)
  assert.equal((await get('asks')).statusCode, 403)
  const statuses = []
  for (let turn = 0; turn < 3; turn += 1) statuses.push((await get('rated')).statusCode)
  assert.deepEqual(statuses, [200, 200, 429])
})

test('a rate is told on each reply; beyond it is 429 with Retry-After, and others are still answered', async (t) => {
  const { app } = await openFullApp(t, [keyOf('web', ['ask'], RATE), keyOf('other', ['ask'])])
  const get = (token: string, url = '/v1/caller') => app.inject({ url, headers: bearerOf(token) })
  const first = await get('web')
  assert.equal(first.headers['ratelimit-policy'], '"requests";q=2;w=60')
  assert.match(String(first.headers['ratelimit']), /^"requests";r=1;t=(?:29|30)$/)
  // What is refused counts too.
  const forbidden = await get('web', '/train/status/x')
  assert.equal(forbidden.statusCode, 403)
  assert.match(String(forbidden.headers['ratelimit']), /^"requests";r=0;t=(?:59|60)$/)
  const refused = await get('web')
  assert.equal(refused.statusCode, 429)
  assert.equal(refused.json().code, 'RATE_LIMITED')
  const seconds = String(refused.headers['retry-after'])
  assert.ok(Number(seconds) > 20 && Number(seconds) <= 30, seconds)
  assert.equal(refused.headers['ratelimit'], `"requests";r=0;t=${seconds}`)
  assert.equal(refused.headers['ratelimit-policy'], '"requests";q=2;w=60')
  const other = await get('other')
  assert.deepEqual([other.statusCode, other.headers['ratelimit']], [200, undefined])
})

test('a job is its caller’s: of both keys of a name, and of admin, but of no other key', async (t) => {
  const { app } = await openFullApp(t, [
    keyOf('old', ['encode'], { name: 'web' }),
    keyOf('new', ['encode'], { name: 'web' }),
    keyOf('other', ['encode']),
    keyOf('operator', ['admin'])
  ])
  const payload = { type: 'encode', input: { sentences: ['hello'] } }
  const made = await app.inject({ method: 'POST', url: '/v1/jobs', payload, headers: bearerOf('old') })
  assert.equal(made.statusCode, 202, made.body)
  const { statusUrl } = made.json<{ statusUrl: string }>()
  for (const [token, status, count] of [
    ['old', 200, 1],
    ['new', 200, 1],
    ['operator', 200, 1],
    ['other', 404, 0]
  ] as const) {
    assert.equal((await app.inject({ url: statusUrl, headers: bearerOf(token) })).statusCode, status, token)
    const listed = await app.inject({ url: '/v1/jobs', headers: bearerOf(token) })
    assert.equal(listed.json().jobs.length, count, token)
  }
})

test('below /v2 the model of embeddings takes the scope encode', async (t) => {
  const { app } = await openFullApp(t, [keyOf('encodes', ['encode']), keyOf('asks', ['ask'])])
  const get = (token: string) => app.inject({ url: '/v2/models/all-MiniLM-L6-v2', headers: bearerOf(token) })
  assert.equal((await get('encodes')).statusCode, 200)
  const refused = await get('asks')
  assert.deepEqual(
    [refused.statusCode, refused.json()],
    [403, { error: 'Cannot do this: the key or token lacks the scope "encode"' }]
  )
  const index = { method: 'POST', url: '/v2/repository/index', payload: {} } as const
  assert.deepEqual((await app.inject({ ...index, headers: bearerOf('asks') })).json(), [])
})
