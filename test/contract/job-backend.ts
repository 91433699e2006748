/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import {
  PermanentJobError,
  SUPERSEDED_TEXT,
  WEBHOOK_JOB_TYPE,
  type Job,
  type JobPolicy,
  type NewJob
} from '../../src/jobs/job.ts'
import type { Claim, ClaimRequest, Clock, Enqueued, JobBackend, JobQuery } from '../../src/jobs/job-backend.ts'
import { JobRunner } from '../../src/jobs/job-runner.ts'
import { packPayload, unpackPayload } from '../../src/jobs/payload.ts'
import { asSpan } from '../../src/tracing/span.ts'
import { openTracer } from '../tracing/open-tracer.ts'

/** Clocks that stand still until told otherwise. */
export class TestClock implements Clock {
  #nowMs: number
  #skewMs: number

  /** @param skewMs how far the wall clock is ahead of others */
  constructor(skewMs = 0) {
    this.#nowMs = 1_800_000_000_000
    this.#skewMs = skewMs
  }

  wallMs(): number {
    return this.#nowMs + this.#skewMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  advance(ms: number): void {
    this.#nowMs += ms
  }

  /** Sets the wall clock, as a time server or a person does. */
  jump(ms: number): void {
    this.#skewMs += ms
  }
}

/** What a backend under test is opened with. */
export interface BackendSetting {
  readonly clock: Clock
  readonly policy: JobPolicy
  readonly random: () => number
}

/** Opens one more backend on the same, at first empty, store: another process, as it were. */
export type OpenPeer = (setting: BackendSetting) => Promise<JobBackend>

/** Makes an empty store, and says how to open backends on it; the test closes them. */
export type OpenStore = (t: TestContext) => Promise<OpenPeer>

const LEASE_MS = 30_000
/** A promise that is broken may show as a wait without end. */
const LIMIT = { timeout: 30_000 }
const POLICY: JobPolicy = { maxReceives: 5, retryBaseMs: 0, retryMaxMs: 900_000, retentionMs: 20 * 86_400_000 }

function aJob(change: Partial<NewJob> = {}): NewJob {
  return { type: 'double', input: packPayload({ n: 21 }), ...change }
}

function request(change: Partial<ClaimRequest> = {}): ClaimRequest {
  return { types: ['double'], limit: 1, leaseMs: LEASE_MS, waitMs: 0, ...change }
}

async function claimOne(backend: JobBackend, change: Partial<ClaimRequest> = {}): Promise<Claim> {
  // The wait is for queues across a network, which hand a message out when they have got round to it.
  const [claim] = await backend.claim(request({ waitMs: 5000, ...change }))
  assert(claim !== undefined, 'a job should have been there to claim')
  return claim
}

async function add(backend: JobBackend, change: Partial<NewJob> = {}): Promise<string> {
  const enqueued = await backend.enqueue(aJob(change))
  assert(enqueued.outcome === 'added')
  return enqueued.job.id
}

async function failForGood(): Promise<never> {
  throw new PermanentJobError('no')
}

function jobOf(enqueued: Enqueued): Job {
  assert(enqueued.outcome === 'added')
  return enqueued.job
}

/** Opens a store with a first backend, and more on demand; all of one clock, unless a peer brings its own. */
function setUpOn(openStore: OpenStore) {
  return async (
    t: TestContext,
    policy: JobPolicy = POLICY
  ): Promise<{ backend: JobBackend; clock: TestClock; peer: (clock?: Clock) => Promise<JobBackend> }> => {
    const openPeer = await openStore(t)
    const clock = new TestClock()
    const peer = async (peerClock: Clock = clock): Promise<JobBackend> => {
      const backend = await openPeer({ clock: peerClock, policy, random: () => 0.999 })
      t.after(() => backend.close())
      return backend
    }
    return { backend: await peer(), clock, peer }
  }
}

