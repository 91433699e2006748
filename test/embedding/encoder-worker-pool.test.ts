/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  EncoderWorkerPool,
  type EncoderWorkerPoolOptions,
  type TokenBatch
} from '../../src/embedding/encoder-worker-pool.ts'
import { CRASH, FAIL } from './crashing-worker.ts'

const workerUrl = new URL('crashing-worker.ts', import.meta.url)

async function start(t: TestContext, options: Partial<EncoderWorkerPoolOptions> = {}): Promise<EncoderWorkerPool> {
  const pool = await EncoderWorkerPool.start({
    graphPath: '',
    workerCount: 1,
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
  assert.deepEqual(result, { values: Float32Array.of(1, 3, 4, 1), inferenceMs: 1 })
})

test('a worker that dies fails its batch, is replaced, and the next batch succeeds', async (t) => {
  const crashes: string[] = []
  const replaced = Promise.withResolvers<void>()
  const pool = await start(t, {
    onCrash: (error) => crashes.push(error.message),
    onIdle: () => {
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

test('close() waits for the batch that runs, and is safe twice', async (t) => {
  const pool = await start(t)
  const running = pool.run(batch(5))
  await Promise.all([pool.close(), pool.close()])
  assert.deepEqual((await running).values, Float32Array.of(5, 1))
  assert.equal(pool.idleCount, 0)
})

test('start() fails when a worker cannot load its graph', async () => {
  const starting = EncoderWorkerPool.start({
    graphPath: '/nowhere/model.onnx',
    workerCount: 2
  })
  await assert.rejects(starting, /nowhere/)
})
