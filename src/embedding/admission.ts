/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'

export interface AdmissionOptions {
  /** Maximum number of tokens that wait or are being computed. */
  readonly maxPendingTokens: number
  /** The share of those tokens that one caller may have, 0 to 1. */
  readonly maxCallerShare: number
}

/** Half-life of the measured rate: long enough for a pause between batches, short enough to follow a change of load. */
const RATE_HALF_LIFE_MS = 5000
const MAX_RETRY_AFTER_SECONDS = 60

/**
 * Admits a call as a whole or refuses it at once. A refusal says when to retry, by the rate at which tokens were
 * computed lately.
 */
export class Admission {
  readonly #callerLimit: number
  readonly #limit: number
  readonly #pendingByCaller = new Map<string, number>()
  #pendingTokens = 0
  /**
   * As {@link pendingTokens}, but counts at most its share for each caller, so that one huge call does not shut the
   * others out.
   */
  #countedTokens = 0
  #tokensPerMs = 0
  #lastDrainMs: number | undefined

  constructor({ maxPendingTokens, maxCallerShare }: AdmissionOptions) {
    this.#limit = maxPendingTokens
    this.#callerLimit = maxPendingTokens * maxCallerShare
  }

  /** Tokens that were admitted and are not yet done. */
  get pendingTokens(): number {
    return this.#pendingTokens
  }

  /**
   * Admits `tokenCount` tokens of a caller. A caller with nothing pending may make a call of any size: one above the
   * limit would otherwise never be admitted.
   * @param deadlineMs when the caller stops waiting, as milliseconds from now
   * @throws {ServiceError} TOO_MANY_REQUESTS when the caller has its whole share pending; OVERLOADED when the callers
   *   together have reached the limit, or the work ahead will certainly outlast the caller's deadline
   */
  admit(callerKey: string, tokenCount: number, deadlineMs?: number): void {
    const ofCaller = this.#pendingByCaller.get(callerKey) ?? 0
    if (ofCaller > 0 && ofCaller + tokenCount > this.#callerLimit) {
      throw this.#refusal('TOO_MANY_REQUESTS', 'this caller has as much waiting as it may', ofCaller)
    }
    if (this.#pendingTokens > 0 && this.#countedTokens + Math.min(tokenCount, this.#callerLimit) > this.#limit) {
      throw this.#refusal('OVERLOADED', 'as much is waiting as can be', this.#countedTokens)
    }
    if (deadlineMs !== undefined && this.#waitMs(this.#countedTokens) > deadlineMs) {
      throw this.#refusal('OVERLOADED', 'what is waiting takes longer than the deadline allows', this.#countedTokens)
    }
    this.#book(callerKey, tokenCount)
  }

  /** Releases tokens that {@link admit} admitted, whether they were computed or not. */
  release(callerKey: string, tokenCount: number): void {
    this.#book(callerKey, -tokenCount)
    // The time without work says nothing about the rate of work.
    if (this.#pendingTokens === 0) this.#lastDrainMs = undefined
  }

  /** Updates the measured rate with a computed batch; called before its tokens are released. */
  observeDrain(tokenCount: number, nowMs = performance.now()): void {
    if (this.#lastDrainMs !== undefined) {
      const elapsedMs = Math.max(nowMs - this.#lastDrainMs, 0.01)
      const weight = 1 - 0.5 ** (elapsedMs / RATE_HALF_LIFE_MS)
      const rate = tokenCount / elapsedMs
      this.#tokensPerMs = this.#tokensPerMs === 0 ? rate : this.#tokensPerMs + weight * (rate - this.#tokensPerMs)
    }
    this.#lastDrainMs = nowMs
  }

  #book(callerKey: string, tokenCount: number): void {
    const before = this.#pendingByCaller.get(callerKey) ?? 0
    const after = before + tokenCount
    if (after > 0) this.#pendingByCaller.set(callerKey, after)
    else this.#pendingByCaller.delete(callerKey)
    this.#pendingTokens += tokenCount
    this.#countedTokens += Math.min(after, this.#callerLimit) - Math.min(before, this.#callerLimit)
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
