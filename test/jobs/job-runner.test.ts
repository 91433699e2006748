/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'

import { ServiceError } from '../../src/errors.ts'
import { PermanentJobError, type NewJob } from '../../src/jobs/job.ts'
import { JobRunner, type JobHandler, type JobRunnerOptions } from '../../src/jobs/job-runner.ts'
import { MemoryJobBackend } from '../../src/jobs/memory-job-backend.ts'
import { packPayload, unpackPayload, type Payload } from '../../src/jobs/payload.ts'
import { TestClock } from '../contract/job-backend.ts'

const JOB: NewJob = { type: 'work', input: packPayload('in') }
const POLICY = { maxReceives: 5, retryBaseMs: 0, retryMaxMs: 1000, retentionMs: 86_400_000 }

function open(clock = new TestClock()): MemoryJobBackend {
  return new MemoryJobBackend({ policy: POLICY, clock })
}

function run(
  t: TestContext,
  backend: MemoryJobBackend,
  work: JobHandler,
  options: Partial<JobRunnerOptions> = {}
): JobRunner {
  const runner = new JobRunner({ backend, handlers: new Map([['work', work]]), drainMs: 0, ...options })
  t.after(() => runner.stop())
  runner.start()
  return runner
}

async function add(backend: MemoryJobBackend, job: NewJob = JOB): Promise<string> {
  const enqueued = await backend.enqueue(job)
  assert(enqueued.outcome === 'added')
  return enqueued.job.id
}

test('JobRunner does a job and stores its result', async (t) => {
  const backend = open()
  const runner = run(t, backend, async (input) => packPayload([unpackPayload(input), 'out']))
  const id = await add(backend)
  assert.equal((await backend.waitUntilEnded(id, 5000))?.status, 'SUCCESS')
  const result = await backend.result(id)
  assert(result !== undefined)
  assert.deepEqual(unpackPayload(result), ['in', 'out'])
  assert.equal(runner.counts.lostCount, 0)
})

test('JobRunner tries again what failed by surprise, five times in all', async (t) => {
  const backend = open()
  const attempts: number[] = []
  run(t, backend, async (_input, { job }) => {
    attempts.push(job.attempts)
    throw new Error(`boom ${job.attempts}`)
  })
  const id = await add(backend)
  const job = await backend.waitUntilEnded(id, 5000)
  assert.deepEqual(attempts, [1, 2, 3, 4, 5])
  assert.equal(job?.failure, 'DEAD')
  assert.equal(job.lastError, 'boom 5')
})

test('JobRunner: jobs that wait for another service hold up no others, and are of a bounded number', async (t) => {
  const backend = new MemoryJobBackend({ policy: POLICY })
  const answered = Promise.withResolvers<void>()
  let waitingCount = 0
  const handlers = new Map<string, JobHandler>([
    ['work', async () => packPayload('done')],
    [
      'notice',
      async () => {
        waitingCount += 1
        await answered.promise
        return packPayload('told')
      }
    ]
  ])
  const noticeIds = await Promise.all(Array.from({ length: 40 }, () => add(backend, { ...JOB, type: 'notice' })))
  const runner = new JobRunner({ backend, handlers, drainMs: 0, concurrency: 2, waitingTypes: new Set(['notice']) })
  t.after(() => runner.stop())
  runner.start()
  const id = await add(backend)
  assert.equal((await backend.waitUntilEnded(id, 5000))?.status, 'SUCCESS')
  assert.ok(waitingCount >= 16 && waitingCount < 20, `${waitingCount}`)
  answered.resolve()
  for (const noticeId of noticeIds) {
    assert.equal((await backend.waitUntilEnded(noticeId, 5000))?.status, 'SUCCESS')
  }
})

for (const error of [new PermanentJobError('never'), new ServiceError('NOT_FOUND', 'never')]) {
  test(`JobRunner does not try again after a ${error.name}`, async (t) => {
    const backend = open()
    run(t, backend, async () => {
      throw error
    })
    const job = await backend.waitUntilEnded(await add(backend), 5000)
    assert.equal(job?.failure, 'PERMANENT')
    assert.equal(job.attempts, 1)
    assert.equal(job.lastError, 'never')
  })
}

test('JobRunner does as many jobs at a time as told, and no more', async (t) => {
  const backend = open()
  let atWork = 0
  let most = 0
  const release = Promise.withResolvers<undefined>()
  const full = Promise.withResolvers<undefined>()
  run(
    t,
    backend,
    async (input) => {
      atWork += 1
      most = Math.max(most, atWork)
      if (atWork === 3) full.resolve(undefined)
      await release.promise
      atWork -= 1
      return input
    },
    { concurrency: 3 }
  )
  const ids = await Promise.all(Array.from({ length: 7 }, () => add(backend)))
  await full.promise
  release.resolve(undefined)
  for (const id of ids) assert.equal((await backend.waitUntilEnded(id, 5000))?.status, 'SUCCESS')
  assert.equal(most, 3)
})

