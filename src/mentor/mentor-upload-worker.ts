/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The worker thread that reads one large mentor: on the main thread this would hold up every reply for some seconds.

import { parentPort, workerData } from 'node:worker_threads'
import { refusalOf, type ReadingMessage } from '../reading/reading-line.ts'
import { readMentorUpload, type MentorUpload, type ReadUpload, type UploadLimits } from './mentor-upload.ts'

if (parentPort === null) throw new Error('mentor-upload-worker.ts runs as a worker thread only: this is a bug')
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what createUploadReader, its only maker, gives it
const { limits, ...upload } = workerData as MentorUpload & { readonly limits: UploadLimits }

try {
  const result = readMentorUpload(upload, limits)
  parentPort.postMessage({ result } satisfies ReadingMessage<ReadUpload>, [result.mentor.json.buffer])
} catch (error) {
  parentPort.postMessage(refusalOf(error))
}
