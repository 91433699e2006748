/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { digestOf, type ApiKey } from '../../src/server/callers/key-file.ts'

/** A pair of the key value store; edge/authorize.js looks for digests of keys, and for the revision. */
export interface Pair {
  readonly Key: string
  readonly Value: string
}

/** The desired content of the store. */
export interface Wanted {
  /** Every key of `API_SECRET_KEY`; without these and `fileKeys`, those in the store stay as they are. */
  readonly keys?: readonly string[]
  /** Every key of `API_KEYS_FILE`. */
  readonly fileKeys?: readonly ApiKey[]
  /** Revision of the model; nothing leaves the one in the store. */
  readonly revision?: string
}

/** Pairs to write and keys to delete. */
export interface KeyChanges {
  readonly puts: readonly Pair[]
  readonly deletes: readonly { readonly Key: string }[]
}

const REVISION = 'revision'
const DIGEST = /^[0-9a-f]{64}$/
const DATE = /\d{4}-\d{2}-\d{2}/
/** Of keys that the service has to be asked about each time. */
const SERVICE = 'service'

/**
 * Plans the changes from the current to the desired content of the store. The result contains only digests, never a
 * key.
 * @param today ISO date, for people who look into the store
 * @throws {RangeError} when there is no key at all: then nobody would be let in
 */
export function planChanges(existing: readonly Pair[], wanted: Wanted, today: string): KeyChanges {
  const puts: Pair[] = []
  const deletes: { Key: string }[] = []
  if (wanted.keys !== undefined || wanted.fileKeys !== undefined) {
    const rules = new Map((wanted.fileKeys ?? []).map((key) => [key.sha256, ruleOf(key)]))
    for (const key of wanted.keys ?? []) rules.set(digestOf(key), '')
    if (rules.size === 0) throw new RangeError('Cannot write the keys: none was given, which would let nobody in')
    const known = new Map(existing.map(({ Key, Value }) => [Key, Value.replace(DATE, '').trim()]))
    for (const [Key, rule] of rules) {
      if (known.get(Key) !== rule)
        puts.push({ Key, Value: (rule === SERVICE ? [rule, today] : [today, rule]).join(' ').trim() })
    }
    for (const { Key } of existing) if (DIGEST.test(Key) && !rules.has(Key)) deletes.push({ Key })
  }
  if (wanted.revision !== undefined) {
    const now = existing.find((pair) => pair.Key === REVISION)
    if (now?.Value !== wanted.revision) puts.push({ Key: REVISION, Value: wanted.revision })
  }
  return { puts, deletes }
}

/** What the edge is told of a key: `service`, or until when its answers may be shared, or nothing where that has no end. */
function ruleOf({ scopes, rate, expiresAtMs }: ApiKey): string {
  // A request that is answered at the edge is not counted.
  if (!scopes.includes('encode') || rate !== undefined) return SERVICE
  return expiresAtMs === undefined ? '' : `until=${Math.floor(expiresAtMs / 1000)}`
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
