/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// A thread that takes whatever it finds in a slot, and notes for each batch how many tokens it had.

import { workerData } from 'node:worker_threads'
import { BatchSlot } from '../../src/embedding/batch-slot.ts'

/** All ids of a batch are its number, from 1 on, which is where its count goes in the log. */
export interface SlotTakerData {
  readonly buffer: SharedArrayBuffer
  readonly log: SharedArrayBuffer
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the test gives it
const { buffer, log: logBuffer } = workerData as SlotTakerData
const slot = new BatchSlot(2, 8, buffer)
const log = new Int32Array(logBuffer)

Atomics.store(log, 0, 1) // It has begun. It is ended from outside.
for (;;) {
  const batch = slot.take(0)
  const id = batch?.ids[0]
  if (batch === undefined || id === undefined) continue
  Atomics.store(log, id, batch.ids.every((found) => found === id) ? batch.ids.length : -1)
}
