/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The thread that reads one large mentor: on the main one, it would hold up every reply for some seconds.

import { parentPort, workerData } from 'node:worker_threads'
import { ServiceError } from '../errors.ts'
import { readMentorUpload, type MentorUpload } from './mentor-upload.ts'
import type { UploadMessage } from './read-upload.ts'

if (parentPort === null) throw new Error('mentor-upload-worker.ts runs as a worker thread only: this is a bug')
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what readUpload, its only maker, gives it
const upload = workerData as MentorUpload

try {
  const read = readMentorUpload(upload)
  parentPort.postMessage({ read } satisfies UploadMessage, [read.mentor.json.buffer])
} catch (error) {
  if (!(error instanceof ServiceError)) throw error
  const { code, message, fields } = error
  parentPort.postMessage({ refusal: { code, message, fields } } satisfies UploadMessage)
}
