/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The thread that reads one large table: on the main one, some ten megabytes of CSV would hold up every reply for a second.

import { parentPort, workerData } from 'node:worker_threads'
import { ServiceError } from '../errors.ts'
import type { ReadOrder, ReadOutcome } from './training-reader.ts'
import { packTraining } from './training-request.ts'

if (parentPort === null) throw new Error('training-reader-worker.ts runs as a worker thread only: this is a bug')
const port = parentPort
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what readInThread, its only maker, gives it
const { body, format, options, limits } = workerData as ReadOrder

try {
  const packed = packTraining(body, format, options, limits)
  post({ packed }, [packed.bytes.buffer])
} catch (error) {
  if (!(error instanceof ServiceError)) throw error
  post({ refused: { code: error.code, message: error.message, fields: error.fields } }, [])
}

function post(outcome: ReadOutcome, transfer: ArrayBuffer[]): void {
  port.postMessage(outcome, transfer)
}
