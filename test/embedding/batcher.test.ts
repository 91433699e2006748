/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Admission } from '../../src/embedding/admission.ts'
import { Batcher, type BatcherObserver, type SentenceRequest } from '../../src/embedding/batcher.ts'
import type { BatchResult } from '../../src/embedding/encoder-worker-pool.ts'
import type { TokenBatch } from '../../src/embedding/token-batch.ts'

/** One worker whose batches end when the test says so. Its embedding of a row is its first id. */
class HeldWorker {
  readonly batches: TokenBatch[] = []
  idleCount = 1
  liveCount = 1
  runningSentenceCount = 0
  onDone: () => void = () => undefined
  offered: TokenBatch | undefined
  #running: PromiseWithResolvers<BatchResult> | undefined
  #offer: PromiseWithResolvers<BatchResult> | undefined

  get hasOffer(): boolean {
    return this.#offer !== undefined
  }

  async offer(batch: TokenBatch): Promise<BatchResult> {
    assert.ok(!this.hasOffer, 'there is an offer already')
    this.offered = batch
    this.#offer = Promise.withResolvers<BatchResult>()
    return this.#offer.promise
  }

  withdraw(): boolean {
    const isThere = this.offered !== undefined
    this.offered = undefined
    return isThere
  }

  offerAgain(batch: TokenBatch): void {
    assert.ok(this.hasOffer && this.offered === undefined, 'nothing was withdrawn')
    if (batch.lengths.length > 0) {
      this.offered = batch
      return
    }
    this.#offer?.resolve({ values: new Float32Array(), startMs: 0, inferenceMs: 0 })
    this.#offer = undefined
  }

  runInstead(batch: TokenBatch): void {
    const offer = this.#offer
    this.#offer = undefined
    offer?.resolve(this.run(batch))
  }

  async run(batch: TokenBatch): Promise<BatchResult> {
    this.#start(batch)
    this.#running = Promise.withResolvers<BatchResult>()
    return this.#running.promise
  }

  async finish(error?: Error): Promise<void> {
    const { ids, lengths } = this.batches.at(-1) ?? assert.fail('no batch runs')
    this.idleCount += 1
    this.runningSentenceCount -= lengths.length
    let start = 0
    const values = Float32Array.from(lengths, (length) => ids[(start += length) - length] ?? 0)
    if (error === undefined) this.#running?.resolve({ values, startMs: 0, inferenceMs: 7 })
    else {
      this.#running?.reject(error)
      await nextTurn()
    }
    if (error === undefined && this.offered !== undefined) this.#takeOffer(this.offered)
    this.onDone()
    await nextTurn()
    await nextTurn()
  }

  #takeOffer(batch: TokenBatch): void {
    this.#start(batch)
    this.#running = this.#offer
    this.offered = undefined
    this.#offer = undefined
  }

  #start(batch: TokenBatch): void {
    this.idleCount -= 1
    this.runningSentenceCount += batch.lengths.length
    this.batches.push(batch)
  }
}

function setUp({ maxPendingTokens = 1000, maxPendingRows = 1000, batchesPerShare = 1 } = {}) {
  const worker = new HeldWorker()
  const events: string[] = []
  const observer: BatcherObserver = {
    batch: (rowCount, tokenCount) => events.push(`batch ${rowCount} of ${tokenCount}`),
    sentenceQueued: () => undefined,
    coalesced: () => events.push('coalesced'),
    abandoned: () => events.push('abandoned'),
    refused: () => events.push('refused')
  }
  const admission = new Admission({ maxPendingTokens, maxCallerShare: 1 })
  const bulk = new Admission({ maxPendingTokens, maxCallerShare: 1 })
  const lanes = { interactive: admission, bulk }
  const rowAdmission = new Admission({ maxPendingTokens: maxPendingRows, maxCallerShare: 1 })
  const batcher = new Batcher({
    pool: worker,
    admission: lanes,
    rowAdmission: { interactive: rowAdmission, bulk: rowAdmission },
    dimensions: 1,
    maxBatchSentences: 4,
    maxBatchTokens: 100,
    batchesPerShare,
    observer
  })
  worker.onDone = () => batcher.pump()
  return { worker, batcher, events, admission, rowAdmission }
}

