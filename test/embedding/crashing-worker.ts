/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// An encoder worker that keeps the protocol of the real one, and fails as it is told by the first token id of a batch.

import { parentPort, workerData } from 'node:worker_threads'
import { BatchSlot } from '../../src/embedding/batch-slot.ts'
import type { EncoderWorkerData, WorkerReply, WorkerRequest } from '../../src/embedding/encoder-worker-protocol.ts'
import type { TokenBatch } from '../../src/embedding/token-batch.ts'

export const CRASH = 666
export const FAIL = 667
/** Dies when it has taken the next batch, before it can tell. */
export const TAKE_AND_CRASH = 668

if (parentPort !== null) {
  const port = parentPort
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the pool, its only maker, gives it
  const { workerIndex, slot: options } = workerData as EncoderWorkerData
  const slot = new BatchSlot(options.maxSentences, options.maxTokens, options.buffer)
  const reply = (message: WorkerReply): void => port.postMessage(message)
  const compute = (batch: TokenBatch): void => {
    if (batch.ids[0] === CRASH) throw new Error('crashed as told')
    if (batch.ids[0] === FAIL) return reply({ type: 'failure', message: 'failed as told' })
    const next = slot.take(workerIndex)
    if (batch.ids[0] === TAKE_AND_CRASH) throw new Error('crashed as told')
    // Its embedding of a row of ids is their first and their count.
    const values = Float32Array.from(rowsOf(batch))
    reply({ type: 'embeddings', values, inferenceMs: 1, hasNext: next !== undefined })
    if (next !== undefined) compute(next)
    return undefined
  }
  port.on('message', (request: WorkerRequest) => {
    if (request.type === 'close') port.close()
    else compute(request)
  })
  reply({ type: 'ready' })
}

function rowsOf({ ids, lengths }: TokenBatch): number[] {
  let start = 0
  return lengths.flatMap((length) => [ids[(start += length) - length] ?? 0, length])
}
