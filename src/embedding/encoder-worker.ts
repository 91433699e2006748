/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The worker thread that computes. A batch blocks its thread: on the main thread it would hold up every reply.

import os from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import type { EncoderWorkerData, WorkerReply, WorkerRequest } from './encoder-worker-protocol.ts'
import type { TokenBatch } from './token-batch.ts'
import { BatchSlot } from './batch-slot.ts'
import { openEncoderSession } from './encoder-session.ts'

/**
 * Added to the thread's niceness, so that the main thread answers requests and health checks while batches are
 * computed.
 */
const THREAD_NICENESS = 5

if (parentPort === null) throw new Error('encoder-worker.ts runs as a worker thread only: this is a bug')
const port = parentPort
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the pool, its only maker, gives it
const { source, workerIndex, slot: slotOptions } = workerData as EncoderWorkerData
const slot = new BatchSlot(slotOptions.maxSentences, slotOptions.maxTokens, slotOptions.buffer)

// On Linux, process 0 means the calling thread alone; elsewhere it is the whole process, main thread included. Added to
// the inherited niceness: a process that started at a low priority may not raise it without a privilege.
if (process.platform === 'linux') os.setPriority(0, Math.min(19, os.getPriority(0) + THREAD_NICENESS))

const session = await openEncoderSession(source)

port.on('message', (request: WorkerRequest) => {
  if (request.type === 'close') {
    void close()
    return
  }
  void computeAll(request)
})
reply({ type: 'ready' }, [])

async function close(): Promise<void> {
  await session.close()
  port.close()
}

/** Computes a batch, then each batch that this worker takes from the slot. */
async function computeAll(first: TokenBatch): Promise<void> {
  for (let batch: TokenBatch | undefined = first; batch !== undefined;) batch = await compute(batch)
}

/** Computes a batch and reports its result; returns the next batch, if this worker has taken one. */
async function compute(batch: TokenBatch): Promise<TokenBatch | undefined> {
  try {
    const startMs = performance.now()
    const values = await session.encode(batch)
    const dimensions = values.length / batch.lengths.length
    // L2 normalization spreads a NaN to its whole row, so the first value of each row is enough to check.
    for (let value = 0; value < values.length; value += dimensions) {
      if (Number.isNaN(values[value])) throw new TypeError('the model gave NaN')
    }
    const inferenceMs = performance.now() - startMs
    const next = slot.take(workerIndex)
    reply({ type: 'embeddings', values, inferenceMs, hasNext: next !== undefined }, [values.buffer])
    return next
  } catch (error) {
    reply({ type: 'failure', message: error instanceof Error ? error.message : String(error) }, [])
    return undefined
  }
}

function reply(message: WorkerReply, transfer: ArrayBuffer[]): void {
  port.postMessage(message, transfer)
}