function request(first: number, tokenCount: number, coalesceKey?: string): SentenceRequest {
  const ids = new Int32Array(tokenCount)
  ids[0] = first
  return { ids, coalesceKey }
}

test('encode() gives each sentence its own row, over several batches', async () => {
  const { worker, batcher, events } = setUp()
  const encoding = batcher.encode(
    [1, 2, 3, 4, 5].map((first) => request(first, first + 1)),
    {}
  )
  await nextTurn()
  await worker.finish()
  await worker.finish()
  assert.deepEqual((await encoding).values, Float32Array.of(1, 2, 3, 4, 5))
  assert.deepEqual(events, ['batch 4 of 14', 'batch 1 of 6'])
})

test('while people ask, one of several workers is kept free of bulk work', async (t) => {
  const { worker, batcher } = setUp()
  worker.idleCount = 2
  worker.liveCount = 2
  let nowMs = 5000
  t.mock.method(performance, 'now', () => nowMs)
  const asked = batcher.encode([request(1, 1)], {})
  await nextTurn()
  await worker.finish()
  await asked
  const bulk = batcher.encode(
    [2, 3].map((first) => request(first, 90)),
    { lane: 'bulk' }
  )
  await nextTurn()
  assert.deepEqual([worker.batches.length, worker.idleCount], [2, 1], 'the second bulk batch waits')
  const next = batcher.encode([request(4, 1)], {})
  await nextTurn()
  assert.deepEqual([worker.batches.length, worker.idleCount], [3, 0], 'who asks does not')
  await worker.finish()
  await next
  nowMs += 1000
  batcher.pump()
  assert.deepEqual([worker.batches.length, worker.idleCount], [4, 0], 'nobody has asked for a second')
  void bulk.catch(() => undefined)
})

test('while one worker computes bulk work, nobody who asks waits for more of it', async () => {
  const { worker, batcher } = setUp()
  worker.idleCount = 2
  worker.liveCount = 2
  const bulk = batcher.encode(
    [90, 91].map((first) => request(first, 90)),
    { lane: 'bulk' }
  )
  const asked = batcher.encode([request(1, 1)], {})
  await nextTurn()
  await worker.finish()
  await asked
  for (const first of [2, 3, 4, 5, 6, 7]) {
    const next = batcher.encode([request(first, 1)], {})
    await nextTurn()
    assert.equal(worker.batches.at(-1)?.ids[0], first)
    await worker.finish()
    await next
  }
  void bulk.catch(() => undefined)
})

test('a worker that has become free gets what waits before the replies of its last batch are made', async () => {
  const { worker, batcher } = setUp()
  const first = batcher.encode([request(1, 1)], {})
  await nextTurn()
  const waiting = batcher.encode([request(2, 1)], {})
  const startedBatches = first.then(() => worker.batches.length)
  await worker.finish()
  assert.equal(await startedBatches, 2)
  await worker.finish()
  assert.deepEqual((await waiting).values, Float32Array.of(2))
})

test('a batch of fewer sentences than would fit is as long as they are', async () => {
  const { worker, batcher } = setUp()
  const encoding = batcher.encode([request(7, 3), request(8, 2)], {})
  await nextTurn()
  assert.deepEqual(worker.batches, [{ ids: Int32Array.of(7, 0, 0, 8, 0), lengths: [3, 2] }])
  await worker.finish()
  assert.deepEqual((await encoding).values, Float32Array.of(7, 8))
})

