/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { findNativeFunctions } from '../../src/embedding/native-program.ts'
import { MemoryRelease } from '../../src/server/memory-release.ts'

const MB = 1_048_576

test('an idle process that has grown gives memory back twice, a busy one later', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let residentBytes = 100 * MB
  let busyShare = 0.9
  const done: string[] = []
  const release = new MemoryRelease({
    collect: () => done.push('collect'),
    trim: () => {
      done.push('trim')
      residentBytes = 105 * MB
    },
    residentBytes: () => residentBytes,
    busyShare: () => busyShare
  })
  release.start()
  t.mock.timers.tick(10_000)
  residentBytes = 200 * MB
  t.mock.timers.tick(10_000)
  assert.deepEqual(done, [])
  // A pause between two bursts is too short.
  busyShare = 0.1
  t.mock.timers.tick(8000)
  busyShare = 0.9
  t.mock.timers.tick(2000)
  busyShare = 0.1
  t.mock.timers.tick(8000)
  assert.deepEqual(done, [])
  t.mock.timers.tick(2000)
  assert.deepEqual(done, ['collect', 'trim'])
  // The second time what was still in use the first time.
  t.mock.timers.tick(60_000)
  assert.deepEqual(done, ['collect', 'trim', 'collect', 'trim'])
  release.stop()
  residentBytes = 300 * MB
  t.mock.timers.tick(10_000)
  assert.equal(done.length, 4)
})

test('release() gives back what buffers took, and what malloc holds between blocks in use', async () => {
  const { trimMemory: trim } = await findNativeFunctions()
  const release = new MemoryRelease({ trim })
  release.release()
  const before = process.memoryUsage.rss()
  // Below the size that malloc maps by itself, every second one kept.
  let blocks: Buffer[] | undefined = Array.from({ length: 4000 }, () => Buffer.alloc(60_000, 1))
  const kept = blocks.filter((_, index) => index % 40 === 0)
  const grown = process.memoryUsage.rss() - before
  blocks = undefined
  await sleep(10)
  // Twice, as an idle process does: a thread of V8's may free buffers only after the first collection has returned.
  release.release()
  await sleep(200)
  release.release()
  const left = process.memoryUsage.rss() - before
  assert.ok(grown > 150 * MB, `${grown} bytes`)
  assert.ok(left < grown / 4, `${left} of ${grown} bytes are left`)
  assert.equal(kept.length, 100)
})
