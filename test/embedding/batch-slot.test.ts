/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { BatchSlot } from '../../src/embedding/batch-slot.ts'
import type { SlotTakerData } from './slot-taker.ts'

const BATCH = { ids: Int32Array.of(5, 6, 7), lengths: [2, 1] }

test('one worker takes what was put, and the slot is free when that is known', () => {
  const slot = new BatchSlot(2, 4)
  const elsewhere = new BatchSlot(2, 4, slot.buffer)
  assert.equal(elsewhere.take(1), undefined, 'nothing is there')
  slot.put(BATCH)
  assert.deepEqual(elsewhere.take(1), BATCH)
  assert.equal(elsewhere.take(0), undefined, 'it is taken')
  assert.deepEqual([slot.isTakenBy(0), slot.isTakenBy(1), slot.withdraw()], [false, true, false])
  slot.clear()
  slot.put({ ids: Int32Array.of(8), lengths: [1] })
  assert.deepEqual(elsewhere.take(0), { ids: Int32Array.of(8), lengths: [1] })
})

test('what was withdrawn cannot be taken', () => {
  const slot = new BatchSlot(2, 4)
  slot.put(BATCH)
  assert.equal(slot.withdraw(), true)
  assert.deepEqual([slot.take(0), slot.withdraw()], [undefined, false])
})

test('a batch that does not fit is refused, and leaves the slot empty', () => {
  const slot = new BatchSlot(2, 4)
  assert.throws(() => slot.put({ ids: new Int32Array(5), lengths: [5] }), /1 sentences, 5 tokens: no room/)
  assert.throws(() => slot.put({ ids: new Int32Array(3), lengths: [1, 1, 1] }), RangeError)
  assert.equal(slot.take(0), undefined)
})

test('between threads, each batch is either taken, whole and once, or withdrawn', async (t) => {
  const batchCount = 20_000
  const slot = new BatchSlot(2, 8)
  const log = new Int32Array(new SharedArrayBuffer(4 * (batchCount + 1)))
  const workerData: SlotTakerData = { buffer: slot.buffer, log: log.buffer }
  const worker = new Worker(new URL('slot-taker.ts', import.meta.url), { workerData })
  t.after(async () => worker.terminate())
  while (Atomics.load(log, 0) === 0) await nextTurn()
  let withdrawnCount = 0
  for (let id = 1; id <= batchCount; id++) {
    const length = 1 + (id % 8)
    slot.put({ ids: new Int32Array(length).fill(id), lengths: [length] })
    for (let spin = 0; spin < (id * 7919) % 300; spin++) Atomics.load(log, 0)
    if (slot.withdraw()) {
      withdrawnCount += 1
      assert.equal(log[id], 0)
    } else {
      assert.equal(slot.isTakenBy(0), true)
      while (Atomics.load(log, id) === 0); // It has read the batch.
      slot.clear()
      assert.equal(log[id], length)
    }
  }
  assert.ok(withdrawnCount > 0 && withdrawnCount < batchCount, `${withdrawnCount} of ${batchCount} were withdrawn`)
})