test('free workers share what waits instead of one taking all', async () => {
  const { worker, batcher } = setUp()
  worker.idleCount = 2
  worker.liveCount = 2
  const encoding = batcher.encode(
    [1, 2, 3, 4].map((first) => request(first, 1)),
    {}
  )
  await nextTurn()
  assert.deepEqual(
    worker.batches.map(({ ids }) => [...ids]),
    [
      [1, 2],
      [3, 4]
    ]
  )
  void encoding
})

test('a free worker leaves another one, that computes, its share of what waits', async () => {
  const { worker, batcher } = setUp()
  worker.liveCount = 2
  worker.runningSentenceCount = 2
  const calls = [1, 2, 3, 4].map(async (first) => batcher.encode([request(first, 1)], {}))
  await nextTurn()
  assert.deepEqual([worker.batches[0]?.lengths.length, worker.offered?.lengths.length], [3, 1])
  worker.runningSentenceCount = 3 // The other one has ended.
  await worker.finish()
  await worker.finish()
  await Promise.all(calls)
})

test('a share of the work is cut into as many batches as was said', async () => {
  const { worker, batcher } = setUp({ batchesPerShare: 2 })
  worker.liveCount = 2
  worker.runningSentenceCount = 3
  const calls = [1, 2, 3, 4, 5].map(async (first) => batcher.encode([request(first, 1)], {}))
  await nextTurn()
  assert.deepEqual([worker.batches[0]?.lengths.length, worker.offered?.lengths.length], [2, 2])
  for (let batch = 0; batch < 3; batch++) await worker.finish()
  await Promise.all(calls)
})

test('while no worker is free, the next batch is laid out, and grows until it is taken', async () => {
  const { worker, batcher, events } = setUp()
  const calls = [batcher.encode([request(1, 3)], {})]
  await nextTurn()
  for (const first of [2, 3, 4, 5, 6]) {
    calls.push(batcher.encode([request(first, 1)], {}))
    await nextTurn()
    const count = Math.min(first - 1, 4)
    assert.deepEqual(worker.offered, {
      ids: Int32Array.from({ length: count }, (_, index) => index + 2),
      lengths: Array.from({ length: count }, () => 1)
    })
  }
  for (let batch = 0; batch < 3; batch++) await worker.finish()
  assert.deepEqual(
    (await Promise.all(calls)).map(({ values }) => values[0]),
    [1, 2, 3, 4, 5, 6]
  )
  assert.deepEqual(events, ['batch 1 of 3', 'batch 4 of 4', 'batch 1 of 1'])
})

test('what is laid out for those who ask does not grow by bulk work, however often it grows', async () => {
  const { worker, batcher } = setUp()
  const calls = [batcher.encode([request(1, 3)], {}), batcher.encode([request(50, 1)], { lane: 'bulk' })]
  const ask = async (first: number) => {
    calls.push(batcher.encode([request(first, 1)], {}))
    await nextTurn()
  }
  for (const first of [2, 3, 4]) await ask(first)
  await worker.finish()
  for (const first of [5, 6]) await ask(first)
  assert.deepEqual([...(worker.offered?.ids ?? [])], [5, 6])
  for (let batch = 0; batch < 3; batch++) await worker.finish()
  assert.deepEqual(
    (await Promise.all(calls)).map(({ values }) => values[0]),
    [1, 50, 2, 3, 4, 5, 6]
  )
})

test('what is laid out grows by no more tokens than a batch may have', async () => {
  const { worker, batcher } = setUp()
  const calls = [1, 2].map(async (first) => batcher.encode([request(first, 60)], {}))
  await nextTurn()
  calls.push(batcher.encode([request(3, 41)], {}))
  await nextTurn()
  calls.push(batcher.encode([request(4, 40)], {}))
  await nextTurn()
  for (let batch = 0; batch < 4; batch++) await worker.finish()
  await Promise.all(calls)
  for (const { ids } of worker.batches) assert.ok(ids.length <= 100, `${ids.length} tokens`)
})

