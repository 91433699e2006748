/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { timingSafeEqual } from 'node:crypto'
import type { Caller } from './caller.ts'
import type { ApiKey } from './key-file.ts'
import { RateQuota } from './rate-quota.ts'

/** Digits of a digest by which a key is looked up. The time of a lookup may reveal digests, but nobody can find a key for a digest. */
const PREFIX_DIGITS = 16

interface KnownKey {
  readonly digest: Buffer
  readonly expiresAtMs: number
  readonly caller: Caller
}

/** The present keys, by their digests. All are replaced at once, in one step of the event loop. */
export class KeyRing {
  #keys: ReadonlyMap<string, KnownKey> = new Map()
  #quotas: ReadonlyMap<string, RateQuota> = new Map()

  /** Number of keys, including expired ones. */
  get size(): number {
    return this.#keys.size
  }

  /** Number of quotas: one for each present name with a rate. */
  get quotaCount(): number {
    return this.#quotas.size
  }

  /** Replaces all keys. A caller whose rate stays the same keeps the state of its quota. */
  replace(keys: readonly ApiKey[]): void {
    const known = new Map<string, KnownKey>()
    const quotas = new Map<string, RateQuota>()
    for (const { name, sha256, scopes, rate, expiresAtMs = Number.POSITIVE_INFINITY } of keys) {
      let quota: RateQuota | undefined
      if (rate !== undefined) {
        const before = quotas.get(name) ?? this.#quotas.get(name)
        const isSame = before?.rate.requests === rate.requests && before.rate.seconds === rate.seconds
        quota = isSame ? before : new RateQuota(rate)
        quotas.set(name, quota)
      }
      const caller = Object.freeze<Caller>({
        kind: 'key',
        keyId: `key:${name}`,
        name,
        scopes,
        ...(quota !== undefined && { quota })
      })
      known.set(sha256.slice(0, PREFIX_DIGITS), { digest: Buffer.from(sha256, 'latin1'), expiresAtMs, caller })
    }
    this.#keys = known
    this.#quotas = quotas
  }

  /**
   * Finds the caller of a key by the key's digest; undefined for an unknown or expired key.
   * @param sha256 64 hexadecimal digits
   * @param nowMs milliseconds since 1970
   */
  find(sha256: string, nowMs: number): Caller | undefined {
    const known = this.#keys.get(sha256.slice(0, PREFIX_DIGITS))
    if (known === undefined || !timingSafeEqual(known.digest, Buffer.from(sha256, 'latin1'))) return undefined
    return nowMs < known.expiresAtMs ? known.caller : undefined
  }
}
