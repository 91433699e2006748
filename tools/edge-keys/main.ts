/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import process from 'node:process'
import { parseArgs, promisify } from 'node:util'
import { parseKeyFile, type ApiKey } from '../../src/server/callers/key-file.ts'
import { inCalls, planChanges, type Pair, type Wanted } from './plan.ts'

const HELP = `Usage: npm run edge-keys -- --store <arn> [--keys] [--revision <revision>] [--apply]

Tells CloudFront which API keys may be answered from its cache, and of which revision the model is. Writes the SHA-256 of
each key, never a key. Without --apply it only shows what it would do.

  --store     ARN of the key value store: terraform output -raw key_value_store_arn
  --keys      the keys of API_SECRET_KEY and of the file API_KEYS_FILE, as the service takes them, are all there are: others
              are revoked. Keys without the scope encode, and keys with a rate, are known but never answered from the cache
  --revision  revision of the model, as the header x-model-revision has it: another one leaves all that is cached behind

Needs the AWS CLI, version 2: the store's signatures (SigV4A) come with it. docs/deploy.md tells how to rotate a key.
`
/** The store takes no more in one call. */
const MAX_PAIRS = 50

const run = promisify(execFile)

/** Calls the AWS CLI. @returns its answer, read as JSON */
async function aws(args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run('aws', ['cloudfront-keyvaluestore', ...args, '--output', 'json'], { maxBuffer: 1 << 26 })
  const answer: unknown = JSON.parse(stdout)
  return typeof answer === 'object' && answer !== null ? { ...answer } : {}
}

function pairsIn(answer: Record<string, unknown>): Pair[] {
  const items: unknown = answer['Items']
  if (!Array.isArray(items)) return []
  return items.filter((item): item is Pair => typeof item?.Key === 'string' && typeof item.Value === 'string')
}

function eTagIn(answer: Record<string, unknown>): string {
  return String(answer['ETag'])
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      store: { type: 'string' },
      keys: { type: 'boolean', default: false },
      revision: { type: 'string' },
      apply: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    }
  })
  const { store, revision } = values
  if (values.help || store === undefined || (!values.keys && revision === undefined)) {
    process.stdout.write(HELP)
    return values.help ? 0 : 2
  }
  const wanted: Wanted = {
    ...(values.keys && { keys: keysIn(process.env['API_SECRET_KEY'] ?? ''), fileKeys: await keysOfFile() }),
    ...(revision !== undefined && { revision })
  }
  const arn = ['--kvs-arn', store]
  let eTag = eTagIn(await aws(['describe-key-value-store', ...arn]))
  const existing = pairsIn(await aws(['list-keys', ...arn]))
  const changes = planChanges(existing, wanted, new Date().toISOString().slice(0, 10))
  const shown = (Key: string): string => (Key === 'revision' ? `revision ${revision}` : `key ${Key.slice(0, 12)}…`)
  for (const { Key } of changes.deletes) process.stdout.write(`- ${shown(Key)}\n`)
  for (const { Key, Value } of changes.puts) {
    process.stdout.write(`+ ${shown(Key)}${Value.startsWith('service') ? ' (asked at the service)' : ''}\n`)
  }
  const changeCount = changes.puts.length + changes.deletes.length
  if (!values.apply) {
    process.stdout.write(changeCount === 0 ? 'Nothing to do\n' : 'Nothing was written: --apply does it\n')
    return 0
  }
  for (const { puts, deletes } of inCalls(changes, MAX_PAIRS)) {
    const what = puts.length > 0 ? ['--puts', JSON.stringify(puts)] : ['--deletes', JSON.stringify(deletes)]
    // If-Match: somebody else's change in between is not undone, this one fails.
    eTag = eTagIn(await aws(['update-keys', ...arn, '--if-match', eTag, ...what]))
  }
  process.stdout.write(`${changeCount} change(s) written\n`)
  return 0
}

async function keysOfFile(): Promise<ApiKey[]> {
  const path = process.env['API_KEYS_FILE'] ?? ''
  return path === '' ? [] : parseKeyFile(await readFile(path, 'utf8'))
}

/** As src/config/settings.ts reads it: comma separated, without white space around. */
function keysIn(text: string): string[] {
  return text
    .split(',')
    .map((key) => key.trim())
    .filter((key) => key !== '')
}

try {
  process.exitCode = await main()
} catch (error) {
  // What the CLI says is fit to be shown: no key is ever handed to it.
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
