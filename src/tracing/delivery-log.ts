/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Options of a {@link DeliveryLog}. */
export interface DeliveryLogOptions {
  readonly log: {
    info(fields: object, message: string): void
    warn(fields: object, message: string): void
  }
  /** How long no span may be lost until a delivery counts as recovered. @default a minute */
  readonly quietMs?: number
  /** Milliseconds since a fixed moment. */
  readonly nowMs?: () => number
}

const QUIET_MS = 60_000

/** Spans of a process so far. */
export interface SpanCounts {
  readonly sentCount: number
  readonly lostCount: number
}

/**
 * Logs when spans begin to be lost, and when they no longer are: two lines, however many are lost in between. Counts both
 * kinds of spans.
 */
export class DeliveryLog {
  readonly #log: DeliveryLogOptions['log']
  readonly #quietMs: number
  readonly #nowMs: () => number
  #lostCount = 0
  #unloggedCount = 0
  #sentCount = 0
  #lastLossMs: number | undefined

  constructor({ log, quietMs = QUIET_MS, nowMs = () => performance.now() }: DeliveryLogOptions) {
    this.#log = log
    this.#quietMs = quietMs
    this.#nowMs = nowMs
  }

  get counts(): SpanCounts {
    return { sentCount: this.#sentCount, lostCount: this.#lostCount }
  }

  /** Records that spans will never arrive. */
  lost(spanCount: number, reason: string): void {
    if (this.#lastLossMs === undefined)
      this.#log.warn({ reason }, 'traces are lost: the collector does not accept them')
    this.#lastLossMs = this.#nowMs()
    this.#lostCount += spanCount
    this.#unloggedCount += spanCount
  }

  /** Records that spans have arrived. */
  delivered(spanCount: number): void {
    this.#sentCount += spanCount
    if (this.#lastLossMs === undefined || this.#nowMs() - this.#lastLossMs < this.#quietMs) return
    this.#log.info({ lostSpans: this.#unloggedCount }, 'traces are accepted again')
    this.#lastLossMs = undefined
    this.#unloggedCount = 0
  }

  /** Logs, at the end of the process, the losses that were not logged yet. */
  close(): void {
    if (this.#unloggedCount > 0) this.#log.warn({ lostSpans: this.#unloggedCount }, 'traces were lost')
    this.#unloggedCount = 0
  }
}
