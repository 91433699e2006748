/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { Consumer, type ConsumerOptions } from '../../src/jobs/consumer.ts'
import { PermanentJobError } from '../../src/jobs/job.ts'
import { MemoryJobBackend } from '../../src/jobs/memory-job-backend.ts'
import { JobFailedError, Producer } from '../../src/jobs/producer.ts'

function consume<Input, Result>(
  t: TestContext,
  options: Omit<ConsumerOptions<Input, Result>, 'drainMs'>
): Consumer<Input, Result> {
  const consumer = new Consumer({ ...options, drainMs: 0 })
  t.after(() => consumer.stop())
  consumer.startConsuming()
  return consumer
}

test('Producer.post() gives what Consumer computed', async (t) => {
  const backend = new MemoryJobBackend()
  consume(t, { backend, computeResult: ({ n }: { n: number }) => ({ n: 2 * n }) })
  const producer = new Producer<{ n: number }, { n: number }>(backend)
  assert.deepEqual(await producer.post({ n: 21 }, { timeoutMs: 5000 }), { n: 42 })
})

test('Producer.post() carries bytes', async (t) => {
  const backend = new MemoryJobBackend()
  consume(t, { backend, computeResult: (bytes: Uint8Array) => bytes.toReversed() })
  const producer = new Producer<Uint8Array, Uint8Array>(backend)
  assert.deepEqual(await producer.post(Uint8Array.of(1, 2, 3), { timeoutMs: 5000 }), Uint8Array.of(3, 2, 1))
})

test('Producer.retrieveResultStatus() goes from SUBMITTED over IN_PROGRESS to SUCCESS', async (t) => {
  const backend = new MemoryJobBackend()
  const producer = new Producer<string, string>(backend)
  const id = await producer.postNonBlocking('x')
  assert.equal(await producer.retrieveResultStatus(id), 'SUBMITTED')
  await assert.rejects(producer.retrieveResult(id), { code: 'CONFLICT' })

  const begun = Promise.withResolvers<undefined>()
  const release = Promise.withResolvers<undefined>()
  consume(t, {
    backend,
    computeResult: async (text: string) => {
      begun.resolve(undefined)
      await release.promise
      return text.repeat(2)
    }
  })
  await begun.promise
  assert.equal(await producer.retrieveResultStatus(id), 'IN_PROGRESS')
  await assert.rejects(producer.retrieveResult(id), { code: 'CONFLICT' })
  release.resolve(undefined)
  await backend.waitUntilEnded(id, 5000)
  assert.equal(await producer.retrieveResultStatus(id), 'SUCCESS')
  assert.equal(await producer.retrieveResult(id), 'xx')
})

test('Producer.retrieveResult() of a failed job says why', async (t) => {
  const backend = new MemoryJobBackend()
  consume(t, {
    backend,
    computeResult: () => {
      throw new PermanentJobError('no such mentor')
    }
  })
  const producer = new Producer(backend)
  await assert.rejects(producer.post({}, { timeoutMs: 5000 }), (error) => {
    assert(error instanceof JobFailedError)
    assert.match(error.message, /no such mentor/)
    assert.equal(error.job.failure, 'PERMANENT')
    return true
  })
})

test('Producer.post() stops waiting at its time, and the job goes on', async () => {
  const backend = new MemoryJobBackend()
  const producer = new Producer(backend)
  await assert.rejects(producer.post({}, { timeoutMs: 1 }), { code: 'DEADLINE_EXCEEDED' })
  assert.equal((await backend.backlog()).queuedCount, 1)
})

test('Producer: a key gives the same job again, and refuses another input', async () => {
  const producer = new Producer<number>(new MemoryJobBackend())
  const id = await producer.postNonBlocking(1, { idempotencyKey: 'k' })
  assert.equal(await producer.postNonBlocking(1, { idempotencyKey: 'k' }), id)
  await assert.rejects(producer.postNonBlocking(2, { idempotencyKey: 'k' }), { code: 'CONFLICT' })
})

test('Producer: an unknown job is not found', async () => {
  const producer = new Producer(new MemoryJobBackend())
  await assert.rejects(producer.retrieveResultStatus('no-such-job'), { code: 'NOT_FOUND' })
  await assert.rejects(producer.retrieveResult('no-such-job'), { code: 'NOT_FOUND' })
})

test('Consumer takes only jobs of its type', async (t) => {
  const backend = new MemoryJobBackend()
  const other = new Producer(backend, { type: 'other' })
  const otherId = await other.postNonBlocking('x')
  consume(t, { backend, computeResult: (text: string) => text, type: 'mine' })
  const mine = new Producer<string, string>(backend, { type: 'mine' })
  assert.equal(await mine.post('y', { timeoutMs: 5000 }), 'y')
  assert.equal(await other.retrieveResultStatus(otherId), 'SUBMITTED')
})
