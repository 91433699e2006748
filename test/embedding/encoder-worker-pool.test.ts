/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { EncoderWorkerPool, type EncoderWorkerPoolOptions } from '../../src/embedding/encoder-worker-pool.ts'
import type { TokenBatch } from '../../src/embedding/token-batch.ts'
import { CRASH, FAIL, TAKE_AND_CRASH } from './crashing-worker.ts'

const workerUrl = new URL('crashing-worker.ts', import.meta.url)

async function start(t: TestContext, options: Partial<EncoderWorkerPoolOptions> = {}): Promise<EncoderWorkerPool> {
  const pool = await EncoderWorkerPool.start({
    source: { precision: 'fp32', folder: '' },
    workerCount: 1,
    maxSentences: 2,
    maxTokens: 8,
    workerUrl,
    restartDelayMs: 1,
    ...options
  })
  t.after(async () => pool.close())
  return pool
}

function batch(...ids: number[]): TokenBatch {
  return { ids: Int32Array.from(ids), lengths: [ids.length] }
}

test('run() gives the rows and how long they took', async (t) => {
  const pool = await start(t)
  const result = await pool.run({ ids: Int32Array.of(1, 2, 3, 4), lengths: [3, 1] })
  assert.deepEqual([result.values, result.inferenceMs], [Float32Array.of(1, 3, 4, 1), 1])
})

test('a worker that dies fails its batch, is replaced, and the next batch succeeds', async (t) => {
  const crashes: string[] = []
  const replaced = Promise.withResolvers<void>()
  const pool = await start(t, {
    onCrash: (error) => crashes.push(error.message),
    onDone: () => {
      if (crashes.length > 0) replaced.resolve()
    }
  })
  await assert.rejects(pool.run(batch(CRASH)), { code: 'UNAVAILABLE', message: /thread that computed died/ })
  assert.deepEqual([pool.liveCount, pool.idleCount], [0, 0])
  await replaced.promise
  assert.equal(pool.liveCount, 1)
  assert.deepEqual(crashes, ['crashed as told'])
  assert.deepEqual((await pool.run(batch(5))).values, Float32Array.of(5, 1))
})

test('other workers go on when one dies', async (t) => {
  const pool = await start(t, { workerCount: 2, restartDelayMs: 60_000 })
  await assert.rejects(pool.run(batch(CRASH)))
  assert.equal(pool.liveCount, 1)
  assert.deepEqual((await pool.run(batch(5))).values, Float32Array.of(5, 1))
})

test('a failure of the graph fails the batch and keeps the worker', async (t) => {
  const pool = await start(t)
  await assert.rejects(pool.run(batch(FAIL)), { code: 'UNAVAILABLE', message: /failed as told/ })
  assert.equal(pool.idleCount, 1)
})

test('an offered batch is computed after the one that runs, by the worker itself', async (t) => {
  const states: [number, boolean][] = []
  let started: EncoderWorkerPool | undefined
  const onDone = (): void => {
    if (started !== undefined) states.push([started.idleCount, started.hasOffer])
  }
  const pool = await start(t, { onDone })
  started = pool
  const offered = pool.offer(batch(6, 1))
  assert.equal(pool.hasOffer, true)
  assert.deepEqual((await pool.run(batch(5))).values, Float32Array.of(5, 1))
  assert.deepEqual((await offered).values, Float32Array.of(6, 2))
  assert.deepEqual(states, [
    [0, false],
    [1, false]
  ])
})

test('runningSentenceCount counts what is computed, also of a batch that was offered and grew', async (t) => {
  const counts: (number | undefined)[] = []
  let started: EncoderWorkerPool | undefined
  const pool = await start(t, { onDone: () => counts.push(started?.runningSentenceCount) })
  started = pool
  counts.length = 0
  const offered = pool.offer(batch(6))
  pool.withdraw()
  pool.offerAgain({ ids: Int32Array.of(6, 7), lengths: [1, 1] })
  const running = pool.run(batch(5))
  assert.equal(pool.runningSentenceCount, 1)
  await Promise.all([running, offered])
  assert.deepEqual(counts, [2, 0])
  await assert.rejects(pool.run(batch(CRASH)))
  assert.equal(pool.runningSentenceCount, 0)
})

test('an offered batch can be changed, or run at once, until a worker has it', async (t) => {
  const pool = await start(t)
  const changed = pool.offer(batch(6))
  assert.equal(pool.withdraw(), true)
  assert.equal(pool.withdraw(), false, 'it was withdrawn already')
  pool.offerAgain(batch(7, 1, 1))
  await pool.run(batch(5))
  assert.deepEqual((await changed).values, Float32Array.of(7, 3))
  assert.equal(pool.withdraw(), false, 'it is done')

  const hurried = pool.offer(batch(8))
  assert.equal(pool.withdraw(), true)
  pool.runInstead(batch(8, 1))
  assert.deepEqual([(await hurried).values, pool.hasOffer], [Float32Array.of(8, 2), false])

  const ended = pool.offer(batch(9))
  pool.withdraw()
  pool.offerAgain({ ids: new Int32Array(), lengths: [] })
  assert.deepEqual([(await ended).values, pool.hasOffer], [new Float32Array(), false])
})

test('an offered batch that does not fit is refused', async (t) => {
  const pool = await start(t)
  await assert.rejects(pool.offer(batch(1, 2, 3, 4, 5, 6, 7, 8, 9)), RangeError)
  assert.equal(pool.hasOffer, false)
})

test('an offered batch dies with the worker that has taken it, and only then', async (t) => {
  const pool = await start(t, { workerCount: 2, restartDelayMs: 60_000 })
  const taken = pool.offer(batch(6))
  const crashed = pool.run(batch(TAKE_AND_CRASH), 1)
  await assert.rejects(crashed, { code: 'UNAVAILABLE' })
  await assert.rejects(taken, { code: 'UNAVAILABLE', message: /thread that computed died/ })

  const waiting = pool.offer(batch(7))
  assert.equal(pool.hasOffer, true)
  await pool.run(batch(5))
  assert.deepEqual((await waiting).values, Float32Array.of(7, 1))
})

test('close() fails what was offered and not taken', async (t) => {
  const pool = await start(t)
  const offered = assert.rejects(pool.offer(batch(6)), { code: 'UNAVAILABLE' })
  await pool.close()
  await offered
})

test('close() waits for the batch that runs, and is safe twice', async (t) => {
  const pool = await start(t)
  const running = pool.run(batch(5))
  await Promise.all([pool.close(), pool.close()])
  assert.deepEqual((await running).values, Float32Array.of(5, 1))
  assert.equal(pool.idleCount, 0)
})

test('start() fails when a worker cannot load its graph', async () => {
  const starting = EncoderWorkerPool.start({
    source: { precision: 'fp32', folder: '/nowhere' },
    workerCount: 2,
    maxSentences: 2,
    maxTokens: 8
  })
  await assert.rejects(starting, /nowhere/)
})