test('what was laid out as a worker became free goes to that worker', async () => {
  const { worker, batcher } = setUp()
  const calls = [batcher.encode([request(1, 1)], {})]
  await nextTurn()
  calls.push(batcher.encode([request(2, 1)], {}))
  await nextTurn()
  const laidOut = worker.offered
  worker.offered = undefined // The worker is done before it could see it.
  const finishing = worker.finish()
  worker.offered = laidOut
  await finishing
  batcher.pump()
  assert.deepEqual([worker.batches.length, worker.hasOffer], [2, false])
  await worker.finish()
  await Promise.all(calls)
})

test('bulk work alone is not laid out: who asks meanwhile comes first', async () => {
  const { worker, batcher } = setUp()
  const bulk = batcher.encode([request(1, 90), request(2, 90)], { lane: 'bulk' })
  await nextTurn()
  assert.equal(worker.hasOffer, false)
  const asked = batcher.encode([request(3, 1)], {})
  await nextTurn()
  await worker.finish()
  assert.deepEqual(worker.batches.at(-1)?.lengths, [1])
  await worker.finish()
  await worker.finish()
  await Promise.all([bulk, asked])
})

test('a caller that leaves takes along what is laid out', async () => {
  const { worker, batcher, events, admission } = setUp()
  const busy = batcher.encode([request(1, 4)], {})
  await nextTurn()
  const leaving = new AbortController()
  const abandoned = batcher.encode([request(2, 5)], { signal: leaving.signal })
  const staying = batcher.encode([request(3, 6)], {})
  await nextTurn()
  assert.deepEqual(worker.offered?.lengths, [5, 6])
  leaving.abort(new Error('left'))
  await assert.rejects(abandoned, /left/)
  assert.deepEqual([worker.offered?.lengths, admission.pendingTokens], [[6], 10])
  await worker.finish()
  await worker.finish()
  assert.deepEqual((await staying).values, Float32Array.of(3))
  await busy
  assert.deepEqual(events, ['abandoned', 'batch 1 of 4', 'batch 1 of 6'])
})

test('nothing is left of a batch that was laid out for one who left', async () => {
  const { worker, batcher, admission } = setUp()
  const busy = batcher.encode([request(1, 4)], {})
  await nextTurn()
  const leaving = new AbortController()
  const abandoned = batcher.encode([request(2, 5)], { signal: leaving.signal })
  await nextTurn()
  leaving.abort(new Error('left'))
  await assert.rejects(abandoned, /left/)
  assert.deepEqual([worker.hasOffer, admission.pendingTokens], [false, 4])
  await worker.finish()
  await busy
  await batcher.whenIdle()
  assert.equal(worker.batches.length, 1)
})

test('encode() of no sentences gives no rows and asks no worker', async () => {
  const { worker, batcher } = setUp()
  assert.deepEqual((await batcher.encode([], {})).values, new Float32Array())
  assert.equal(worker.batches.length, 0)
})

test('calls that come while the worker is busy share its next batch', async () => {
  const { worker, batcher, events } = setUp()
  const calls = [batcher.encode([request(1, 4)], {})]
  await nextTurn()
  calls.push(batcher.encode([request(2, 4)], {}), batcher.encode([request(3, 4)], { callerKey: 'other' }))
  await worker.finish()
  await worker.finish()
  assert.deepEqual(
    (await Promise.all(calls)).map(({ values }) => values[0]),
    [1, 2, 3]
  )
  assert.deepEqual(events, ['batch 1 of 4', 'batch 2 of 8'])
})

