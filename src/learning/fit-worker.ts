/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The worker thread that fits one model: on the main thread a fit would hold up every reply for seconds.

import os from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { fitClassifier, type FitRequest } from './fit.ts'
import type { FitMessage } from './fit-in-thread.ts'
import { TensorEngine } from './tensor-engine.ts'

/**
 * Added to the thread's niceness. Lower priority than the threads that encode, so that questions do not wait for
 * trainings.
 */
const THREAD_NICENESS = 19

if (parentPort === null) throw new Error('fit-worker.ts runs as a worker thread only: this is a bug')
const port = parentPort
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what fitInThread, its only maker, gives it
const request = workerData as FitRequest

// On Linux, process 0 means the calling thread alone; elsewhere it is the whole process, main thread included.
if (process.platform === 'linux') os.setPriority(0, Math.min(19, os.getPriority(0) + THREAD_NICENESS))

const called = new AbortController()
port.once('message', () => called.abort())

const engine = await TensorEngine.create()
try {
  const fit = await fitClassifier(engine, request, {
    signal: called.signal,
    onProgress: (share) => post({ progress: share }, [])
  })
  // Copied, since a small model may lie in Node's Buffer pool, which cannot be transferred.
  const model = new Uint8Array(fit.model)
  post({ fit: { ...fit, model } }, [model.buffer])
} finally {
  await engine[Symbol.asyncDispose]()
  // The thread ends by itself; terminated from outside, it might be inside onnxruntime.
  port.close()
}

function post(message: FitMessage, transfer: ArrayBuffer[]): void {
  port.postMessage(message, transfer)
}
