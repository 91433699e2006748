/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The worker thread that reads one large table: on the main thread, some ten megabytes of CSV would hold up every reply
// for a second.

import { parentPort, workerData } from 'node:worker_threads'
import { refusalOf, type ReadingMessage } from '../reading/reading-line.ts'
import type { ReadOrder } from './training-reader.ts'
import { packTraining, type PackedTraining } from './training-request.ts'

if (parentPort === null) throw new Error('training-reader-worker.ts runs as a worker thread only: this is a bug')
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what TrainingReader, its only maker, gives it
const { bytes, format, options, limits } = workerData as ReadOrder

try {
  const result = packTraining(bytes, format, options, limits)
  parentPort.postMessage({ result } satisfies ReadingMessage<PackedTraining>, [result.bytes.buffer])
} catch (error) {
  parentPort.postMessage(refusalOf(error))
}