test('equal sentences in flight are encoded once, also within a call, and count once', async () => {
  const { worker, batcher, events, admission } = setUp({ maxPendingTokens: 8 })
  const first = batcher.encode([request(1, 4, 'same'), request(1, 4, 'same')], {})
  const second = batcher.encode([request(1, 4, 'same')], { callerKey: 'other' })
  assert.equal(admission.pendingTokens, 4)
  await nextTurn()
  await worker.finish()
  assert.deepEqual((await first).values, Float32Array.of(1, 1))
  assert.deepEqual((await second).values, Float32Array.of(1))
  assert.deepEqual(events, ['coalesced', 'coalesced', 'batch 1 of 4'])
  assert.equal(admission.pendingTokens, 0)
})

test('calls of shared sentences are bounded too: each has room for its embeddings', async () => {
  const { worker, batcher, events, rowAdmission } = setUp({ maxPendingRows: 5 })
  const call = async (): Promise<unknown> => batcher.encode([request(1, 4, 'same'), request(2, 4, 'too')], {})
  const taken = [call(), call()]
  await assert.rejects(call(), { code: 'TOO_MANY_REQUESTS' })
  await assert.rejects(batcher.encode([request(3, 9999)], {}), { code: 'TOO_MANY_REQUESTS' })
  assert.equal(rowAdmission.pendingTokens, 4)
  await nextTurn()
  await worker.finish()
  await Promise.all(taken)
  assert.equal(rowAdmission.pendingTokens, 0)
  assert.equal(events.filter((event) => event === 'refused').length, 2)
  const again = call()
  await nextTurn()
  await worker.finish()
  await again
})

test('a sentence is encoded again once its batch is done', async () => {
  const { worker, batcher, events } = setUp()
  for (let time = 0; time < 2; time++) {
    const call = batcher.encode([request(1, 4, 'same')], {})
    await nextTurn()
    await worker.finish()
    await call
  }
  assert.deepEqual(events, ['batch 1 of 4', 'batch 1 of 4'])
})

test('a caller that leaves takes along what has not begun', async () => {
  const { worker, batcher, events, admission } = setUp()
  const busy = batcher.encode([request(1, 4)], {})
  await nextTurn()
  const leaving = new AbortController()
  const abandoned = batcher.encode([request(2, 5), request(3, 6)], { signal: leaving.signal })
  leaving.abort(new Error('left'))
  await assert.rejects(abandoned, /left/)
  assert.deepEqual([batcher.backlog.sentenceCount, admission.pendingTokens], [0, 4])
  await worker.finish()
  await busy
  assert.deepEqual(events, ['abandoned', 'abandoned', 'batch 1 of 4'])
})

test('a caller that leaves does not take along what another waits for', async () => {
  const { worker, batcher } = setUp()
  const busy = batcher.encode([request(1, 4)], {})
  await nextTurn()
  const leaving = new AbortController()
  const abandoned = batcher.encode([request(2, 5, 'shared')], { signal: leaving.signal })
  const staying = batcher.encode([request(2, 5, 'shared')], {})
  leaving.abort()
  await assert.rejects(abandoned, { name: 'AbortError' })
  await worker.finish()
  await worker.finish()
  assert.deepEqual((await staying).values, Float32Array.of(2))
  await busy
})

test('a caller that leaves while its batch runs is told at once, and the batch ends in peace', async () => {
  const { worker, batcher, admission } = setUp()
  const leaving = new AbortController()
  const abandoned = batcher.encode([request(1, 4)], { signal: leaving.signal })
  await nextTurn()
  leaving.abort()
  await assert.rejects(abandoned, { name: 'AbortError' })
  assert.equal(admission.pendingTokens, 4)
  await worker.finish()
  assert.equal(admission.pendingTokens, 0)
})

test('a bulk sentence that someone interactive waits for changes lanes', async () => {
  const { worker, batcher } = setUp()
  const busy = batcher.encode([request(1, 4)], {})
  await nextTurn()
  const bulk = batcher.encode([request(2, 5), request(3, 6, 'shared')], { lane: 'bulk' })
  const hurried = batcher.encode([request(3, 6, 'shared')], {})
  await worker.finish()
  await worker.finish()
  assert.deepEqual((await hurried).values, Float32Array.of(3))
  await worker.finish()
  assert.deepEqual((await bulk).values, Float32Array.of(2, 3))
  await busy
})

