/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The thread that computes. onnxruntime runs on the thread that calls it: on the main one, a batch would hold up every reply.

import os from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { EncoderWorkerData, TokenBatch, WorkerReply, WorkerRequest } from './encoder-worker-pool.ts'

/** How far below the main thread, so that replies and health checks go out while batches compute. */
const THREAD_NICENESS = 5

if (parentPort === null) throw new Error('encoder-worker.ts runs as a worker thread only: this is a bug')
const port = parentPort
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the pool, its only maker, gives it
const { graphs } = workerData as EncoderWorkerData

// On Linux, process 0 means the calling thread alone; elsewhere it is the whole process, main thread included.
// Counted from its own niceness: a process that was started at a low priority may not raise it again without a privilege.
if (process.platform === 'linux') os.setPriority(0, Math.min(19, os.getPriority(0) + THREAD_NICENESS))

const sessions = new Map<number, InferenceSession>()
for (const { sentenceCount, path } of graphs) {
  const session = await InferenceSession.create(path, {
    executionProviders: ['cpu'],
    // Fusions beyond the basic ones replace nodes by slower ones on CPU, and would undo what keeps rows apart.
    graphOptimizationLevel: 'basic',
    intraOpNumThreads: 1,
    interOpNumThreads: 1
  })
  sessions.set(sentenceCount, session)
}

port.on('message', (request: WorkerRequest) => {
  if (request.type === 'close') {
    void close()
    return
  }
  void compute(request)
})
reply({ type: 'ready' }, [])

async function close(): Promise<void> {
  for (const session of sessions.values()) await session.release()
  port.close()
}

async function compute({ ids, lengths }: TokenBatch): Promise<void> {
  try {
    const startMs = performance.now()
    const session = sessions.get(lengths.length)
    if (session === undefined) throw new RangeError(`there is no graph for ${lengths.length} sentences`)
    const shape = [1, ids.length]
    const outputs = await session.run({
      input_ids: new Tensor('int32', ids, shape),
      positions: new Tensor('int32', positionsOf(lengths, ids.length), shape),
      ...(lengths.length === 1 ? {} : { lengths: new Tensor('int64', BigInt64Array.from(lengths, BigInt)) })
    })
    const found = outputs['embedding']?.data
    if (!(found instanceof Float32Array)) throw new TypeError('the graph gave no embedding')
    const values = found.slice() // What onnxruntime allocated cannot be transferred.
    // A NaN anywhere in a row spreads to all of it by its norm, so the first value of each tells.
    for (let value = 0; value < values.length; value += values.length / lengths.length) {
      if (Number.isNaN(values[value])) throw new TypeError('the graph gave NaN')
    }
    reply({ type: 'embeddings', values, inferenceMs: performance.now() - startMs }, [values.buffer])
  } catch (error) {
    reply({ type: 'failure', message: error instanceof Error ? error.message : String(error) }, [])
  }
}

/** The place of each token in its sentence: 0, 1, 2, 0, 1, … */
function positionsOf(lengths: readonly number[], tokenCount: number): Int32Array {
  const positions = new Int32Array(tokenCount)
  let start = 0
  for (const length of lengths) {
    for (let position = 0; position < length; position++) positions[start + position] = position
    start += length
  }
  return positions
}

function reply(message: WorkerReply, transfer: ArrayBuffer[]): void {
  port.postMessage(message, transfer)
}
