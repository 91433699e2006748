/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'

export interface AdmissionOptions {
  /** The most tokens that may wait or be computed at once. */
  readonly maxPendingTokens: number
  /** The share of them that one caller may have. */
  readonly maxCallerShare: number
}

/** Half-life of the measured rate: long enough for a pause between batches, short enough to follow a change of load. */
const RATE_HALF_LIFE_MS = 5000
const MAX_RETRY_AFTER_SECONDS = 60

/**
 * Decides whether a call may wait: as a whole, or not at all and at once.
 * Whoever is refused hears when to come back, by the rate at which tokens have been computed lately.
 */
export class Admission {
  readonly #options: AdmissionOptions
  readonly #pendingByCaller = new Map<string, number>()
  #pendingTokens = 0
  #tokensPerMs = 0
  #lastDrainMs: number | undefined

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /** Tokens that were admitted and are not yet done. */
  get pendingTokens(): number {
    return this.#pendingTokens
  }

  /**
   * Takes `tokenCount` tokens of a caller in. A call with nothing else pending is always taken: one that is larger than
   * the limit would otherwise never be.
   * @param deadlineMs when the caller stops waiting, as milliseconds from now
   * @throws {ServiceError} TOO_MANY_REQUESTS when the caller has its whole share pending; OVERLOADED when all have, or
   *   the work ahead will certainly outlast the caller's deadline
   */
  admit(callerKey: string, tokenCount: number, deadlineMs?: number): void {
    const ofCaller = this.#pendingByCaller.get(callerKey) ?? 0
    const { maxPendingTokens, maxCallerShare } = this.#options
    if (ofCaller > 0 && ofCaller + tokenCount > maxPendingTokens * maxCallerShare) {
      throw this.#refusal('TOO_MANY_REQUESTS', 'this caller has as much waiting as it may', ofCaller)
    }
    if (this.#pendingTokens > 0 && this.#pendingTokens + tokenCount > maxPendingTokens) {
      throw this.#refusal('OVERLOADED', 'as much is waiting as can be', this.#pendingTokens)
    }
    const waitMs = this.#waitMs(this.#pendingTokens)
    if (deadlineMs !== undefined && waitMs > deadlineMs) {
      throw this.#refusal('OVERLOADED', 'what is waiting takes longer than the deadline allows', this.#pendingTokens)
    }
    this.#pendingByCaller.set(callerKey, ofCaller + tokenCount)
    this.#pendingTokens += tokenCount
  }

  /** Gives back what {@link admit} took, done or not. */
  release(callerKey: string, tokenCount: number): void {
    const left = (this.#pendingByCaller.get(callerKey) ?? 0) - tokenCount
    if (left > 0) this.#pendingByCaller.set(callerKey, left)
    else this.#pendingByCaller.delete(callerKey)
    this.#pendingTokens -= tokenCount
    // An idle spell says nothing of how fast work is done.
    if (this.#pendingTokens === 0) this.#lastDrainMs = undefined
  }

  /** Learns from a batch that was computed; called before its tokens are released. */
  observeDrain(tokenCount: number, nowMs = performance.now()): void {
    if (this.#lastDrainMs !== undefined) {
      const elapsedMs = Math.max(nowMs - this.#lastDrainMs, 0.01)
      const weight = 1 - 0.5 ** (elapsedMs / RATE_HALF_LIFE_MS)
      const rate = tokenCount / elapsedMs
      this.#tokensPerMs = this.#tokensPerMs === 0 ? rate : this.#tokensPerMs + weight * (rate - this.#tokensPerMs)
    }
    this.#lastDrainMs = nowMs
  }

  #waitMs(tokenCount: number): number {
    return this.#tokensPerMs === 0 ? 0 : tokenCount / this.#tokensPerMs
  }

  #refusal(code: 'TOO_MANY_REQUESTS' | 'OVERLOADED', reason: string, tokensAhead: number): ServiceError {
    const seconds = Math.ceil(this.#waitMs(tokensAhead) / 1000)
    const retryAfterSeconds = Math.min(Math.max(seconds, 1), MAX_RETRY_AFTER_SECONDS)
    return new ServiceError(code, `Cannot encode now: ${reason}; come back in ${retryAfterSeconds} s`, {
      retryAfterSeconds
    })
  }
}
