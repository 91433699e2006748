/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'

/** When work is refused. */
export interface MemoryGuardOptions {
  /** What the process may take. */
  readonly limitBytes: number
  /** From this share of it on, 0 to 1, large work is refused; from halfway between it and the limit on, all work. */
  readonly guardedShare: number
  /** Resident memory of the process. */
  readonly residentBytes?: () => number
  /** Gives memory back that is not needed; called under pressure. @default nothing is given back */
  readonly release?: () => void
  /** Milliseconds of some clock that never goes back. */
  readonly now?: () => number
}

/** How much is refused. */
export type Pressure = 'none' | 'high' | 'extreme'

/** Memory is read no more often than this: it takes some 10 µs. */
const MAX_AGE_MS = 50
const RETRY_AFTER_SECONDS = 5
/** Under pressure memory is released at most this often, and so that it takes no more than this share of the time. */
const RELEASE_EVERY_MS = 500
const RELEASE_SHARE = 0.1
/** Replies up to this size are sent whatever the memory. */
const SMALL_REPLY_BYTES = 65_536

/**
 * Refuses work before the kernel ends the process for its memory: large bodies first, then all but health. It looks when
 * somebody asks, so that it costs nothing while nobody does.
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

  /** What was refused so far. */
  get refusedCount(): number {
    return this.#refusedCount
  }

  get limitBytes(): number {
    return this.#options.limitBytes
  }

  /** How much is refused now. */
  get pressure(): Pressure {
    const nowMs = this.#options.now()
    if (nowMs - this.#readAtMs < MAX_AGE_MS) return this.#pressure
    this.#read()
    // What is full of garbage is not full.
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

  /** @throws {ServiceError} OVERLOADED while there is little memory left */
  assertMayTakeLarge(): void {
    if (this.pressure !== 'none') throw this.#refusal('large bodies are refused until there is more')
  }

  /** @throws {ServiceError} OVERLOADED while there is next to no memory left */
  assertMayTake(): void {
    if (this.pressure === 'extreme') throw this.#refusal('all work is refused until there is more')
  }

  /**
   * Asked before a reply that was made is sent: a large one takes memory until it has been read.
   * @throws {ServiceError} OVERLOADED for a large one while there is next to no memory left
   */
  assertMayReply(byteCount: number): void {
    if (byteCount <= SMALL_REPLY_BYTES) return
    // Many replies may be made in a moment.
    this.#readAtMs = Number.NEGATIVE_INFINITY
    if (this.pressure === 'extreme') throw this.#refusal('large replies are refused until there is more')
  }

  /** What readiness says of it. */
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
