/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Wakes everyone who waits for something to happen; nobody polls. */
export class Bell {
  #waiting = new Set<() => void>()
  #rings = 0

  /** How often the bell rang: read it before looking whether there is something to do, and hand it to {@link wait}. */
  get rings(): number {
    return this.#rings
  }

  ring(): void {
    this.#rings += 1
    const waiting = this.#waiting
    this.#waiting = new Set()
    for (const wake of waiting) wake()
  }

  /**
   * Resolves at the first ring after `rings`, after `timeoutMs`, or when the signal aborts, whichever comes first.
   * A ring between the look and the wait is thus not missed.
   */
  async wait(rings: number, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#rings !== rings || timeoutMs <= 0 || signal?.aborted === true) return
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', wake)
        this.#waiting.delete(wake)
        resolve()
      }
      // setTimeout turns a wait above 2^31 − 1 ms into none.
      const timer = setTimeout(wake, Math.min(timeoutMs, 2 ** 31 - 1))
      signal?.addEventListener('abort', wake, { once: true })
      this.#waiting.add(wake)
    })
  }
}
