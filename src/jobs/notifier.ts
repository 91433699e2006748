/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Wakes all waiters when something has happened, so that they need not poll. */
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
   * Resolves once more than `count` notifications have happened, after `timeoutMs`, or when the signal aborts, whichever
   * comes first. So a notification between reading `count` and waiting is not missed.
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
      // setTimeout fires at once for a delay above 2^31 − 1 ms.
      const timer = setTimeout(wake, Math.min(timeoutMs, 2 ** 31 - 1))
      signal?.addEventListener('abort', wake, { once: true })
      this.#waiting.add(wake)
    })
  }
}
