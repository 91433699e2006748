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
  /** Nothing may be lost for this long before deliveries count as well again. @default a minute */
  readonly quietMs?: number
  /** Milliseconds since some moment. */
  readonly nowMs?: () => number
}

const QUIET_MS = 60_000

/**
 * Says in the log when spans begin to be lost, and once they no longer are: two lines, however often and for however long
 * it happens between.
 */
export class DeliveryLog {
  readonly #log: DeliveryLogOptions['log']
  readonly #quietMs: number
  readonly #nowMs: () => number
  #lostCount = 0
  #lastLossMs: number | undefined

  constructor({ log, quietMs = QUIET_MS, nowMs = () => performance.now() }: DeliveryLogOptions) {
    this.#log = log
    this.#quietMs = quietMs
    this.#nowMs = nowMs
  }

  /** Spans will never arrive. */
  lost(spanCount: number, reason: string): void {
    if (this.#lastLossMs === undefined) this.#log.warn({ reason }, 'traces are lost: the collector does not take them')
    this.#lastLossMs = this.#nowMs()
    this.#lostCount += spanCount
  }

  /** Spans have arrived. */
  delivered(): void {
    if (this.#lastLossMs === undefined || this.#nowMs() - this.#lastLossMs < this.#quietMs) return
    this.#log.info({ lostSpans: this.#lostCount }, 'traces arrive again')
    this.#lastLossMs = undefined
    this.#lostCount = 0
  }

  /** The process ends: says what was lost since it was last said. */
  close(): void {
    if (this.#lostCount > 0) this.#log.warn({ lostSpans: this.#lostCount }, 'traces were lost')
    this.#lostCount = 0
  }
}
