/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'

/** Limits of a {@link MemoryGuard}. */
export interface MemoryGuardOptions {
  /** Memory that the process may take. */
  readonly limitBytes: number
  /** Share of the limit, 0 to 1, from which on large requests are refused; from halfway between it and the limit, all are. */
  readonly guardedShare: number
  /** Resident memory of the process. */
  readonly residentBytes?: () => number
  /** Returns unused memory to the system; called under pressure. @default does nothing */
  readonly release?: () => void
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number
}

/** Memory pressure: under `high` large requests are refused, under `extreme` all. */
export type Pressure = 'none' | 'high' | 'extreme'

/** How long a reading of the memory, which takes some 10 µs, is reused. */
const MAX_AGE_MS = 50
const RETRY_AFTER_SECONDS = 5
/** Shortest interval between two releases under pressure, and the largest share of time that they may take. */
const RELEASE_EVERY_MS = 500
const RELEASE_SHARE = 0.1
/** Replies up to this size are always sent. */
const SMALL_REPLY_BYTES = 65_536

/**
 * Refuses requests before the kernel kills the process for lack of memory: large bodies first, then all but health. Memory is
 * read on demand, so an idle process has no cost.
 */
export class MemoryGuard {
  readonly #options: Required<MemoryGuardOptions>
  #readAtMs = Number.NEGATIVE_INFINITY
  #pressure: Pressure = 'none'
  #refusedCount = 0
  #releaseFromMs = 0

  constructor(options: MemoryGuardOptions) {
    this.#options = {
      residentBytes: () => process.memoryUsage.rss(),
      release: () => undefined,
      now: () => performance.now(),
      ...options
    }
  }

  /** Number of refusals. */
  get refusedCount(): number {
    return this.#refusedCount
  }

  get limitBytes(): number {
    return this.#options.limitBytes
  }

  /** The present pressure. */
  get pressure(): Pressure {
    const nowMs = this.#options.now()
    if (nowMs - this.#readAtMs < MAX_AGE_MS) return this.#pressure
    this.#read()
    // The memory may only be full of garbage: releases it, then reads again.
    if (this.#pressure !== 'none' && nowMs >= this.#releaseFromMs) {
      this.#options.release()
      const endMs = this.#options.now()
      this.#releaseFromMs = endMs + Math.max(RELEASE_EVERY_MS, (endMs - nowMs) / RELEASE_SHARE)
      this.#read()
    }
    return this.#pressure
  }

  #read(): void {
    const { limitBytes, guardedShare, residentBytes, now } = this.#options
    const share = residentBytes() / limitBytes
    this.#readAtMs = now()
    if (share < guardedShare) this.#pressure = 'none'
    else this.#pressure = share < (1 + guardedShare) / 2 ? 'high' : 'extreme'
  }

  /** Checks before a large body is read. @throws {ServiceError} OVERLOADED under high or extreme pressure */
  assertMayTakeLarge(): void {
    if (this.pressure !== 'none') throw this.#refusal('large bodies are refused until there is more')
  }

  /** Checks before any request. @throws {ServiceError} OVERLOADED under extreme pressure */
  assertMayTake(): void {
    if (this.pressure === 'extreme') throw this.#refusal('all work is refused until there is more')
  }

  /**
   * Checks before a reply is sent, since a large one takes memory until it has been read.
   * @throws {ServiceError} OVERLOADED for a large one under extreme pressure
   */
  assertMayReply(byteCount: number): void {
    if (byteCount <= SMALL_REPLY_BYTES) return
    // Reads again: many replies may have been made since the last reading.
    this.#readAtMs = Number.NEGATIVE_INFINITY
    if (this.pressure === 'extreme') throw this.#refusal('large replies are refused until there is more')
  }

  /** Remarks for the readiness reply. */
  notes(): readonly string[] {
    if (this.pressure === 'none') return []
    return [`${this.pressure === 'high' ? 'large bodies are' : 'all work is'} refused: memory is nearly full`]
  }

  #refusal(found: string): ServiceError {
    this.#refusedCount += 1
    return new ServiceError('OVERLOADED', `Cannot take the request: memory is nearly full, ${found}`, {
      retryAfterSeconds: RETRY_AFTER_SECONDS
    })
  }
}
