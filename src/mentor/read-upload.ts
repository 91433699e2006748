/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ReadingLine, type Reader } from '../reading/reading-line.ts'
import { readMentorUpload, type MentorUpload, type ReadUpload, type UploadLimits } from './mentor-upload.ts'

/** Reads an upload: a small one at once, a large one in a thread when it is its turn. */
export type UploadReader = (upload: MentorUpload, reader: Reader) => Promise<ReadUpload>

/** Minimum size to read in a thread. Below it, reading takes some milliseconds, much less than starting a thread. */
const MIN_THREAD_BYTES = 128 * 1024

const THREAD = new URL('mentor-upload-worker.ts', import.meta.url)

/** Makes a reader of uploads; large ones wait in the line of large bodies. */
export function createUploadReader(line: ReadingLine, limits: UploadLimits): UploadReader {
  return async (upload, reader) => {
    if (upload.bytes.byteLength + (upload.before?.byteLength ?? 0) < MIN_THREAD_BYTES) {
      return readMentorUpload(upload, limits)
    }
    const ofThread = { ...limits, maxJsonHeapBytes: line.maxJsonHeapBytes }
    return line.read<ReadUpload>(THREAD, { ...upload, limits: ofThread }, reader)
  }
}
