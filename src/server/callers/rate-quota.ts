/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** A rate limit: number of requests in a number of seconds. */
export interface Rate {
  readonly requests: number
  readonly seconds: number
}

/** State of a quota after a request. */
export interface QuotaReading {
  readonly isAllowed: boolean
  /** Requests that may follow at once. */
  readonly remaining: number
  /** Seconds, rounded up, until the quota is full again; for a refused request, until the next one is allowed. */
  readonly resetSeconds: number
}

/**
 * The quota of one caller, which refills evenly: after a burst of all its requests, one more is allowed every
 * `seconds / requests`. Its state is a single number, the time at which the quota will be full again (generic cell rate
 * algorithm), so a caller takes the same memory whatever it sends.
 */
export class RateQuota {
  readonly rate: Rate
  /** Value of the header `RateLimit-Policy`; draft-ietf-httpapi-ratelimit-headers-10. */
  readonly policy: string
  readonly #windowMs: number
  readonly #intervalMs: number
  #wholeAtMs = 0

  constructor(rate: Rate) {
    this.rate = rate
    this.policy = `"requests";q=${rate.requests};w=${rate.seconds}`
    this.#windowMs = rate.seconds * 1000
    this.#intervalMs = this.#windowMs / rate.requests
  }

  /**
   * Takes one request from the quota, if one is left. A refused request takes nothing.
   * @param nowMs time of a monotonic clock
   */
  take(nowMs: number): QuotaReading {
    const wholeAtMs = Math.max(this.#wholeAtMs, nowMs) + this.#intervalMs
    const overMs = wholeAtMs - nowMs - this.#windowMs
    // Tolerates rounding: sums of intervals such as a third end a little off the window.
    if (overMs > this.#intervalMs / 1000) return { isAllowed: false, remaining: 0, resetSeconds: wholeSeconds(overMs) }
    this.#wholeAtMs = wholeAtMs
    const leftMs = wholeAtMs - nowMs
    const remaining = Math.floor((this.#windowMs - leftMs) / this.#intervalMs + 1 / 1000)
    return { isAllowed: true, remaining, resetSeconds: wholeSeconds(leftMs) }
  }
}

/** Rounds up to whole seconds, with a tolerance for rounding errors of sums. */
function wholeSeconds(ms: number): number {
  return Math.ceil(ms / 1000 - 1e-6)
}

/** Value of the header `RateLimit`. */
export function rateLimitHeader({ remaining, resetSeconds }: QuotaReading): string {
  return `"requests";r=${remaining};t=${resetSeconds}`
}