for (const first of ['bulk', 'interactive'] as const) {
  test(`a call of both lanes can leave after its sentence changed lanes, the ${first} one first`, async () => {
    const { worker, batcher, events, admission } = setUp()
    const busy = batcher.encode([request(1, 4)], {})
    await nextTurn()
    const leaving = { bulk: new AbortController(), interactive: new AbortController() }
    const bulk = batcher.encode([request(3, 6, 'shared')], { lane: 'bulk', signal: leaving.bulk.signal })
    const hurried = batcher.encode([request(3, 6, 'shared')], { signal: leaving.interactive.signal })
    leaving[first].abort()
    for (const controller of Object.values(leaving)) controller.abort()
    await assert.rejects(bulk, { name: 'AbortError' })
    await assert.rejects(hurried, { name: 'AbortError' })
    assert.deepEqual([batcher.backlog.sentenceCount, admission.pendingTokens], [0, 4])
    await worker.finish()
    await busy
    assert.deepEqual(events, ['coalesced', 'abandoned', 'batch 1 of 4'])
  })
}

test('a refused call leaves nothing behind', async () => {
  const { worker, batcher, events, admission } = setUp({ maxPendingTokens: 10 })
  const taken = batcher.encode([request(1, 6)], {})
  const refused = batcher.encode([request(2, 2), request(3, 3)], { callerKey: 'other' })
  await assert.rejects(refused, { code: 'OVERLOADED' })
  assert.deepEqual([events, batcher.backlog.sentenceCount, admission.pendingTokens], [['refused'], 1, 6])
  await nextTurn()
  await worker.finish()
  assert.deepEqual((await taken).values, Float32Array.of(1))
})

test('bulk work that waits does not keep an interactive call out', async () => {
  const { worker, batcher } = setUp({ maxPendingTokens: 10 })
  const bulk = batcher.encode([request(1, 9)], { lane: 'bulk' })
  const now = batcher.encode([request(2, 9)], {})
  await assert.rejects(batcher.encode([request(3, 9)], { lane: 'bulk', callerKey: 'other' }), { code: 'OVERLOADED' })
  await nextTurn()
  await worker.finish()
  await worker.finish()
  assert.deepEqual([(await now).values, (await bulk).values], [Float32Array.of(2), Float32Array.of(1)])
})

test('a batch that fails fails its calls, drops the rest of them, and spares what comes after', async () => {
  const { worker, batcher, admission } = setUp()
  const five = [1, 2, 3, 4, 5].map((first) => request(first, 4))
  const failing = assert.rejects(batcher.encode(five, {}), /worker died/)
  const other = assert.rejects(batcher.encode([request(6, 6)], { callerKey: 'late' }), /worker died/)
  await nextTurn()
  const shared = worker.batches[0]?.lengths
  await worker.finish(new Error('worker died'))
  await failing
  assert.deepEqual(shared, [4, 6, 4, 4])
  await other
  assert.deepEqual([batcher.backlog.sentenceCount, admission.pendingTokens], [0, 0])

  const next = batcher.encode([request(7, 3)], {})
  await nextTurn()
  await worker.finish()
  assert.deepEqual((await next).values, Float32Array.of(7))
})

test('whenIdle() waits for what waits and what runs', async () => {
  const { worker, batcher } = setUp()
  await batcher.whenIdle()
  const call = batcher.encode(
    [1, 2, 3, 4, 5].map((first) => request(first, 4)),
    {}
  )
  const order: string[] = []
  const idle = batcher.whenIdle().then(() => order.push('idle'))
  await nextTurn()
  await worker.finish()
  assert.deepEqual(order, [])
  await worker.finish()
  await idle
  await call
})
