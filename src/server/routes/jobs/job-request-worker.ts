/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The thread that reads one large job, which would block all replies for some seconds on the main thread.

import { parentPort, workerData } from 'node:worker_threads'
import { refusalOf, type ReadingMessage } from '../../../reading/reading-line.ts'
import { readJobRequest, type JobReadOrder, type RequestedJob } from './job-request.ts'

if (parentPort === null) throw new Error('job-request-worker.ts runs as a worker thread only: this is a bug')
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what createJobReader, its only maker, gives it
const { types, limits, bytes } = workerData as JobReadOrder

try {
  const result = readJobRequest(bytes, types, limits)
  parentPort.postMessage({ result } satisfies ReadingMessage<RequestedJob>, [result.input.bytes.buffer])
} catch (error) {
  parentPort.postMessage(refusalOf(error))
}
