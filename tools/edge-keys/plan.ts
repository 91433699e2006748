/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { hash } from 'node:crypto'

/** A pair of the key value store; edge/authorize.js looks for digests of keys, and for the revision. */
export interface Pair {
  readonly Key: string
  readonly Value: string
}

/** What the store should say. */
export interface Wanted {
  /** Every API key that may be answered from the cache; nothing leaves those in the store as they are. */
  readonly keys?: readonly string[]
  /** Revision of the model; nothing leaves the one in the store. */
  readonly revision?: string
}

/** What has to be written, and what deleted. */
export interface KeyChanges {
  readonly puts: readonly Pair[]
  readonly deletes: readonly { readonly Key: string }[]
}

const REVISION = 'revision'
const DIGEST = /^[0-9a-f]{64}$/

/**
 * The way from what the store has to what it should have. Only digests leave this function, never a key.
 * @param today ISO date, for people who look into the store
 * @throws {RangeError} when `keys` is empty: then nobody at all would be let in
 */
export function planChanges(existing: readonly Pair[], wanted: Wanted, today: string): KeyChanges {
  const puts: Pair[] = []
  const deletes: { Key: string }[] = []
  if (wanted.keys !== undefined) {
    if (wanted.keys.length === 0)
      throw new RangeError('Cannot write the keys: none was given, which would let nobody in')
    const digests = new Set(wanted.keys.map((key) => hash('sha256', key)))
    const known = new Set(existing.map((pair) => pair.Key))
    for (const Key of digests) if (!known.has(Key)) puts.push({ Key, Value: today })
    for (const { Key } of existing) if (DIGEST.test(Key) && !digests.has(Key)) deletes.push({ Key })
  }
  if (wanted.revision !== undefined) {
    const now = existing.find((pair) => pair.Key === REVISION)
    if (now?.Value !== wanted.revision) puts.push({ Key: REVISION, Value: wanted.revision })
  }
  return { puts, deletes }
}

/** Changes in calls that the store takes: revoked keys leave in the first. @param size most pairs of a call */
export function inCalls(changes: KeyChanges, size: number): KeyChanges[] {
  const calls: KeyChanges[] = []
  for (let start = 0; start < changes.deletes.length; start += size) {
    calls.push({ puts: [], deletes: changes.deletes.slice(start, start + size) })
  }
  for (let start = 0; start < changes.puts.length; start += size) {
    calls.push({ puts: changes.puts.slice(start, start + size), deletes: [] })
  }
  return calls
}
