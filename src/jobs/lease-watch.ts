/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** A lease as an observer sees it. */
export interface LeaseSighting {
  readonly jobId: string
  readonly token: number
  /** Grows with every heartbeat. */
  readonly beat: number
  readonly leaseMs: number
}

/**
 * Finds leases whose holder fell silent, without trusting any wall clock: a lease has expired when this observer has seen
 * the same token and heartbeat count for at least `leaseMs`.
 * Source: the lock client of Amazon DynamoDB ("recordVersionNumber").
 */
export class LeaseWatch {
  #seen = new Map<string, LeaseSighting & { readonly sinceMs: number }>()

  /**
   * Looks at all present leases.
   * @param monotonicMs time of the look; must never go back
   * @returns the leases that have expired
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
