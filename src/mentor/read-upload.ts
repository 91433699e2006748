/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { ServiceError, type ErrorCode } from '../errors.ts'
import { readMentorUpload, type MentorUpload, type ReadUpload } from './mentor-upload.ts'

/** What the thread says; errors do not keep their class on the way. */
export type UploadMessage =
  | { readonly read: ReadUpload }
  | {
      readonly refusal: {
        readonly code: ErrorCode
        readonly message: string
        readonly fields: ServiceError['fields']
      }
    }

/** Below, reading takes some milliseconds, much less than the start of a thread. */
const MIN_THREAD_BYTES = 256 * 1024

/** Makes readers of uploads that have one large one read at a time: each takes a core, and some times its own size in memory. */
export function createUploadReader(): (upload: MentorUpload) => Promise<ReadUpload> {
  let latest: Promise<unknown> = Promise.resolve()
  return async (upload) => {
    if (upload.bytes.byteLength + (upload.before?.byteLength ?? 0) < MIN_THREAD_BYTES) return readMentorUpload(upload)
    const reading = latest.then(() => readUploadInThread(upload))
    latest = reading.catch(() => undefined)
    return reading
  }
}

/** As {@link readMentorUpload}, in a thread of its own. */
async function readUploadInThread(upload: MentorUpload): Promise<ReadUpload> {
  const thread = new Worker(new URL('mentor-upload-worker.ts', import.meta.url), {
    name: 'mentor-upload',
    workerData: upload
  })
  // A thread that fails emits an error instead, which rejects.
  const [message]: UploadMessage[] = await once(thread, 'message')
  if (message !== undefined && 'read' in message) return message.read
  if (message === undefined) throw new Error('Cannot read a mentor: the thread said nothing; this is a bug')
  const { code, message: text, fields } = message.refusal
  throw new ServiceError(code, text, fields === undefined ? {} : { fields })
}
