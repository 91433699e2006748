/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { randomBytes } from 'node:crypto'
import { readFile, realpath, rename, stat, writeFile } from 'node:fs/promises'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { digestOf, KeyFileError, parseKeyFile } from '../../src/server/callers/key-file.ts'

const HELP = `Usage: npm run --silent make-key -- --name <name> --scopes <scope>,… [--rate <requests>[/<seconds>]] [--expires <date>] [--file <file>]

Makes an API key. The service stores its SHA-256 alone, so the key is shown here and never again.

  --name     who holds it: keys of one name are one caller, as the old and the new one while a key is rotated
  --scopes   what it may do: encode, ask, train, admin (docs/security.md)
  --rate     requests a second, or in so many seconds: 50, 3000/60
  --expires  the last day on which it is valid, in UTC: 2027-06-30
  --file     the file of API_KEYS_FILE, to add the key to; it is made where there is none. The key is then all that is printed.
             Without it the entry for the file is printed, and the key on standard error
`

const KEY_BYTES = 32
/** Prefix by which secret scanners recognize a leaked key. */
const PREFIX = 'sbert_'

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      name: { type: 'string' },
      scopes: { type: 'string' },
      rate: { type: 'string' },
      expires: { type: 'string' },
      file: { type: 'string' },
      help: { type: 'boolean', default: false }
    }
  })
  const { name, scopes, rate, expires, file } = values
  if (values.help || name === undefined || scopes === undefined) {
    process.stdout.write(HELP)
    return values.help ? 0 : 2
  }
  const key = `${PREFIX}${randomBytes(KEY_BYTES).toString('base64url')}`
  const entry = {
    name,
    sha256: digestOf(key),
    scopes: scopes.split(',').map((scope) => scope.trim()),
    ...(rate !== undefined && { rate: rateOf(rate) }),
    ...(expires !== undefined && { expires })
  }
  parseKeyFile(JSON.stringify({ keys: [entry] }))
  if (file === undefined) {
    process.stderr.write(`The key, shown this once: ${key}\n`)
    process.stdout.write(`${JSON.stringify(entry)}\n`)
    return 0
  }
  await addToFile(file, entry)
  process.stdout.write(`${key}\n`)
  return 0
}

/** `50` is 50 requests a second, `3000/60` 3000 in a minute. Anything else fails the check of the entry. */
function rateOf(text: string): { requests: number; seconds: number } {
  const [requests, seconds = 1, ...rest] = text.split('/').map(Number)
  return { requests: rest.length === 0 ? (requests ?? Number.NaN) : Number.NaN, seconds }
}

/** Adds an entry atomically: a service that reads the file meanwhile gets the old or the new version, never a part. */
async function addToFile(path: string, entry: object): Promise<void> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{"keys":[]}'
    throw error
  })
  parseKeyFile(text)
  const file: { keys: object[] } = JSON.parse(text)
  const changed = `${JSON.stringify({ keys: [...file.keys, entry] }, undefined, 2)}\n`
  parseKeyFile(changed)
  const target = await realpath(path).catch(() => path)
  const mode = await stat(target).then(
    (stats) => stats.mode & 0o777,
    () => 0o600
  )
  const temporary = `${target}.${process.pid}.tmp`
  await writeFile(temporary, changed, { mode, flag: 'wx' })
  await rename(temporary, target)
}

try {
  process.exitCode = await main()
} catch (error) {
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(error instanceof KeyFileError ? `Cannot make the key: ${message}\n` : `${message}\n`)
  process.exitCode = 1
}
