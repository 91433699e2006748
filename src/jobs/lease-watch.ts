/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** What an observer sees of a lease. */
export interface LeaseSighting {
  readonly jobId: string
  readonly token: number
  /** Grows with every heartbeat. */
  readonly beat: number
  readonly leaseMs: number
}

/**
 * Finds leases whose holder fell silent, without trusting anyone's wall clock: a lease is over when its token and its
 * heartbeat count did not change for `leaseMs` between two looks of this observer.
 * Source: the lock client of Amazon DynamoDB ("recordVersionNumber").
 */
export class LeaseWatch {
  #seen = new Map<string, LeaseSighting & { readonly sinceMs: number }>()

  /**
   * Takes a look at all leases there are.
   * @param monotonicMs when; must never go back
   * @returns the leases that are over
   */
  look(leases: readonly LeaseSighting[], monotonicMs: number): LeaseSighting[] {
    const before = this.#seen
    this.#seen = new Map()
    const silent: LeaseSighting[] = []
    for (const lease of leases) {
      const last = before.get(lease.jobId)
      const isUnchanged = last !== undefined && last.token === lease.token && last.beat === lease.beat
      const sinceMs = isUnchanged ? last.sinceMs : monotonicMs
      if (monotonicMs - sinceMs >= lease.leaseMs) silent.push(lease)
      this.#seen.set(lease.jobId, { ...lease, sinceMs })
    }
    return silent
  }
}
