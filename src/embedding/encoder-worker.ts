/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The thread that computes. onnxruntime runs on the thread that calls it: on the main one, a batch would hold up every reply.

import os from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { EncoderWorkerData, WorkerReply, WorkerRequest } from './encoder-worker-pool.ts'

/** Below the main thread, so that replies and health checks go out while batches compute. */
const THREAD_NICENESS = 5

if (parentPort === null) throw new Error('encoder-worker.ts runs as a worker thread only: this is a bug')
const port = parentPort
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the pool, its only maker, gives it
const { graphPath } = workerData as EncoderWorkerData

// On Linux, process 0 means the calling thread alone; elsewhere it is the whole process, main thread included.
if (process.platform === 'linux') os.setPriority(0, THREAD_NICENESS)

const session = await InferenceSession.create(graphPath, {
  executionProviders: ['cpu'],
  // Fusions beyond the basic ones replace nodes by slower ones on CPU, and would undo what keeps rows apart.
  graphOptimizationLevel: 'basic',
  intraOpNumThreads: 1,
  interOpNumThreads: 1
})

port.on('message', (request: WorkerRequest) => {
  if (request.type === 'close') {
    void session.release().then(() => port.close())
    return
  }
  void compute(request)
})
reply({ type: 'ready' }, [])

async function compute({ ids, rowCount, rowTokens }: Extract<WorkerRequest, { type: 'batch' }>): Promise<void> {
  try {
    const startMs = performance.now()
    const outputs = await session.run({ input_ids: new Tensor('int32', ids, [rowCount, rowTokens]) })
    const found = outputs['embedding']?.data
    if (!(found instanceof Float32Array)) throw new TypeError('the graph gave no embedding')
    const values = found.slice() // What onnxruntime allocated cannot be transferred.
    // A NaN anywhere in a row spreads to all of it by its norm, so the first value of each tells.
    for (let row = 0; row < rowCount; row++) {
      if (Number.isNaN(values[(row * values.length) / rowCount])) throw new TypeError('the graph gave NaN')
    }
    reply({ type: 'embeddings', values, inferenceMs: performance.now() - startMs }, [values.buffer])
  } catch (error) {
    reply({ type: 'failure', message: error instanceof Error ? error.message : String(error) }, [])
  }
}

function reply(message: WorkerReply, transfer: ArrayBuffer[]): void {
  port.postMessage(message, transfer)
}
