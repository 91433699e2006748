/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAuthenticator } from '../../../src/server/auth.ts'
import { digestOf, type ApiKey } from '../../../src/server/callers/key-file.ts'
import { KeyRing } from '../../../src/server/callers/key-ring.ts'

function keyOf(key: string, more: Partial<ApiKey> = {}): ApiKey {
  return { name: key, sha256: digestOf(key), scopes: ['ask'], ...more }
}

function quotaOf(ring: KeyRing, key: string) {
  const caller = ring.find(digestOf(key), 0)
  assert.ok(caller?.kind === 'key')
  return caller.quota
}

test('KeyRing knows its keys by their digests, and no other: not even one that begins alike', () => {
  const ring = new KeyRing()
  ring.replace([keyOf('one'), keyOf('two')])
  assert.deepEqual(ring.find(digestOf('one'), 0), { kind: 'key', keyId: 'key:one', name: 'one', scopes: ['ask'] })
  const near = digestOf('one').replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))
  assert.equal(ring.find(near, 0), undefined)
  ring.replace([keyOf('two')])
  assert.equal(ring.find(digestOf('one'), 0), undefined)
})

test('KeyRing knows a key until it is over', () => {
  const ring = new KeyRing()
  ring.replace([keyOf('one', { expiresAtMs: 1000 })])
  assert.ok(ring.find(digestOf('one'), 999))
  assert.equal(ring.find(digestOf('one'), 1000), undefined)
})

test('KeyRing keeps a quota through a change of the keys, and for all keys of a name together', () => {
  const ring = new KeyRing()
  const rate = { requests: 2, seconds: 60 }
  ring.replace([keyOf('old', { name: 'web', rate })])
  assert.ok(quotaOf(ring, 'old')?.take(0).isAllowed)
  ring.replace([keyOf('old', { name: 'web', rate }), keyOf('new', { name: 'web', rate })])
  assert.ok(quotaOf(ring, 'new')?.take(0).isAllowed)
  assert.equal(quotaOf(ring, 'old')?.take(0).isAllowed, false)
  ring.replace([keyOf('new', { name: 'web', rate: { requests: 3, seconds: 60 } })])
  assert.ok(quotaOf(ring, 'new')?.take(0).isAllowed, 'another rate begins anew')
})

test('KeyRing holds no more than its file has, however often that changes', () => {
  const ring = new KeyRing()
  for (let change = 0; change < 300; change += 1) {
    ring.replace(Array.from({ length: 20 }, (_, i) => keyOf(`${change}-${i}`, { rate: { requests: 1, seconds: 1 } })))
    quotaOf(ring, `${change}-0`)?.take(change)
  }
  assert.deepEqual([ring.size, ring.quotaCount], [20, 20])
})

test('createAuthenticator() takes keys of the ring beside those of API_SECRET_KEY, with and without tokens', async () => {
  const keyRing = new KeyRing()
  keyRing.replace([keyOf('of-the-file', { expiresAtMs: 1000 })])
  for (const jwtSecretKey of [[], ['a-secret-of-thirty-two-characters']]) {
    let now = 0
    const authenticate = createAuthenticator({ apiSecretKey: ['plain'], jwtSecretKey, keyRing }, () => now)
    const found = await authenticate('of-the-file')
    assert.ok(found?.kind === 'key' && found.name === 'of-the-file')
    const plain = await authenticate('plain')
    assert.ok(plain?.kind === 'key' && plain.scopes.length === 4)
    assert.equal(await authenticate('neither'), undefined)
    assert.equal(await authenticate(digestOf('of-the-file')), undefined, 'a digest opens nothing')
    now = 1000
    assert.equal(await authenticate('of-the-file'), undefined)
  }
})
