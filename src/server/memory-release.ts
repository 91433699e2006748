/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { performance } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** How memory is given back. */
export interface MemoryReleaseOptions {
  /** Gives what malloc holds back to the kernel. @default nothing does: only the garbage is collected */
  readonly trim?: (() => void) | undefined
  /** Collects all garbage. @default V8's own collection */
  readonly collect?: () => void
  /** Resident memory of the process. */
  readonly residentBytes?: () => number
  /** Share of the time since the last call that the main thread was busy, 0 to 1. */
  readonly busyShare?: () => number
}

/** How often an idle process looks whether it has something to give back. */
const LOOK_EVERY_MS = 2000
/** A main thread that is busier than this has better things to do than to collect garbage. */
const IDLE_SHARE = 0.25
/**
 * Looks in a row that find the process idle before it gives anything back: what follows a collection of all garbage is slower for some
 * seconds, which between two bursts would cost the second one a twelfth of its speed.
 */
const IDLE_LOOKS = 5
/** Growth since the last release that is worth another. */
const WORTHWHILE_BYTES = 16 * 1_048_576
/** Looks after a release until another, for what was still in use then. */
const LOOKS_UNTIL_SECOND = 5

/**
 * Gives memory back to the kernel after a burst. V8 collects garbage when something is allocated, so that an idle process
 * keeps the buffers of its last requests, and malloc keeps what was freed between blocks that are in use.
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

  /** Begins to look, from time to time, whether an idle process holds more than it needs. */
  start(): void {
    this.#heldBytes = this.#options.residentBytes()
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Gives memory back if the process has been idle and has grown since it last did. */
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

  /** Collects all garbage, and gives back what is free: some tens of milliseconds of the main thread. */
  release(): void {
    this.#options.collect()
    this.#options.trim?.()
    this.#heldBytes = this.#options.residentBytes()
  }
}

/** V8's collection, which its flag shows to contexts that are made from then on. */
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
