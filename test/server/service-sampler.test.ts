/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { createMetrics } from '../../src/server/metrics.ts'
import { ServiceSampler, type ServiceSample } from '../../src/server/service-sampler.ts'

/** A sampler of real metrics, whose time stands still but for `seconds()`. */
function openSampler(t: TestContext, maxListeners = 16) {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] })
  const metrics = createMetrics()
  metrics.addReplyCache(() => ({ hitCount: hits, missCount: 1, entryCount: 0, bytes: 0 }))
  let hits = 0
  let readCount = 0
  const sampler = new ServiceSampler({
    maxListeners,
    read: (names) => {
      readCount += 1
      return metrics.readSome(names)
    }
  })
  const seconds = async (count: number): Promise<void> => {
    for (let second = 0; second < count; second++) {
      t.mock.timers.tick(1000)
      await turn()
    }
  }
  return {
    sampler,
    metrics,
    seconds,
    hit: (count: number) => (hits += count),
    readCount: () => readCount
  }
}

test('ServiceSampler tells what was done since the sample before', async (t) => {
  const { sampler, metrics, seconds, hit } = openSampler(t)
  metrics.encoderObserver.tokenized(100, 50)
  const samples: ServiceSample[] = []
  const forget = sampler.listen((sample) => samples.push(sample))
  await turn()
  metrics.encoderObserver.tokenized(6, 2)
  metrics.encoderObserver.tokenized(2, 4)
  metrics.encoderObserver.batch(4, 40, 10)
  metrics.encoderObserver.batch(2, 20, 30)
  hit(3)
  await seconds(2)
  forget()
  const [busy, idle] = samples
  assert.equal(samples.length, 2)
  assert.equal(busy?.sentencesPerSecond, 8)
  assert.equal(busy.batchesPerSecond, 2)
  assert.equal(busy.sentencesPerBatch, 3)
  assert.ok(Math.abs((busy.meanMs.tokenize ?? 0) - 3) < 1e-9)
  assert.ok(Math.abs((busy.meanMs.inference ?? 0) - 20) < 1e-9)
  assert.equal(busy.meanMs.queue, null)
  assert.equal(busy.cacheHitShare, 1)
  assert.equal(busy.jobs, null)
  assert.ok(busy.residentBytes > 1e6)
  assert.equal(idle?.sentencesPerSecond, 0)
  assert.equal(idle.cacheHitShare, null)
})

test('ServiceSampler reads once for all listeners, and not while nobody listens', async (t) => {
  const { sampler, seconds, readCount } = openSampler(t)
  await seconds(3)
  assert.equal(readCount(), 0)
  const heard = [0, 0, 0]
  const forgets = heard.map((_, index) => sampler.listen(() => (heard[index]! += 1)))
  await turn()
  await seconds(2)
  assert.equal(readCount(), 3)
  assert.deepEqual(heard, [2, 2, 2])
  forgets.forEach((forget) => forget())
  await seconds(3)
  assert.equal(readCount(), 3)
  assert.equal(sampler.listenerCount, 0)
})

test('ServiceSampler tells a later listener nothing of the time before it', async (t) => {
  const { sampler, metrics, seconds } = openSampler(t)
  sampler.listen(() => undefined)()
  await turn()
  metrics.encoderObserver.tokenized(1000, 1)
  const samples: ServiceSample[] = []
  sampler.listen((sample) => samples.push(sample))
  await turn()
  await seconds(1)
  assert.equal(samples[0]?.sentencesPerSecond, 0)
})

test('ServiceSampler reports a reading that fails, and goes on', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] })
  const faults: unknown[] = []
  let isFailing = true
  const sampler = new ServiceSampler({
    read: async () => {
      if (isFailing) throw new Error('no metrics')
      return []
    },
    onFault: (error) => faults.push(error)
  })
  let heardCount = 0
  sampler.listen(() => (heardCount += 1))
  await turn()
  isFailing = false
  for (let second = 0; second < 2; second++) {
    t.mock.timers.tick(1000)
    await turn()
  }
  assert.equal(faults.length, 1)
  assert.equal(heardCount, 1)
})

test('ServiceSampler refuses more listeners than may be', async (t) => {
  const { sampler } = openSampler(t, 2)
  const forget = sampler.listen(() => undefined)
  sampler.listen(() => undefined)
  assert.throws(() => sampler.listen(() => undefined), { code: 'OVERLOADED' })
  forget()
  sampler.listen(() => undefined)
})