/** The promises of every JobBackend. */
export function jobBackendContract(name: string, openStore: OpenStore): void {
  const setUp = setUpOn(openStore)

  test(`${name}: enqueue() stores a job that find() shows as QUEUED`, LIMIT, async (t) => {
    const { backend, clock } = await setUp(t)
    const id = await add(backend, { labels: { mentor: 'clint' }, owner: 'key:a', priority: 'bulk' })
    assert.deepEqual(await backend.find(id), {
      id,
      type: 'double',
      priority: 'bulk',
      owner: 'key:a',
      labels: { mentor: 'clint' },
      callbackUrl: undefined,
      concurrencyGroup: undefined,
      status: 'QUEUED',
      failure: undefined,
      attempts: 0,
      progress: 0,
      lastError: undefined,
      createdAtMs: clock.wallMs(),
      updatedAtMs: clock.wallMs(),
      runAtMs: clock.wallMs()
    })
    assert.equal(await backend.result(id), undefined)
    assert.equal(await backend.find('no-such-job'), undefined)
    assert.equal(await backend.result('no-such-job'), undefined)
  })

  test(
    `${name}: a job enqueued in a trace carries it, and is done in it; the key finds it from another trace`,
    LIMIT,
    async (t) => {
      const { backend } = await setUp(t)
      const { tracer, collector } = await openTracer(t)
      const enqueue = async (): Promise<Enqueued> =>
        asSpan(tracer.start('request'), () =>
          backend.enqueue(aJob({ idempotencyKey: 'k', labels: { mentor: 'clint' } }))
        )
      const job = jobOf(await enqueue())
      const again = await enqueue()
      assert.deepEqual([again.outcome, again.outcome === 'existing' && again.job.labels], ['existing', job.labels])
      const [sent] = await collector.some(2, ({ kind }) => kind === 4)
      assert(sent !== undefined)
      const { traceparent, ...others } = job.labels
      assert.deepEqual([traceparent, others], [`00-${sent.traceId}-${sent.spanId}-01`, { mentor: 'clint' }])
      assert.equal(sent.attributes['messaging.message.id'], job.id)
      const runner = new JobRunner({ backend, handlers: new Map([['double', failForGood]]), tracer })
      t.after(() => runner.stop())
      runner.start()
      const run = await collector.named('process double')
      assert.deepEqual([run.traceId, run.parentSpanId], [sent.traceId, sent.spanId])
      assert.deepEqual([run.isFailed, run.attributes['error.type']], [true, 'PermanentJobError'])
      await runner.stop()
    }
  )

  test(`${name}: claim() hands out the input, once`, LIMIT, async (t) => {
    const { backend } = await setUp(t)
    const id = await add(backend)
    const claim = await claimOne(backend)
    assert.equal(claim.job.id, id)
    assert.equal(claim.job.status, 'IN_PROGRESS')
    assert.equal(claim.job.attempts, 1)
    assert.deepEqual(unpackPayload(claim.input), { n: 21 })
    assert.equal((await backend.find(id))?.status, 'IN_PROGRESS')
    assert.deepEqual(await backend.claim(request()), [])
  })

  test(`${name}: claim() of two processes at once gives each job to one of them`, LIMIT, async (t) => {
    const { backend, peer } = await setUp(t)
    const other = await peer()
    const ids = await Promise.all(Array.from({ length: 12 }, () => add(backend)))
    const claimedIds: string[] = []
    const claimAll = async (claimer: JobBackend): Promise<void> => {
      while (claimedIds.length < ids.length) {
        const claims = await claimer.claim(request({ limit: 3 }))
        claimedIds.push(...claims.map((claim) => claim.job.id))
      }
    }
    await Promise.all([claimAll(backend), claimAll(other)])
    assert.deepEqual(claimedIds.toSorted(), ids.toSorted())
  })

  test(`${name}: claim() leaves jobs of other types alone`, LIMIT, async (t) => {
    const { backend } = await setUp(t)
    const id = await add(backend, { type: 'train' })
    assert.deepEqual(await backend.claim(request({ types: ['double', 'encode'] })), [])
    assert.equal((await backend.find(id))?.status, 'QUEUED')
  })

  test(`${name}: claim() takes interactive jobs first and does not starve bulk`, LIMIT, async (t) => {
    const { backend } = await setUp(t)
    await add(backend, { priority: 'bulk' })
    for (let count = 0; count < 8; count += 1) await add(backend)
    const order: string[] = []
    for (let count = 0; count < 8; count += 1) order.push((await claimOne(backend)).job.priority)
    assert.equal(order[0], 'interactive')
    assert.equal(order.filter((lane) => lane === 'bulk').length, 1)
  })

  test(`${name}: claim() waits for a job that another process enqueues`, LIMIT, async (t) => {
    const { backend, peer } = await setUp(t)
    const other = await peer()
    const waiting = backend.claim(request({ waitMs: 10_000 }))
    const id = await add(other)
    const [claim] = await waiting
    assert.equal(claim?.job.id, id)
  })

  test(`${name}: claim() stops waiting when its signal aborts`, LIMIT, async (t) => {
    const { backend } = await setUp(t)
    const stop = new AbortController()
    const waiting = backend.claim(request({ waitMs: 600_000, signal: stop.signal }))
    stop.abort()
    assert.deepEqual(await waiting, [])
  })

  test(`${name}: finish() ends a job with its result, once`, LIMIT, async (t) => {
    const { backend, peer } = await setUp(t)
    const id = await add(backend)
    const { lease } = await claimOne(backend)
    assert.equal(await backend.finish(lease, packPayload({ n: 42 })), 'held')
    const reader = await peer()
    const job = await reader.find(id)
    assert.equal(job?.status, 'SUCCESS')
    assert.equal(job.progress, 1)
    const result = await reader.result(id)
    assert(result !== undefined)
    assert.deepEqual(unpackPayload(result), { n: 42 })
    assert.equal(await backend.finish(lease, packPayload({ n: 43 })), 'lost')
    assert.equal(await backend.fail(lease, { message: 'too late', isPermanent: false }), 'lost')
    assert.equal(await backend.extend(lease), 'lost')
    assert.equal(await backend.release(lease), 'lost')
    assert.deepEqual(await reader.find(id), job)
  })

  test(`${name}: inputs and results of a megabyte come back whole`, LIMIT, async (t) => {
    const { backend } = await setUp(t)
    const bytes = Uint8Array.from({ length: 1_000_003 }, (_, index) => (index * 7919) % 251)
    const id = await add(backend, { input: packPayload(bytes) })
    const { lease, input } = await claimOne(backend)
    assert.deepEqual(unpackPayload(input), bytes)
    await backend.finish(lease, packPayload(bytes.toReversed()))
    const result = await backend.result(id)
    assert(result !== undefined)
    assert.deepEqual(unpackPayload(result), bytes.toReversed())
  })

  test(`${name}: sweep() takes a job back from a silent worker, whose late write is refused`, LIMIT, async (t) => {
    const { backend, clock, peer } = await setUp(t)
    const id = await add(backend)
    const late = await claimOne(backend)
    const other = await peer()
    assert.equal((await other.sweep()).expiredLeaseCount, 0)
    clock.advance(LEASE_MS)
    assert.equal((await other.sweep()).expiredLeaseCount, 1)
    assert.equal((await backend.find(id))?.status, 'QUEUED')
    const successor = await claimOne(other)
    assert.equal(successor.job.id, id)
    assert.equal(successor.job.attempts, 2)
    assert.equal(await backend.finish(late.lease, packPayload('late')), 'lost')
    assert.equal(await backend.extend(late.lease), 'lost')
    assert.equal(await other.finish(successor.lease, packPayload('in time')), 'held')
    assert.equal(await backend.finish(late.lease, packPayload('later')), 'lost')
    const result = await backend.result(id)
    assert(result !== undefined)
    assert.equal(unpackPayload(result), 'in time')
  })

  test(`${name}: jobs that one sweep takes back do not come back together`, LIMIT, async (t) => {
    const { backend, clock } = await setUp(t, { ...POLICY, retryBaseMs: 100_000 })
    const ids = [await add(backend), await add(backend), await add(backend)]
    for (let count = 0; count < ids.length; count += 1) await claimOne(backend)
    await backend.sweep()
    clock.advance(LEASE_MS)
    assert.equal((await backend.sweep()).expiredLeaseCount, ids.length)
    const times = await Promise.all(ids.map(async (id) => (await backend.find(id))?.runAtMs ?? 0))
    const [first = 0, second = 0, third = 0] = times.toSorted((a, b) => a - b)
    assert(second - first > 10_000 && third - second > 10_000, times.join(', '))
  })

  test(`${name}: extend() keeps the job and shows its progress`, LIMIT, async (t) => {
    const { backend, clock } = await setUp(t)
    const id = await add(backend)
    const { lease } = await claimOne(backend)
    for (const progress of [0.25, 0.5]) {
      await backend.sweep()
      clock.advance(LEASE_MS - 1)
      assert.equal(await backend.extend(lease, progress), 'held')
      assert.equal((await backend.sweep()).expiredLeaseCount, 0)
      assert.equal((await backend.find(id))?.progress, progress)
    }
    assert.equal(await backend.finish(lease, packPayload(1)), 'held')
  })

  test(`${name}: progress is that of the present try, and an ended job keeps what it reached`, LIMIT, async (t) => {
    const { backend, clock } = await setUp(t)
    const id = await add(backend)
    const giveBacks = [
      (claim: Claim) => backend.fail(claim.lease, { message: 'broken', isPermanent: false }),
      (claim: Claim) => backend.release(claim.lease),
      async () => {
        await backend.sweep()
        clock.advance(LEASE_MS)
        await backend.sweep()
      }
    ]
    for (const giveBack of giveBacks) {
      const claim = await claimOne(backend)
      assert.equal(claim.job.progress, 0)
      await backend.extend(claim.lease, 0.75)
      await giveBack(claim)
      const { status, progress } = (await backend.find(id)) ?? {}
      assert.deepEqual({ status, progress }, { status: 'QUEUED', progress: 0 })
    }
    const { lease } = await claimOne(backend)
    await backend.extend(lease, 0.5)
    await backend.fail(lease, { message: 'no such mentor', isPermanent: true })
    assert.equal((await backend.find(id))?.progress, 0.5)
    const redriven = await backend.redrive(id)
    assert(redriven.outcome === 'changed')
    assert.equal(redriven.job.progress, 0)
    const again = await claimOne(backend)
    await backend.extend(again.lease, 0.25)
    await backend.cancel(id)
    assert.equal((await backend.find(id))?.progress, 0.25)
  })

  test(`${name}: a heartbeat shows as the time of the last change`, LIMIT, async (t) => {
    const { backend, clock } = await setUp(t)
    const id = await add(backend)
    const { lease } = await claimOne(backend)
    clock.advance(7000)
    assert.equal(await backend.extend(lease), 'held')
    assert.equal((await backend.find(id))?.updatedAtMs, clock.wallMs())
  })

  test(`${name}: a wall clock that is set ahead takes no job from its worker`, LIMIT, async (t) => {
    const { backend, clock } = await setUp(t)
    await add(backend)
    const { lease } = await claimOne(backend)
    await backend.sweep()
    clock.jump(3_600_000)
    clock.advance(LEASE_MS - 1)
    assert.equal((await backend.sweep()).expiredLeaseCount, 0)
    assert.equal(await backend.finish(lease, packPayload(1)), 'held')
  })

  test(
    `${name}: a job that was queued while the clock was a day ahead does not wait for that day`,
    LIMIT,
    async (t) => {
      const { backend, clock } = await setUp(t)
      clock.jump(24 * 3_600_000)
      const id = await add(backend)
      clock.jump(-24 * 3_600_000)
      assert.equal((await claimOne(backend)).job.id, id)
    }
  )

  test(`${name}: fail() queues the job again after a wait that doubles`, LIMIT, async (t) => {
    const { backend, clock } = await setUp(t, { ...POLICY, retryBaseMs: 1000 })
    const id = await add(backend)
    for (const [attempts, delayMs] of [
      [1, 999],
      [2, 1998]
    ] as const) {
      const { lease, job } = await claimOne(backend)
      assert.equal(job.attempts, attempts)
      assert.equal(await backend.fail(lease, { message: `try ${attempts}`, isPermanent: false }), 'held')
      const failed = await backend.find(id)
      assert.equal(failed?.status, 'QUEUED')
      assert.equal(failed.lastError, `try ${attempts}`)
      assert.equal(failed.runAtMs - clock.wallMs(), delayMs)
      assert.deepEqual(await backend.claim(request()), [])
      clock.advance(delayMs)
    }
    assert.equal((await claimOne(backend)).job.attempts, 3)
  })

  test(`${name}: the fifth failed try makes a dead letter, which redrive() puts back to work`, LIMIT, async (t) => {
    const { backend, clock } = await setUp(t)
    const id = await add(backend)
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      const { lease } = await claimOne(backend)
      await backend.fail(lease, { message: `try ${attempt}`, isPermanent: false })
    }
    const dead = await backend.find(id)
    assert.equal(dead?.status, 'FAILURE')
    assert.equal(dead.failure, 'DEAD')
    assert.equal(dead.attempts, 5)
    assert.equal(dead.lastError, 'try 5')
    assert.deepEqual(await backend.claim(request()), [])
    assert.deepEqual((await backend.deadLetters({ limit: 10 })).jobs, [dead])

    clock.advance(1000)
    const redriven = await backend.redrive(id)
    assert(redriven.outcome === 'changed')
    assert.equal(redriven.job.status, 'QUEUED')
    assert.equal(redriven.job.failure, undefined)
    assert.equal(redriven.job.attempts, 0)
    assert.equal(redriven.job.lastError, 'try 5')
    assert.deepEqual((await backend.deadLetters({ limit: 10 })).jobs, [])
    const { lease, job } = await claimOne(backend)
    assert.equal(job.attempts, 1)
    assert.equal(await backend.finish(lease, packPayload('at last')), 'held')
    assert.equal((await backend.redrive(id)).outcome, 'refused')
    assert.equal((await backend.redrive('no-such-job')).outcome, 'missing')
  })

  test(`${name}: a job that silences every worker becomes a dead letter`, LIMIT, async (t) => {
    const { backend, clock } = await setUp(t)
    const id = await add(backend)
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      assert.equal((await claimOne(backend)).job.attempts, attempt)
      await backend.sweep()
      clock.advance(LEASE_MS)
      assert.equal((await backend.sweep()).expiredLeaseCount, 1)
    }
    const job = await backend.find(id)
    assert.equal(job?.failure, 'DEAD')
    assert.match(job.lastError ?? '', /fell silent/)
  })

  test(`${name}: a permanent error ends the job at once`, LIMIT, async (t) => {
    const { backend } = await setUp(t)
    const id = await add(backend)
    const { lease } = await claimOne(backend)
    assert.equal(await backend.fail(lease, { message: 'no such mentor', isPermanent: true }), 'held')
    const job = await backend.find(id)
    assert.equal(job?.status, 'FAILURE')
    assert.equal(job.failure, 'PERMANENT')
    assert.equal(job.attempts, 1)
    assert.equal(job.lastError, 'no such mentor')
    assert.deepEqual(await backend.claim(request()), [])
    assert.deepEqual((await backend.deadLetters({ limit: 10 })).jobs, [])
    assert.equal((await backend.redrive(id)).outcome, 'changed')
  })

  test(`${name}: release() gives a job back at once and does not count the try`, LIMIT, async (t) => {
    const { backend } = await setUp(t)
    await add(backend)
    const { lease } = await claimOne(backend)
    assert.equal(await backend.release(lease), 'held')
    assert.equal(await backend.finish(lease, packPayload(0)), 'lost')
    const again = await claimOne(backend)
    assert.equal(again.job.attempts, 1)
    assert(again.lease.token > lease.token)
  })

  test(`${name}: cancel() ends a waiting job for good`, LIMIT, async (t) => {
    const { backend } = await setUp(t)
    const id = await add(backend)
    const cancelled = await backend.cancel(id)
    assert(cancelled.outcome === 'changed')
    assert.equal(cancelled.job.status, 'FAILURE')
    assert.equal(cancelled.job.failure, 'CANCELLED')
    assert.deepEqual(await backend.claim(request()), [])
    assert.equal((await backend.cancel(id)).outcome, 'changed')
    assert.equal((await backend.redrive(id)).outcome, 'refused')
    assert.equal((await backend.cancel('no-such-job')).outcome, 'missing')
  })

  test(
    `${name}: cancel() takes a running job from its worker, but comes too late for an ended one`,
    LIMIT,
    async (t) => {
      const { backend } = await setUp(t)
      const id = await add(backend)
      const { lease } = await claimOne(backend)
      assert.equal((await backend.cancel(id)).outcome, 'changed')
      assert.equal(await backend.extend(lease), 'lost')
      assert.equal(await backend.finish(lease, packPayload(0)), 'lost')
      assert.equal((await backend.find(id))?.failure, 'CANCELLED')

      const doneId = await add(backend)
      const done = await claimOne(backend)
      await backend.finish(done.lease, packPayload(0))
      const tooLate = await backend.cancel(doneId)
      assert(tooLate.outcome === 'refused')
      assert.equal(tooLate.job.status, 'SUCCESS')
    }
  )

  test(`${name}: one idempotency key stands for one job of one owner`, LIMIT, async (t) => {
    const { backend, peer } = await setUp(t)
    const other = await peer()
    const keyed = { idempotencyKey: 'k', owner: 'key:a' }
    const all = await Promise.all(
      Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? backend : other).enqueue(aJob(keyed)))
    )
    const ids = new Set(all.map((enqueued) => (enqueued.outcome === 'conflict' ? 'conflict' : enqueued.job.id)))
    assert.equal(ids.size, 1)
    assert.equal(all.filter((enqueued) => enqueued.outcome === 'added').length, 1)
    const [id] = ids

    assert.deepEqual(await backend.enqueue(aJob({ ...keyed, input: packPayload({ n: 1 }) })), {
      outcome: 'conflict',
      jobId: id
    })
    assert.equal((await backend.enqueue(aJob({ ...keyed, owner: 'key:b' }))).outcome, 'added')
    const { lease } = await claimOne(backend)
    await backend.finish(lease, packPayload(0))
    assert.equal((await backend.enqueue(aJob(keyed))).outcome, 'existing')
  })

  test(`${name}: a job's own id works like a key`, LIMIT, async (t) => {
    const { backend } = await setUp(t)
    assert.equal(await add(backend, { id: 'task-1' }), 'task-1')
    assert.equal((await backend.enqueue(aJob({ id: 'task-1' }))).outcome, 'existing')
    assert.equal((await backend.enqueue(aJob({ id: 'task-1', type: 'other' }))).outcome, 'conflict')
  })

  test(`${name}: an ended job is gone after its retention, and its key and id are free`, LIMIT, async (t) => {
    const { backend, clock } = await setUp(t)
    const ids: string[] = []
    for (const keyed of [{ idempotencyKey: 'k' }, { id: 'task-1' }]) {
      const id = await add(backend, keyed)
      ids.push(id)
      const { lease } = await claimOne(backend)
      await backend.finish(lease, packPayload(0))
    }
    clock.advance(POLICY.retentionMs - 1)
    await backend.sweep()
    for (const id of ids) assert.equal((await backend.find(id))?.status, 'SUCCESS')
    clock.advance(1)
    for (const id of ids) {
      assert.equal(await backend.find(id), undefined)
      assert.equal(await backend.result(id), undefined)
      assert.equal((await backend.cancel(id)).outcome, 'missing')
    }
    assert.notEqual(await add(backend, { idempotencyKey: 'k' }), ids[0])
    await backend.sweep()
    assert.equal((await backend.enqueue(aJob({ idempotencyKey: 'k' }))).outcome, 'existing')
    assert.equal(await add(backend, { id: 'task-1' }), 'task-1')
  })

  test(`${name}: a job that takes the id of one that is over its time is new in every way`, LIMIT, async (t) => {
    const { backend, clock } = await setUp(t)
    await add(backend, { id: 'task-1', idempotencyKey: 'k' })
    await backend.finish((await claimOne(backend)).lease, packPayload(0))
    clock.advance(POLICY.retentionMs)
    const between = await add(backend)
    clock.advance(1)
    await add(backend, { id: 'task-1' })
    const { jobs } = await backend.list({ limit: 10 })
    assert.deepEqual(
      jobs.map(({ id, status }) => [id, status]),
      [
        ['task-1', 'QUEUED'],
        [between, 'QUEUED']
      ]
    )
    assert.equal(await backend.result('task-1'), undefined)
    const keyed = await backend.enqueue(aJob({ idempotencyKey: 'k' }))
    assert.equal(keyed.outcome, 'added', 'the key went with the job that had it')
  })

  test(`${name}: waitUntilEnded() hears of an end in another process, and of the end of its time`, LIMIT, async (t) => {
    const { backend, peer } = await setUp(t)
    const worker = await peer()
    assert.equal(await backend.waitUntilEnded('no-such-job', 1000), undefined)
    const id = await add(backend)
    assert.equal((await backend.waitUntilEnded(id, 0))?.status, 'QUEUED')
    const waiting = [backend.waitUntilEnded(id, 600_000), backend.waitUntilEnded(id, 600_000)]
    const { lease } = await claimOne(worker)
    await worker.finish(lease, packPayload(0))
    assert.deepEqual(
      (await Promise.all(waiting)).map((job) => job?.status),
      ['SUCCESS', 'SUCCESS']
    )
  })

  test(`${name}: the end of a job with a callback queues a notice, in the same step`, LIMIT, async (t) => {
    const { backend } = await setUp(t)
    const callbackUrl = 'https://example.org/hook'
    const id = await add(backend, { callbackUrl, owner: 'key:a' })
    const { lease } = await claimOne(backend)
    await backend.finish(lease, packPayload(0))
    const notice = await claimOne(backend, { types: [WEBHOOK_JOB_TYPE] })
    assert.equal(notice.job.owner, 'key:a')
    assert.deepEqual(unpackPayload(notice.input), {
      url: callbackUrl,
      id,
      type: 'double',
      status: 'SUCCESS',
      failure: null
    })
    await backend.finish(notice.lease, packPayload(null))
    assert.deepEqual(await backend.claim(request({ types: [WEBHOOK_JOB_TYPE] })), [])

    await add(backend, { callbackUrl })
    const bad = await claimOne(backend)
    await backend.fail(bad.lease, { message: 'bad', isPermanent: true })
    const badNotice = await claimOne(backend, { types: [WEBHOOK_JOB_TYPE] })
    assert.deepEqual(unpackPayload(badNotice.input), {
      url: callbackUrl,
      id: bad.job.id,
      type: 'double',
      status: 'FAILURE',
      failure: 'PERMANENT'
    })
  })

  test(
    `${name}: a newer job of a group cancels the one that waits, and waits for the one at work`,
    LIMIT,
    async (t) => {
      const { backend, peer } = await setUp(t)
      const other = await peer()
      const concurrencyGroup = 'train/clint'
      const running = await add(backend, { concurrencyGroup })
      const claim = await claimOne(other)
      assert.equal(claim.job.id, running)
      const outdated = await add(other, { concurrencyGroup })
      const newest = await add(backend, { concurrencyGroup })
      const { status, failure, lastError } = (await backend.find(outdated)) ?? {}
      assert.deepEqual(
        { status, failure, lastError },
        { status: 'FAILURE', failure: 'CANCELLED', lastError: SUPERSEDED_TEXT }
      )

      assert.deepEqual(await backend.claim(request({ limit: 10 })), [], 'the group is at work')
      const bystander = await add(backend)
      assert.equal((await claimOne(backend)).job.id, bystander, 'a job of no group does not wait for it')
      assert.deepEqual(await other.claim(request({ limit: 10 })), [])

      const claiming = claimOne(backend, { waitMs: 20_000 })
      assert.equal(await other.finish(claim.lease, packPayload('done')), 'held')
      const next = await claiming
      assert.deepEqual([next.job.id, next.job.concurrencyGroup], [newest, concurrencyGroup])
      assert.equal(await backend.finish(next.lease, packPayload('done')), 'held')
    }
  )

  test(`${name}: a job that would go back to the queue ends when a newer one of its group waits`, LIMIT, async (t) => {
    const { backend, clock } = await setUp(t)
    const concurrencyGroup = 'train/clint'
    const outcomes: (string | undefined)[] = []
    const giveUps = [
      (claim: Claim) => backend.release(claim.lease),
      (claim: Claim) => backend.fail(claim.lease, { message: 'broken', isPermanent: false }),
      async () => {
        // The first look measures from, the second takes back.
        await backend.sweep()
        clock.advance(LEASE_MS)
        await backend.sweep()
      }
    ]
    for (const giveUp of giveUps) {
      const id = await add(backend, { concurrencyGroup })
      const claim = await claimOne(backend)
      assert.equal(claim.job.id, id)
      const newer = await add(backend, { concurrencyGroup })
      await giveUp(claim)
      outcomes.push((await backend.find(id))?.lastError)
      const next = await claimOne(backend)
      assert.equal(next.job.id, newer)
      await backend.finish(next.lease, packPayload('done'))
    }
    assert.deepEqual(outcomes, [SUPERSEDED_TEXT, SUPERSEDED_TEXT, SUPERSEDED_TEXT])
  })

  test(`${name}: a job of a group that nothing newer waits for is tried again`, LIMIT, async (t) => {
    const { backend } = await setUp(t)
    const id = await add(backend, { concurrencyGroup: 'g' })
    await backend.release((await claimOne(backend)).lease)
    const claim = await claimOne(backend)
    assert.deepEqual([claim.job.id, claim.job.attempts], [id, 1])
    await backend.cancel(id)
    assert.equal((await backend.find(await add(backend, { concurrencyGroup: 'g' })))?.status, 'QUEUED')
    assert.notEqual((await claimOne(backend)).job.id, id, 'the cancelled one has left the group free')
  })

  test(`${name}: redrive() is refused while another job of the group waits`, LIMIT, async (t) => {
    const { backend } = await setUp(t)
    const failed = await add(backend, { concurrencyGroup: 'g' })
    await backend.fail((await claimOne(backend)).lease, { message: 'bad', isPermanent: true })
    const waiting = await add(backend, { concurrencyGroup: 'g' })
    assert.equal((await backend.redrive(failed)).outcome, 'refused')
    await backend.cancel(waiting)
    assert.equal((await backend.redrive(failed)).outcome, 'changed')
    assert.equal((await claimOne(backend)).job.id, failed)
  })

  test(`${name}: when jobs of a group are enqueued at once, all but one are cancelled`, LIMIT, async (t) => {
    const { backend, peer } = await setUp(t)
    const backends = [backend, await peer()]
    const ids = await Promise.all(
      Array.from({ length: 6 }, (_, n) => add(backends[n % 2] ?? backend, { concurrencyGroup: 'g' }))
    )
    const statuses = await Promise.all(ids.map(async (id) => (await backend.find(id))?.status))
    assert.deepEqual(
      statuses.map(String).toSorted((a, b) => a.localeCompare(b)),
      [...Array.from({ length: 5 }, () => 'FAILURE'), 'QUEUED']
    )
    assert.equal((await claimOne(backend)).job.id, ids[statuses.indexOf('QUEUED')])
    for (const each of backends) assert.deepEqual(await each.claim(request({ limit: 10 })), [])
  })

  test(`${name}: deadLetters() come in pages, newest first, of one owner or all`, LIMIT, async (t) => {
    const { backend, clock } = await setUp(t, { ...POLICY, maxReceives: 1 })
    const ids: string[] = []
    for (const owner of ['key:a', 'key:b', 'key:a', 'key:a']) {
      clock.advance(1000)
      ids.push(await add(backend, { owner }))
      const { lease } = await claimOne(backend)
      await backend.fail(lease, { message: 'no', isPermanent: false })
    }
    const first = await backend.deadLetters({ limit: 3 })
    assert.deepEqual(
      first.jobs.map((job) => job.id),
      [ids[3], ids[2], ids[1]]
    )
    assert(first.next !== undefined)
    const second = await backend.deadLetters({ limit: 3, after: first.next })
    assert.deepEqual(
      second.jobs.map((job) => job.id),
      [ids[0]]
    )
    assert.equal(second.next, undefined)
    const own = await backend.deadLetters({ limit: 10, owner: 'key:b' })
    assert.deepEqual(
      own.jobs.map((job) => job.id),
      [ids[1]]
    )
  })

  test(`${name}: list() gives jobs newest first, by status, type and owner, in pages`, LIMIT, async (t) => {
    const { backend, clock, peer } = await setUp(t, { ...POLICY, maxReceives: 1 })
    const other = await peer()
    const ids: string[] = []
    const kinds = [
      { owner: 'key:a' },
      { owner: 'key:b' },
      { owner: 'key:a', type: 'halve' },
      { owner: 'key:a' },
      { owner: 'key:b', type: 'halve' }
    ]
    for (const kind of kinds) {
      clock.advance(1000)
      ids.push(await add(backend, kind))
    }
    const listed = async (query: Partial<JobQuery>): Promise<number[]> => {
      const { jobs, next } = await other.list({ limit: 10, ...query })
      assert.equal(next, undefined)
      return jobs.map((job) => ids.indexOf(job.id))
    }
    assert.deepEqual(await listed({}), [4, 3, 2, 1, 0])
    assert.deepEqual(await listed({ owner: 'key:a' }), [3, 2, 0])
    assert.deepEqual(await listed({ type: 'halve' }), [4, 2])
    assert.deepEqual(await listed({ type: 'halve', owner: 'key:b' }), [4])
    assert.deepEqual(await listed({ owner: 'key:none' }), [])

    const claims = [await claimOne(backend), await claimOne(backend), await claimOne(backend)]
    const [done, failed, running] = claims.map(({ job }) => ids.indexOf(job.id))
    await backend.finish(claims[0]!.lease, packPayload(42))
    await backend.fail(claims[1]!.lease, { message: 'no', isPermanent: false })
    await backend.cancel(ids[4]!)
    assert.deepEqual(await listed({ status: 'SUCCESS' }), [done])
    assert.deepEqual(await listed({ status: 'IN_PROGRESS' }), [running])
    assert.deepEqual(await listed({ status: 'QUEUED' }), [2])
    assert.deepEqual(await listed({ status: 'FAILURE' }), [4, failed])
    assert.deepEqual(await listed({ status: 'DEAD' }), [failed])
    assert.deepEqual(await listed({ status: 'DEAD', type: 'halve' }), [])
    assert.deepEqual(await listed({ status: 'CANCELLED' }), [4])
    assert.deepEqual(await listed({ status: 'SUCCESS', type: 'halve' }), [])
    const first = await other.list({ limit: 10 })
    assert.deepEqual(first.jobs[0], await backend.find(ids[4]!))

    const paged: number[] = []
    let after: string | undefined
    let pageCount = 0
    do {
      const page = await other.list({ limit: 2, ...(after !== undefined && { after }) })
      paged.push(...page.jobs.map((job) => ids.indexOf(job.id)))
      // A job that comes in meanwhile is on no page that follows.
      if (pageCount === 0) await add(backend)
      after = page.next
      pageCount += 1
    } while (after !== undefined)
    assert.deepEqual(paged, [4, 3, 2, 1, 0])
    assert.ok(pageCount <= 4)
    for (const status of [undefined, 'DEAD'] as const) {
      const wrong = other.list({ limit: 2, after: 'no-such-cursor', ...(status !== undefined && { status }) })
      await assert.rejects(wrong, { code: 'INVALID_REQUEST' })
    }
    clock.advance(POLICY.retentionMs)
    assert.equal((await other.list({ limit: 10, status: 'SUCCESS' })).jobs.length, 0, 'over its time')
  })

  test(`${name}: backlog() and checkIn() count jobs and workers`, LIMIT, async (t) => {
    const { backend, clock, peer } = await setUp(t, { ...POLICY, maxReceives: 1 })
    const other = await peer()
    for (let count = 0; count < 4; count += 1) await add(backend)
    await claimOne(backend)
    const { lease } = await claimOne(backend)
    await backend.fail(lease, { message: 'no', isPermanent: false })
    // A queue of AWS counts approximately: what has just been taken out may still be in.
    await t.waitFor(async () =>
      assert.deepEqual(await other.backlog(), { queuedCount: 2, inProgressCount: 1, deadCount: 1 })
    )
    assert.equal(await backend.checkIn('a', 60_000), 1)
    assert.equal(await other.checkIn('b', 60_000), 2)
    clock.advance(59_999)
    assert.equal(await backend.checkIn('a', 60_000), 2)
    clock.advance(1)
    assert.equal(await backend.checkIn('a', 60_000), 1)
  })
}

