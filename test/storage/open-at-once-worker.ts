/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { parentPort, workerData } from 'node:worker_threads'
import { SqliteFile } from '../../src/storage/sqlite-file.ts'

/* Opens each file at the same moment as the other threads do, and tells which errors it met. */
interface Task {
  readonly paths: readonly string[]
  readonly threadCount: number
  /** For each file, how many threads are ready to open it. */
  readonly ready: Int32Array
}

const task: Task = workerData
const { paths, threadCount, ready } = task
const errors: string[] = []
for (const [i, path] of paths.entries()) {
  Atomics.add(ready, i, 1)
  while (Atomics.load(ready, i) < threadCount);
  try {
    const file = new SqliteFile(path, 5000)
    file.define('CREATE TABLE IF NOT EXISTS words (word TEXT) STRICT;')
    file.close()
  } catch (error) {
    errors.push(String(error))
  }
}
parentPort?.postMessage(errors)
