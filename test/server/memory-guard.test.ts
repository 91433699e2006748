/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryLimitBytes } from '../../src/server/memory-limit.ts'
import { MemoryGuard } from '../../src/server/memory-guard.ts'
import { AUTHORIZED, buildTestApp } from './test-app.ts'

/** Files by their path, as a kernel would show them. */
const kernel =
  (files: Record<string, string>) =>
  (path: string): string | undefined =>
    files[path]

test('memoryLimitBytes() is the least limit of the control groups, of version 2 and 1', () => {
  const machine = 8_000_000
  assert.equal(memoryLimitBytes(kernel({}), machine), machine)
  const container = { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': '512000\n' }
  assert.equal(memoryLimitBytes(kernel(container), machine), 512_000)
  const service = {
    '/proc/self/cgroup': '0::/system.slice/sbert.service\n',
    '/sys/fs/cgroup/system.slice/memory.max': '300000\n',
    '/sys/fs/cgroup/system.slice/sbert.service/memory.max': 'max\n'
  }
  assert.equal(memoryLimitBytes(kernel(service), machine), 300_000)
  const first = {
    '/proc/self/cgroup': '12:cpu,cpuacct:/a\n5:memory:/docker/abc\n0::/a\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '700000\n'
  }
  assert.equal(memoryLimitBytes(kernel(first), machine), 700_000)
  const none = {
    '/proc/self/cgroup': '5:memory:/\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712'
  }
  assert.equal(memoryLimitBytes(kernel(none), machine), machine)
})

test('under pressure large bodies are refused first, then all but health, and it ends by itself', async (t) => {
  let residentBytes = 790
  let nowMs = 0
  const memory = new MemoryGuard({
    limitBytes: 1000,
    guardedShare: 0.8,
    residentBytes: () => residentBytes,
    now: () => (nowMs += 100)
  })
  const { app } = await buildTestApp(t, {}, { memory })
  const statuses = async (): Promise<number[]> => {
    const post = (sentences: number) =>
      app.inject({
        method: 'POST',
        url: '/v1/encode/multiple_encode',
        headers: AUTHORIZED,
        payload: { sentences: Array<string>(sentences).fill('a sentence of some length, so that many are large') }
      })
    const replies = [await post(1000), await post(1), await app.inject('/health/live')]
    for (const reply of replies.filter(({ statusCode }) => statusCode === 503)) {
      assert.equal(reply.json().code, 'OVERLOADED')
      assert.equal(reply.headers['retry-after'], '5')
    }
    return replies.map(({ statusCode }) => statusCode)
  }
  assert.deepEqual(await statuses(), [200, 200, 200])
  assert.deepEqual(memory.notes(), [])
  residentBytes = 810
  assert.deepEqual(await statuses(), [503, 200, 200])
  assert.match(memory.notes().join(), /large bodies are refused/)
  residentBytes = 910
  assert.deepEqual(await statuses(), [503, 503, 200])
  assert.match(memory.notes().join(), /all work is refused/)
  assert.equal(memory.refusedCount, 3)
  residentBytes = 500
  assert.deepEqual(await statuses(), [200, 200, 200])
})

test('under pressure garbage is given back first, not too often, and only then is work refused', () => {
  let residentBytes = 850
  let nowMs = 0
  let releaseCount = 0
  const memory = new MemoryGuard({
    limitBytes: 1000,
    guardedShare: 0.8,
    residentBytes: () => residentBytes,
    release: () => {
      releaseCount += 1
      nowMs += 100
      if (releaseCount === 1) residentBytes = 700
    },
    now: () => nowMs
  })
  assert.equal(memory.pressure, 'none')
  assert.equal(releaseCount, 1)
  residentBytes = 950
  nowMs += 500
  assert.equal(memory.pressure, 'extreme')
  // It took 100 ms: a tenth of the time is over after 1000.
  assert.equal(releaseCount, 1)
  nowMs += 500
  assert.equal(memory.pressure, 'extreme')
  assert.equal(releaseCount, 2)
})

test('a large reply is not sent when memory is next to full, a small one is', async (t) => {
  let residentBytes = 500
  const memory = new MemoryGuard({ limitBytes: 1000, guardedShare: 0.8, residentBytes: () => residentBytes })
  const { app, encoder } = await buildTestApp(t, {}, { memory })
  const post = async (count: number): Promise<number> => {
    residentBytes = 500
    const gate = Promise.withResolvers<void>()
    encoder.gate = gate.promise
    const begun = encoder.nextCall()
    const replying = app.inject({
      method: 'POST',
      url: '/v1/encode/multiple_encode',
      headers: AUTHORIZED,
      payload: { sentences: Array.from({ length: count }, (_, index) => `sentence ${index}`) }
    })
    await begun
    residentBytes = 950
    gate.resolve()
    return (await replying).statusCode
  }
  assert.equal(await post(1), 200)
  assert.equal(await post(500), 503)
})
