/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { performance } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Options of a {@link MemoryRelease}, all with a default. */
export interface MemoryReleaseOptions {
  /** Returns malloc's free memory to the kernel. @default only garbage is collected */
  readonly trim?: (() => void) | undefined
  /** Collects all garbage. @default V8's own collection */
  readonly collect?: () => void
  /** Resident memory of the process. */
  readonly residentBytes?: () => number
  /** Share of the time since the last call that the main thread was busy, 0 to 1. */
  readonly busyShare?: () => number
}

/** Interval of checks whether there is memory to return. */
const LOOK_EVERY_MS = 2000
/** Busy share of the main thread below which the process counts as idle. */
const IDLE_SHARE = 0.25
/**
 * Checks in a row that must find the process idle before memory is returned: after a full collection the process is slower for
 * some seconds, which between two bursts would cost the second one a twelfth of its speed.
 */
const IDLE_LOOKS = 5
/** Growth since the last release that makes another one worthwhile. */
const WORTHWHILE_BYTES = 16 * 1_048_576
/** Checks from a release until a second one, for memory that was still in use at the first. */
const LOOKS_UNTIL_SECOND = 5

/**
 * Returns memory to the kernel after a burst. V8 only collects garbage when something is allocated, so an idle process keeps
 * the buffers of its last requests, and malloc keeps free memory between blocks in use.
 */
export class MemoryRelease {
  readonly #options: Required<Omit<MemoryReleaseOptions, 'trim'>> & MemoryReleaseOptions
  #heldBytes = 0
  #looksUntilSecond = 0
  #idleLooks = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: MemoryReleaseOptions = {}) {
    this.#options = {
      collect: garbageCollection(),
      residentBytes: () => process.memoryUsage.rss(),
      busyShare: eventLoopShare(),
      ...options
    }
  }

  /** Starts checking at intervals. */
  start(): void {
    this.#heldBytes = this.#options.residentBytes()
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Returns memory if the process has been idle and has grown since the last release. */
  look(): void {
    const isIdle = this.#options.busyShare() < IDLE_SHARE
    this.#idleLooks = isIdle ? this.#idleLooks + 1 : 0
    if (this.#idleLooks < IDLE_LOOKS) return
    if (this.#options.residentBytes() - this.#heldBytes > WORTHWHILE_BYTES) {
      this.release()
      this.#looksUntilSecond = LOOKS_UNTIL_SECOND
    } else if (this.#looksUntilSecond > 0) {
      this.#looksUntilSecond -= 1
      if (this.#looksUntilSecond === 0) this.release()
    }
  }

  /** Collects all garbage and returns free memory; blocks the main thread for some tens of milliseconds. */
  release(): void {
    this.#options.collect()
    this.#options.trim?.()
    this.#heldBytes = this.#options.residentBytes()
  }
}

/** V8's garbage collection, which the flag exposes in contexts that are created after it was set. */
function garbageCollection(): () => void {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  return typeof collect === 'function' ? () => void collect() : () => undefined
}

function eventLoopShare(): () => number {
  let last = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    return utilization
  }
}