test('JobRunner sends heartbeats with the progress, and stops a job that was cancelled', async (t) => {
  const backend = open()
  const begun = Promise.withResolvers<AbortSignal>()
  const runner = run(
    t,
    backend,
    async (input, context) => {
      context.progress(0.4)
      begun.resolve(context.signal)
      await once(context.signal, 'abort')
      return input
    },
    { leaseMs: 30 }
  )
  const id = await add(backend)
  const signal = await begun.promise
  while ((await backend.find(id))?.progress !== 0.4) await new Promise(setImmediate)
  await backend.cancel(id)
  if (!signal.aborted) await once(signal, 'abort')
  await runner.stop()
  assert.equal((await backend.find(id))?.failure, 'CANCELLED')
  assert.equal(await backend.result(id), undefined)
  assert.equal(runner.counts.lostCount, 1)
})

test('JobRunner.stop() lets the job at work finish and takes no other', async (t) => {
  const backend = open()
  const begun = Promise.withResolvers<undefined>()
  const release = Promise.withResolvers<undefined>()
  const runner = run(
    t,
    backend,
    async (input) => {
      begun.resolve(undefined)
      await release.promise
      return input
    },
    { drainMs: 60_000 }
  )
  const id = await add(backend)
  await begun.promise
  const laterId = await add(backend)
  const stopping = runner.stop()
  release.resolve(undefined)
  await stopping
  assert.equal((await backend.find(id))?.status, 'SUCCESS')
  assert.equal((await backend.find(laterId))?.status, 'QUEUED')
  assert.equal((await backend.find(laterId))?.attempts, 0)
})

test('JobRunner.stop() gives back what does not finish in time', async (t) => {
  const backend = open()
  const begun = Promise.withResolvers<undefined>()
  const runner = run(t, backend, async () => {
    begun.resolve(undefined)
    return new Promise<Payload>(() => undefined)
  })
  const id = await add(backend)
  await begun.promise
  await runner.stop()
  const job = await backend.find(id)
  assert.equal(job?.status, 'QUEUED')
  assert.equal(job.attempts, 0)
})

test('JobRunner takes over the job of a worker that fell silent', async (t) => {
  const clock = new TestClock()
  const backend = open(clock)
  const id = await add(backend)
  const [silent] = await backend.claim({ types: ['work'], limit: 1, leaseMs: 1000, waitMs: 0 })
  assert(silent !== undefined)
  await backend.sweep()
  clock.advance(1000)
  run(t, backend, async () => packPayload('the successor'), { leaseMs: 1000 })
  const job = await backend.waitUntilEnded(id, 5000)
  assert.equal(job?.status, 'SUCCESS')
  assert.equal(job.attempts, 2)
  assert.equal(await backend.finish(silent.lease, packPayload('late')), 'lost')
})

test('JobRunner writes the outcome again when the store was away for a moment', async (t) => {
  const backend = open()
  const finish = t.mock.method(backend, 'finish')
  finish.mock.mockImplementationOnce(async () => {
    throw new ServiceError('UNAVAILABLE', 'Cannot write to the job store: the disk is full')
  })
  run(t, backend, async (input) => input)
  assert.equal((await backend.waitUntilEnded(await add(backend), 5000))?.status, 'SUCCESS')
  assert.equal(finish.mock.callCount(), 2)
})

test('JobRunner goes on after a claim that failed', async (t) => {
  const backend = open()
  t.mock.method(backend, 'claim').mock.mockImplementationOnce(async () => {
    throw new ServiceError('UNAVAILABLE', 'Cannot use the job store')
  })
  const messages: string[] = []
  const log = {
    info: () => undefined,
    warn: () => undefined,
    error: (_: object, message: string) => messages.push(message)
  }
  run(t, backend, async (input) => input, { log })
  assert.equal((await backend.waitUntilEnded(await add(backend), 5000))?.status, 'SUCCESS')
  assert.deepEqual(messages, ['Cannot claim a job'])
})

test('JobRunner fails a job for good whose result cannot be stored', async (t) => {
  const backend = open()
  t.mock.method(backend, 'finish').mock.mockImplementation(async () => {
    throw new ServiceError('PAYLOAD_TOO_LARGE', 'too large')
  })
  run(t, backend, async (input) => input)
  const job = await backend.waitUntilEnded(await add(backend), 5000)
  assert.equal(job?.failure, 'PERMANENT')
  assert.equal(job.lastError, 'too large')
})
