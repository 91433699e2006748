/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Wakes every waiter when something has happened, so that none of them polls. */
export class Notifier {
  #waiting = new Set<() => void>()
  #count = 0

  /** Number of notifications so far: read it before looking whether there is something to do, and pass it to {@link wait}. */
  get count(): number {
    return this.#count
  }

  notify(): void {
    this.#count += 1
    const waiting = this.#waiting
    this.#waiting = new Set()
    for (const wake of waiting) wake()
  }

  /**
   * Resolves at the first notification after number `count`, after `timeoutMs`, or when the signal aborts, whichever comes
   * first. A notification between the look and the wait is thus not missed.
   */
  async wait(count: number, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#count !== count || timeoutMs <= 0 || signal?.aborted === true) return
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
