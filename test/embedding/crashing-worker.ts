/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// An encoder worker that keeps the protocol of the real one, and fails as it is told by the first token id of a batch.

import { parentPort } from 'node:worker_threads'
import type { WorkerReply, WorkerRequest } from '../../src/embedding/encoder-worker-pool.ts'

export const CRASH = 666
export const FAIL = 667

if (parentPort !== null) {
  const port = parentPort
  const reply = (message: WorkerReply): void => port.postMessage(message)
  port.on('message', (request: WorkerRequest) => {
    if (request.type === 'close') port.close()
    else if (request.ids[0] === CRASH) throw new Error('crashed as told')
    else if (request.ids[0] === FAIL) reply({ type: 'failure', message: 'failed as told' })
    // Its embedding of a row of ids is their first and their count.
    else reply({ type: 'embeddings', values: Float32Array.from(rowsOf(request)), inferenceMs: 1 })
  })
  reply({ type: 'ready' })
}

function rowsOf({ ids, rowCount, rowTokens }: Extract<WorkerRequest, { type: 'batch' }>): number[] {
  return Array.from({ length: rowCount }, (_, row) => [ids[row * rowTokens] ?? 0, rowTokens]).flat()
}
