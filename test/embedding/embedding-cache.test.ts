/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { EmbeddingCache } from '../../src/embedding/embedding-cache.ts'
import { SqliteFile } from '../../src/storage/sqlite-file.ts'
import { WordsEncoder, temporaryFolder } from '../server/mentor-app.ts'

async function open(t: TestContext) {
  const file = new SqliteFile(join(await temporaryFolder(t), 'cache.db'))
  t.after(() => file.close())
  return file
}

test('EmbeddingCache.encode() encodes each different text once, and gives every row', async (t) => {
  const encoder = new WordsEncoder()
  const cache = new EmbeddingCache(await open(t), encoder, 1000)
  const texts = Array.from({ length: 300 }, (_, i) => `text ${i % 200}`)
  const shares: number[] = []
  const first = await cache.encode(texts, { onProgress: (share) => shares.push(share) })
  assert.equal(first.encodedCount, 200)
  assert.equal(encoder.encoded.length, 200)
  assert.deepEqual(first.values, (await new WordsEncoder().encode(texts)).values)
  assert.equal(shares.at(-1), 1)
  const second = await cache.encode([...texts, 'another'])
  assert.equal(second.encodedCount, 1)
  assert.deepEqual(second.values.subarray(0, first.values.length), first.values)
})

test('EmbeddingCache.encode() knows nothing of another encoder, and forgets the oldest', async (t) => {
  const file = await open(t)
  const cache = new EmbeddingCache(file, new WordsEncoder(), 2)
  await cache.encode(['a', 'b'])
  assert.equal((await new EmbeddingCache(file, new WordsEncoder('words-2'), 2).encode(['a'])).encodedCount, 1)
  assert.equal((await cache.encode(['b'])).encodedCount, 0)
  assert.equal((await cache.encode(['a'])).encodedCount, 1)
})

test('EmbeddingCache.encode() stops when it is called off, and keeps what was done', async (t) => {
  const encoder = new WordsEncoder()
  const cache = new EmbeddingCache(await open(t), encoder, 1000)
  const texts = Array.from({ length: 300 }, (_, i) => `text ${i}`)
  const stop = new AbortController()
  await assert.rejects(cache.encode(texts, { signal: stop.signal, onProgress: () => stop.abort() }), {
    name: 'AbortError'
  })
  const doneCount = encoder.encoded.length
  assert.ok(doneCount > 0 && doneCount < 300)
  assert.equal((await cache.encode(texts)).encodedCount, 300 - doneCount)
})
