/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { hash } from 'node:crypto'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { allScopes, SCOPES, type Scope } from './scope.ts'
import type { Rate } from './rate-quota.ts'

/** An API key as it is stored: by its digest, from which the key cannot be recovered. */
export interface ApiKey {
  /** The holder's name. Keys with the same name are one caller. */
  readonly name: string
  /** SHA-256 of the key, 64 hexadecimal digits. */
  readonly sha256: string
  /** All scopes, including implied ones. */
  readonly scopes: readonly Scope[]
  readonly rate?: Rate
  /** When it expires, in milliseconds since 1970. */
  readonly expiresAtMs?: number
}

/** Thrown for an invalid key file. The message names keys by their position, and quotes nothing of the file. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError'
}

/** Maximum size of a key file. */
export const MAX_KEY_FILE_BYTES = 4_194_304
export const MAX_KEYS = 10_000

const MAX_PROBLEMS = 10
const DAY_MS = 86_400_000
const DATE = String.raw`\d{4}-\d{2}-\d{2}`

const KeyEntry = Type.Object(
  {
    name: Type.String({ pattern: '^[A-Za-z0-9._-]{1,60}$' }),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    scopes: Type.Array(Type.Enum([...SCOPES]), { minItems: 1, maxItems: SCOPES.length, uniqueItems: true }),
    rate: Type.Optional(
      Type.Object(
        {
          requests: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
          seconds: Type.Integer({ minimum: 1, maximum: 86_400 })
        },
        { additionalProperties: false }
      )
    ),
    expires: Type.Optional(Type.String({ pattern: `^${DATE}(?:T\\d{2}:\\d{2}:\\d{2}(?:\\.\\d{1,3})?Z)?$` }))
  },
  { additionalProperties: false }
)
const KeyFile = Compile(
  Type.Object({ keys: Type.Array(KeyEntry, { maxItems: MAX_KEYS }) }, { additionalProperties: false })
)

/** The digest of a key, by which it is stored and found. */
export function digestOf(key: string): string {
  return hash('sha256', key)
}

/**
 * Parses a key file.
 * @throws {KeyFileError} that lists the problems; a file with any problem is refused as a whole
 */
export function parseKeyFile(text: string): ApiKey[] {
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    // V8's message quotes the file.
    throw new KeyFileError('it is not JSON')
  }
  if (!KeyFile.Check(file)) {
    // The parent's error covers an unknown member; the path of the member itself would quote its name.
    const found = KeyFile.Errors(file).filter(({ keyword }) => keyword !== 'boolean')
    const problems = found.map(({ instancePath, message }) => `${instancePath || '/'} ${message}`)
    throw new KeyFileError([...new Set(problems)].slice(0, MAX_PROBLEMS).join('; '))
  }
  const problems: string[] = []
  const digests = new Set<string>()
  const rates = new Map<string, string>()
  const keys = file.keys.map(({ expires, ...entry }, index): ApiKey => {
    const expiresAtMs = expires === undefined ? undefined : endOf(expires)
    if (Number.isNaN(expiresAtMs)) problems.push(`/keys/${index}/expires is not a date`)
    if (digests.has(entry.sha256)) problems.push(`/keys/${index}/sha256 is there twice`)
    digests.add(entry.sha256)
    const rate = JSON.stringify([entry.rate?.requests, entry.rate?.seconds])
    if ((rates.get(entry.name) ?? rate) !== rate) problems.push(`/keys/${index}/rate differs from another of its name`)
    rates.set(entry.name, rate)
    return { ...entry, scopes: allScopes(entry.scopes), ...(expiresAtMs !== undefined && { expiresAtMs }) }
  })
  if (problems.length > 0) throw new KeyFileError(problems.slice(0, MAX_PROBLEMS).join('; '))
  return keys
}

/** When a date ends: a day at its end, in UTC. NaN for an invalid date, such as February 30. */
function endOf(expires: string): number {
  const isDay = expires.length === 10
  const atMs = Date.parse(expires)
  // JavaScript takes February 30 for March 2.
  if (Number.isNaN(atMs) || new Date(atMs).toISOString().slice(0, 10) !== expires.slice(0, 10)) return Number.NaN
  return isDay ? atMs + DAY_MS : atMs
}
