/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReplyCache } from '../../src/server/reply-cache.ts'

function reply(bytes: number) {
  return { body: Buffer.alloc(bytes), etag: '"e"', truncatedCount: 0 }
}

test('ReplyCache keeps no more bytes than it may: the least recently used leave first', () => {
  const cache = new ReplyCache(3 * 1400)
  for (const key of ['a', 'b', 'c']) cache.set(key, reply(1000))
  assert.ok(cache.get('a'))
  cache.set('d', reply(1000))
  assert.equal(cache.get('b'), undefined)
  for (const key of ['a', 'c', 'd']) assert.ok(cache.get(key), key)
  assert.ok(cache.counts.bytes <= 3 * 1400)
  assert.ok(cache.counts.bytes > 3000)
  assert.deepEqual({ ...cache.counts, bytes: 0 }, { hitCount: 4, missCount: 1, entryCount: 3, bytes: 0 })
})

test('ReplyCache does not keep what is larger than all of it', () => {
  const cache = new ReplyCache(1000)
  cache.set('a', reply(5000))
  assert.equal(cache.get('a'), undefined)
})

test('ReplyCache of no bytes keeps nothing, and counts misses', () => {
  const cache = new ReplyCache(0)
  cache.set('a', reply(1))
  assert.equal(cache.get('a'), undefined)
  assert.deepEqual(cache.counts, { hitCount: 0, missCount: 1, entryCount: 0, bytes: 0 })
})
