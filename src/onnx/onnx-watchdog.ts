/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// A thread that watches its own process. The main thread cannot: it is inside onnxruntime.

import { workerData } from 'node:worker_threads'

/** Options of the watchdog. */
export interface WatchdogData {
  /** One of {@link WATCH_STATE}. */
  readonly watched: Int32Array<SharedArrayBuffer>
  /** Maximum resident memory of the whole process. */
  readonly memoryLimitBytes: number
  readonly timeLimitMs: number
}

/** What the process is doing. */
export const WATCH_STATE = { idle: 0, working: 1 } as const

/** Time between two checks: memory that grows by 4 GB a second grows by 40 MB in it. */
const LOOK_INTERVAL_MS = 10
/**
 * Added to the time limit, at which the pool kills the process and knows why; the watchdog acts when the pool is gone.
 */
const GRACE_MS = 2000

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what onnx-process.ts, its only maker, gives it
const data = workerData as WatchdogData | null
if (data !== null) watchForEver(data)

function watchForEver({ watched, memoryLimitBytes, timeLimitMs }: WatchdogData): never {
  for (;;) {
    Atomics.wait(watched, 0, WATCH_STATE.idle)
    const endMs = performance.now() + timeLimitMs + GRACE_MS
    while (Atomics.load(watched, 0) === WATCH_STATE.working) {
      const isOver = process.memoryUsage.rss() > memoryLimitBytes || performance.now() > endMs
      if (isOver) process.kill(process.pid, 'SIGKILL')
      Atomics.wait(watched, 0, WATCH_STATE.working, LOOK_INTERVAL_MS)
    }
  }
}
