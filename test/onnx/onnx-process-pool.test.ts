/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { ServiceError } from '../../src/errors.ts'
import { OnnxProcessPool, type OnnxProcessPoolOptions, type OnnxTensor } from '../../src/onnx/onnx-process-pool.ts'
import { greedyModel, linearModel, loopModel, modelWithOperator } from './models.ts'

const MEGABYTE = 2 ** 20

function openPool(t: TestContext, options: Partial<OnnxProcessPoolOptions> = {}): OnnxProcessPool {
  const pool = new OnnxProcessPool({
    processCount: 1,
    memoryLimitBytes: 400 * MEGABYTE,
    timeLimitMs: 60_000,
    ...options
  })
  t.after(() => pool.close())
  return pool
}

const LINEAR = { key: 'linear', read: async () => linearModel() }
const THREE_FEATURES: OnnxTensor = { name: 'features', type: 'float32', shape: [1, 3], data: Float32Array.of(2, 0, 5) }
const TWO_FEATURES: OnnxTensor = { name: 'features', type: 'float32', shape: [1, 2], data: Float32Array.of(1, 2) }

async function assertLinearAnswers(pool: OnnxProcessPool): Promise<void> {
  const [output] = await pool.run(LINEAR, [THREE_FEATURES], ['probabilities'])
  assert.deepEqual(output?.shape, [1, 2])
  const expected = Math.exp(2) / (Math.exp(2) + 1)
  assert.ok(output?.type === 'float32' && Math.abs(output.data[0]! - expected) < 1e-6)
}

test('a pool runs a model, and reads it once for each process', async (t) => {
  const pool = openPool(t)
  assert.equal(pool.liveCount, 0)
  let readCount = 0
  const counted = {
    key: 'counted',
    read: async () => {
      readCount += 1
      return loopModel(3)
    }
  }
  for (let round = 0; round < 2; round += 1) {
    const [output] = await pool.run(counted, [TWO_FEATURES], ['probabilities'])
    assert.deepEqual(output?.data, Float32Array.of(8, 16))
  }
  assert.equal(readCount, 1)
  assert.equal(pool.liveCount, 1)
})

test('a model that computes for ever is killed at the time limit, and the next request is answered', async (t) => {
  const pool = openPool(t, { timeLimitMs: 3000 })
  const endless = { key: 'endless', read: async () => loopModel(Number.MAX_SAFE_INTEGER) }
  await assert.rejects(pool.run(endless, [TWO_FEATURES], ['probabilities']), {
    code: 'UNPROCESSABLE',
    message: 'Cannot run the model: it took longer than 3000 ms'
  })
  await assertLinearAnswers(pool)
})

test('a model that takes too much memory is killed at the memory limit, and the next request is answered', async (t) => {
  const pool = openPool(t)
  const greedy = { key: 'greedy', read: async () => greedyModel(3072 * MEGABYTE) }
  await assert.rejects(pool.run(greedy, [THREE_FEATURES], ['probabilities']), {
    code: 'UNPROCESSABLE',
    message: `Cannot run the model: it took more than ${400 * MEGABYTE} bytes of memory`
  })
  await assertLinearAnswers(pool)
})

test('a model that cannot be loaded or fed is refused in words, and the process lives on', async (t) => {
  const pool = openPool(t)
  const unknown = { key: 'unknown', read: async () => modelWithOperator('NoSuchOperator') }
  await assert.rejects(pool.run(unknown, [TWO_FEATURES], ['probabilities']), /it could not be run: .*NoSuchOperator/s)
  await assert.rejects(pool.run(LINEAR, [TWO_FEATURES], ['probabilities']), /it could not be run/)
  await assertLinearAnswers(pool)
})

test('a pool looks at a file in the process too', async (t) => {
  const pool = openPool(t)
  assert.equal((await pool.inspect(linearModel())).outcome, 'accepted')
  assert.deepEqual(await pool.inspect(modelWithOperator('RandomNormalLike')), {
    outcome: 'refused',
    problems: ['operator RandomNormalLike is not taken (1 times)']
  })
})

test('requests wait for a process in turn; one too many is refused at once', async (t) => {
  const pool = openPool(t)
  const runs = Array.from({ length: 65 }, async () => pool.run(LINEAR, [THREE_FEATURES], ['probabilities']))
  await assert.rejects(
    pool.run(LINEAR, [THREE_FEATURES], ['probabilities']),
    (error) => error instanceof ServiceError && error.code === 'OVERLOADED' && error.retryAfterSeconds === 60
  )
  assert.equal((await Promise.all(runs)).length, 65)
})

test('of more models than a process holds the one asked for longest ago goes, and is read again', async (t) => {
  const pool = openPool(t)
  const reads: string[] = []
  const model = (key: string) => ({
    key,
    read: async () => {
      reads.push(key)
      return linearModel()
    }
  })
  for (const key of ['a', 'b', 'c', 'd', 'a', 'e', 'a', 'b']) {
    await pool.run(model(key), [THREE_FEATURES], ['probabilities'])
  }
  assert.deepEqual(reads, ['a', 'b', 'c', 'd', 'e', 'b'])
})

test('close() ends what runs and what waits, and says so', async () => {
  const pool = new OnnxProcessPool({ processCount: 1, memoryLimitBytes: 400 * MEGABYTE, timeLimitMs: 60_000 })
  await assertLinearAnswers(pool)
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const endless = {
    key: 'endless',
    read: async () => {
      begin()
      return loopModel(Number.MAX_SAFE_INTEGER)
    }
  }
  const running = pool.run(endless, [TWO_FEATURES], ['probabilities'])
  const waiting = pool.run(LINEAR, [THREE_FEATURES], ['probabilities'])
  const settled = Promise.allSettled([running, waiting])
  await begun
  await pool.close()
  assert.deepEqual(
    (await settled).map((each) => each.status === 'rejected' && String(each.reason.message)),
    Array(2).fill('Cannot run the model: it was stopped, since the service stops')
  )
  assert.equal(pool.liveCount, 0)
})

test('a process without work is let go, and comes back when asked', async (t) => {
  const pool = openPool(t, { idleMs: 1 })
  await assertLinearAnswers(pool)
  while (pool.liveCount > 0) await new Promise((resolve) => setImmediate(resolve))
  await assertLinearAnswers(pool)
})

test('a process knows nothing of the environment of the service', async (t) => {
  process.env['API_SECRET_KEY'] = 'secret-of-the-service'
  t.after(() => delete process.env['API_SECRET_KEY'])
  const pool = openPool(t)
  await assertLinearAnswers(pool)
  const environments = readdirSync('/proc').flatMap((pid) => {
    try {
      const isChild = new RegExp(`\\) [RSD] ${process.pid} `).test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
      return isChild ? [readFileSync(`/proc/${pid}/environ`, 'utf8')] : []
    } catch {
      return [] // No process, or none any more.
    }
  })
  assert.ok(environments.length > 0)
  for (const environment of environments) assert.ok(!environment.includes('secret-of-the-service'))
})
