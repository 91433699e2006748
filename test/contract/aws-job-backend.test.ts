/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import {
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
  SendMessageCommand,
  type Message
} from '@aws-sdk/client-sqs'

import { DEFAULT_JOB_POLICY } from '../../src/jobs/job.ts'
import type { Claim } from '../../src/jobs/job-backend.ts'
import { JobRunner } from '../../src/jobs/job-runner.ts'
import { packPayload } from '../../src/jobs/payload.ts'
import { AwsJobBackend, type AwsJobBackendOptions } from '../../src/platform/aws-job-backend.ts'
import { withEmulators, type Emulators } from '../emulators/emulators.ts'
import { createJobQueues, createJobResources } from '../emulators/job-resources.ts'
import { jobBackendModelContract } from './job-backend-model.ts'
import { TestClock, jobBackendContract, sharedJobBackendContract, type OpenStore } from './job-backend.ts'

await withEmulators('AwsJobBackend', (running) => {
  const openStore: OpenStore = async () => {
    const resources = await createJobResources(running(), `jobs-${randomUUID()}`)
    return async (setting) => new AwsJobBackend({ ...resources, ...setting })
  }
  jobBackendContract('AwsJobBackend', openStore)
  sharedJobBackendContract('AwsJobBackend', openStore)
  jobBackendModelContract('AwsJobBackend', openStore, { runCount: 8, isPrompt: false })
  awsTests(running)
})

