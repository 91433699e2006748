/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CachedMentorSource } from '../../src/mentor/cached-mentor-source.ts'
import type { FindOptions, FoundMentor, MentorSource } from '../../src/mentor/mentor-source.ts'

/** A source whose mentor says how often it was read, and that can be away. */
class CountingSource implements MentorSource {
  reads: FindOptions[] = []
  isAway = false
  isGone = false
  gate: Promise<unknown> = Promise.resolve()

  async revisionOf(id: string, options?: FindOptions): Promise<string | undefined> {
    return (await this.find(id, options))?.revision
  }

  async find(id: string, options: FindOptions = {}): Promise<FoundMentor | undefined> {
    this.reads.push(options)
    const revision = `${id} ${this.reads.length}`
    await this.gate
    if (this.isAway) throw new Error('away')
    return this.isGone ? undefined : { mentor: {}, gradedQuestions: [], revision, byteLength: 100 }
  }
}

function setUp() {
  const source = new CountingSource()
  const clock = { nowMs: 0 }
  const stale: string[] = []
  const cache = new CachedMentorSource({
    source,
    maxBytes: 250,
    freshMs: 1000,
    maxAgeMs: 10_000,
    onStale: (id) => stale.push(id),
    nowMs: () => clock.nowMs
  })
  return { source, clock, stale, cache }
}

/** Lets what was begun go on. */
const soon = () => new Promise((resolve) => setImmediate(resolve))

test('find() gives a fresh mentor without asking, and a stale one while it reads it anew', async () => {
  const { source, clock, cache } = setUp()
  assert.equal(await cache.revisionOf('a'), 'a 1')
  clock.nowMs = 999
  assert.equal(await cache.revisionOf('a'), 'a 1')
  assert.equal(source.reads.length, 1)
  clock.nowMs = 1000
  assert.equal(await cache.revisionOf('a'), 'a 1')
  await soon()
  assert.equal(await cache.revisionOf('a'), 'a 2')
  assert.equal(source.reads.length, 2)
})

test('find() gives a stale mentor while the source is away, until it is too old', async () => {
  const { source, clock, stale, cache } = setUp()
  await cache.find('a')
  source.isAway = true
  clock.nowMs = 9999
  assert.equal(await cache.revisionOf('a'), 'a 1')
  await soon()
  assert.deepEqual(stale, ['a'])
  clock.nowMs = 10_000
  await assert.rejects(cache.find('a'), /away/)
  await assert.rejects(cache.find('b'), /away/)
})

test('find() forgets a mentor that is gone', async () => {
  const { source, clock, cache } = setUp()
  await cache.find('a')
  source.isGone = true
  clock.nowMs = 1000
  await cache.find('a')
  await soon()
  assert.equal(await cache.find('a'), undefined)
})

test('find() keeps no more than the bytes allowed', async () => {
  const { source, cache } = setUp()
  for (const id of ['a', 'b', 'c']) await cache.find(id)
  await cache.find('c')
  await cache.find('b')
  assert.equal(source.reads.length, 3)
  await cache.find('a')
  assert.equal(source.reads.length, 4)
})

test('find() asks anew where a newer one is preferred, and does without when the source is away', async () => {
  const { source, stale, cache } = setUp()
  await cache.find('a')
  assert.equal(await cache.revisionOf('a', { freshness: 'preferred' }), 'a 2')
  assert.equal(await cache.revisionOf('a'), 'a 2')
  source.isAway = true
  assert.equal(await cache.revisionOf('a', { freshness: 'preferred' }), 'a 2')
  assert.deepEqual(stale, ['a'])
  await assert.rejects(cache.find('a', { freshness: 'required' }), /away/)
})

test('find() asks once for all equal requests at a time, and apart for other callers and origins', async () => {
  const { source, cache } = setUp()
  const { promise, resolve } = Promise.withResolvers<undefined>()
  source.gate = promise
  const callers = [{ authorization: 'x' }, { authorization: 'x' }, { authorization: 'y' }, { externalOrigin: 'o' }]
  const found = callers.map((caller) => cache.find('a', { caller }))
  resolve(undefined)
  await Promise.all(found)
  assert.deepEqual(
    source.reads.map(({ caller }) => caller),
    [{ authorization: 'x' }, { authorization: 'y' }, { externalOrigin: 'o' }]
  )
  await cache.find('a', { caller: { authorization: 'z' } })
  assert.equal(source.reads.length, 3)
})

test('find() does not let a slow reading take the place of a later one', async () => {
  const { source, clock, cache } = setUp()
  const { promise, resolve } = Promise.withResolvers<undefined>()
  source.gate = promise
  const slow = cache.find('a', { freshness: 'required' })
  source.gate = Promise.resolve()
  clock.nowMs = 1
  await cache.find('a', { freshness: 'required' })
  resolve(undefined)
  await slow
  assert.equal(await cache.revisionOf('a'), 'a 2')
})