/** The promises of a JobBackend that several machines share, whose clocks disagree. */
export function sharedJobBackendContract(name: string, openStore: OpenStore): void {
  const setUp = setUpOn(openStore)

  for (const skewMs of [3_600_000, -3_600_000]) {
    test(
      `${name}: a worker whose clock is ${skewMs / 60_000} minutes off robs nobody and loses nothing`,
      LIMIT,
      async (t) => {
        const { backend, clock, peer } = await setUp(t)
        const skewed = new TestClock(skewMs)
        const other = await peer(skewed)
        const id = await add(backend)
        const { lease } = await claimOne(backend)
        for (let beat = 0; beat < 3; beat += 1) {
          assert.equal((await other.sweep()).expiredLeaseCount, 0)
          assert.deepEqual(await other.claim(request()), [])
          clock.advance(LEASE_MS / 2)
          skewed.advance(LEASE_MS / 2)
          assert.equal(await backend.extend(lease), 'held')
        }
        await other.sweep()
        skewed.advance(LEASE_MS)
        assert.equal((await other.sweep()).expiredLeaseCount, 1)
        // The wait before the next try is counted by the clock of the worker that took the job back.
        const successor = await claimOne(other)
        assert.equal(successor.job.id, id)
        assert.equal(await backend.finish(lease, packPayload('late')), 'lost')
        assert.equal(await other.finish(successor.lease, packPayload('in time')), 'held')
      }
    )
  }
}