/** What only a backend of several services has to keep: its parts may disagree, repeat themselves, or be away. */
function awsTests(running: () => Emulators): void {
  const request = { types: ['work'], limit: 1, leaseMs: 30_000, waitMs: 5000 }
  const input = packPayload('in')

  async function setUp(t: TestContext, change: Partial<AwsJobBackendOptions> = {}) {
    const name = `jobs-${randomUUID()}`
    const clock = new TestClock()
    const policy = { ...DEFAULT_JOB_POLICY, retryBaseMs: 0 }
    const options = { ...(await createJobResources(running(), name)), clock, policy, ...change }
    const backend = new AwsJobBackend(options)
    const sqs = new SQSClient({ endpoint: running().sqs.url, region: 'us-east-1' })
    t.after(async () => {
      await backend.close()
      sqs.destroy()
    })
    const send = async (body: string): Promise<void> => {
      await sqs.send(new SendMessageCommand({ QueueUrl: options.queueUrl, MessageBody: body }))
    }
    const look = async (QueueUrl: string, WaitTimeSeconds = 0): Promise<Message[]> => {
      const command = new ReceiveMessageCommand({
        QueueUrl,
        WaitTimeSeconds,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: 0
      })
      const { Messages = [] } = await sqs.send(command)
      return Messages
    }
    const add = async (): Promise<string> => {
      const enqueued = await backend.enqueue({ type: 'work', input })
      assert(enqueued.outcome === 'added')
      return enqueued.job.id
    }
    return { name, options, backend, clock, sqs, send, look, add }
  }

  async function claimOne(backend: AwsJobBackend): Promise<Claim> {
    const [claim] = await backend.claim(request)
    assert(claim !== undefined)
    return claim
  }

  test('AwsJobBackend: a message that comes twice gives one claim, and is thrown away', async (t) => {
    const { backend, send, add } = await setUp(t)
    const id = await add()
    for (let copy = 0; copy < 3; copy += 1) await send(JSON.stringify({ id, type: 'work' }))
    const claims: Claim[] = []
    for (let call = 0; call < 4; call += 1) claims.push(...(await backend.claim({ ...request, waitMs: 0 })))
    assert.equal(claims.length, 1)
    assert(claims[0] !== undefined)
    assert.equal(await backend.finish(claims[0].lease, input), 'held')
    await send(JSON.stringify({ id, type: 'work' }))
    assert.deepEqual(await backend.claim({ ...request, waitMs: 0 }), [])
    assert.equal((await backend.backlog()).queuedCount, 0)
  })

  test('AwsJobBackend: messages that are not ours are thrown away', async (t) => {
    const { backend, options, send, look, add } = await setUp(t)
    for (const body of ['not json', '{}', '[1]', '{"id":"no-such-job","type":"work"}']) await send(body)
    const id = await add()
    assert.equal((await claimOne(backend)).job.id, id)
    assert.deepEqual(await look(options.queueUrl), [])
  })

  test('AwsJobBackend: a job whose message could not be sent is accepted, and a sweep sends it', async (t) => {
    const { options, backend, clock } = await setUp(t)
    const cutOff = new AwsJobBackend({ ...options, queueUrl: `${options.queueUrl}-gone` })
    t.after(() => cutOff.close())
    const enqueued = await cutOff.enqueue({ type: 'work', input })
    assert(enqueued.outcome === 'added')
    assert.deepEqual(await backend.claim({ ...request, waitMs: 0 }), [])
    assert.equal((await backend.sweep()).resentCount, 0)
    clock.advance(30_000)
    assert.equal((await backend.sweep()).resentCount, 1)
    assert.equal((await claimOne(backend)).job.id, enqueued.job.id)
    assert.equal((await backend.sweep()).resentCount, 0)
  })

  test(
    'AwsJobBackend: the queue restarts empty in the middle, and every job still ends once',
    { timeout: 60_000 },
    async (t) => {
      const { name, backend, clock, add } = await setUp(t)
      const ids = await Promise.all(Array.from({ length: 20 }, () => add()))
      let begunCount = 0
      const enough = Promise.withResolvers<undefined>()
      const release = Promise.withResolvers<undefined>()
      const handlers = new Map([
        [
          'work',
          async () => {
            begunCount += 1
            if (begunCount === 4) enough.resolve(undefined)
            await release.promise
            return packPayload('out')
          }
        ]
      ])
      const runner = new JobRunner({ backend, handlers, concurrency: 4, sweepEveryMs: 100 })
      t.after(() => runner.stop())
      runner.start()
      await enough.promise
      await running().sqs.stop()
      release.resolve(undefined)
      await running().sqs.start()
      await createJobQueues(running(), name)
      clock.advance(31_000)
      for (const id of ids) assert.equal((await backend.waitUntilEnded(id, 30_000))?.status, 'SUCCESS')
      assert.equal(runner.counts.succeededCount, 20)
      assert.equal(runner.counts.lostCount, 0)
    }
  )

  test('AwsJobBackend: extend() keeps the message hidden', async (t) => {
    const { backend, options, sqs, look, add } = await setUp(t)
    await add()
    const [claim] = await backend.claim({ ...request, leaseMs: 1000 })
    assert(claim !== undefined)
    assert.equal(await backend.extend({ ...claim.lease, leaseMs: 60_000 }), 'held')
    // It shows after the first lease would have ended; the job's own message must not.
    const marker = new SendMessageCommand({ QueueUrl: options.queueUrl, MessageBody: 'marker', DelaySeconds: 2 })
    await sqs.send(marker)
    const shown = await look(options.queueUrl, 10)
    assert.deepEqual(
      shown.map((message) => message.Body),
      ['marker']
    )
  })

  test('AwsJobBackend: a dead letter is copied to its queue, and redrive() takes the copy away', async (t) => {
    const { backend, options, look, add } = await setUp(t, { policy: { ...DEFAULT_JOB_POLICY, maxReceives: 1 } })
    const { deadLetterQueueUrl = '' } = options
    const id = await add()
    const { lease } = await claimOne(backend)
    await backend.fail(lease, { message: 'boom', isPermanent: false })
    const [copy] = await look(deadLetterQueueUrl, 5)
    assert.deepEqual(JSON.parse(copy?.Body ?? ''), { id, type: 'work', deadToken: lease.token })
    assert.equal((await backend.redrive(id)).outcome, 'changed')
    assert.equal((await claimOne(backend)).job.id, id)
    await backend.close()
    assert.deepEqual(await look(deadLetterQueueUrl), [])
  })

  test('AwsJobBackend: a dead letter that is moved back by hand is redriven, once', async (t) => {
    const { backend, options, sqs, send, look, add } = await setUp(t, {
      policy: { ...DEFAULT_JOB_POLICY, maxReceives: 1 }
    })
    const { deadLetterQueueUrl: QueueUrl = '' } = options
    const id = await add()
    const { lease } = await claimOne(backend)
    await backend.fail(lease, { message: 'boom', isPermanent: false })
    const [copy] = await look(QueueUrl, 5)
    assert(copy?.Body !== undefined)
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: copy.ReceiptHandle }))
    await send(copy.Body)
    const again = await claimOne(backend)
    assert.equal(again.job.id, id)
    assert.equal(again.job.attempts, 1)
    await backend.finish(again.lease, input)
    await send(copy.Body)
    assert.deepEqual(await backend.claim({ ...request, waitMs: 0 }), [])
    assert.equal((await backend.find(id))?.status, 'SUCCESS')
  })

  test('AwsJobBackend: what cannot be reached is 503', async (t) => {
    const { options } = await setUp(t)
    const away = { dynamodb: 'http://127.0.0.1:1', sqs: 'http://127.0.0.1:1', s3: 'http://127.0.0.1:1' }
    const backend = new AwsJobBackend({ ...options, endpoints: away })
    t.after(() => backend.close())
    await assert.rejects(backend.enqueue({ type: 'work', input }), { code: 'UNAVAILABLE' })
    await assert.rejects(backend.find('x'), { code: 'UNAVAILABLE' })
    const large = packPayload(new Uint8Array(300_000))
    await assert.rejects(backend.enqueue({ type: 'work', input: large }), { code: 'UNAVAILABLE' })
  })

  test('AwsJobBackend: deadLetters() refuses a page that it did not give', async (t) => {
    const { backend } = await setUp(t)
    await assert.rejects(backend.deadLetters({ limit: 1, after: '%%%' }), { code: 'INVALID_REQUEST' })
  })
}
