/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { hash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { ApiKey } from '../../../src/server/callers/key-file.ts'
import { inCalls, planChanges } from '../../../tools/edge-keys/plan.ts'

const MAIN = fileURLToPath(new URL('../../../tools/edge-keys/main.ts', import.meta.url))
const ARN = 'arn:aws:cloudfront::123456789012:key-value-store/x'
const TODAY = '2026-11-21'

function pairOf(key: string): { Key: string; Value: string } {
  return { Key: hash('sha256', key), Value: TODAY }
}

test('planChanges() adds new keys, revokes those not given, and leaves the rest', () => {
  const existing = [pairOf('old'), pairOf('kept'), { Key: 'revision', Value: 'r1' }]
  assert.deepEqual(planChanges(existing, { keys: ['kept', 'new', 'new'] }, TODAY), {
    puts: [pairOf('new')],
    deletes: [{ Key: hash('sha256', 'old') }]
  })
})

test('planChanges() of a revision touches no key, and not the revision that is there', () => {
  const existing = [pairOf('a'), { Key: 'revision', Value: 'r1' }]
  assert.deepEqual(planChanges(existing, { revision: 'r2' }, TODAY), {
    puts: [{ Key: 'revision', Value: 'r2' }],
    deletes: []
  })
  assert.deepEqual(planChanges(existing, { revision: 'r1' }, TODAY), { puts: [], deletes: [] })
})

test('planChanges() refuses to let nobody in', () => {
  assert.throws(() => planChanges([pairOf('a')], { keys: [] }, TODAY), RangeError)
})

function fileKey(name: string, more: Partial<ApiKey> = {}): ApiKey {
  return { name, sha256: hash('sha256', name), scopes: ['encode'], ...more }
}

test('planChanges() tells of each key of a file whether its answers may be shared, and until when', () => {
  const fileKeys = [
    fileKey('encodes'),
    fileKey('ends', { expiresAtMs: 1_900_000_000_500 }),
    fileKey('asks', { scopes: ['ask', 'train'] }),
    fileKey('rated', { rate: { requests: 1, seconds: 1 } })
  ]
  const { puts } = planChanges([], { keys: ['plain'], fileKeys }, TODAY)
  assert.deepEqual(puts, [
    { Key: hash('sha256', 'encodes'), Value: TODAY },
    { Key: hash('sha256', 'ends'), Value: `${TODAY} until=1900000000` },
    { Key: hash('sha256', 'asks'), Value: `service ${TODAY}` },
    { Key: hash('sha256', 'rated'), Value: `service ${TODAY}` },
    pairOf('plain')
  ])
  const later = '2026-12-24'
  assert.deepEqual(planChanges(puts, { keys: ['plain'], fileKeys }, later).puts, [], 'nothing has changed')
  const { puts: changed } = planChanges(
    puts,
    { fileKeys: [fileKey('asks'), fileKey('encodes', { scopes: ['ask'] })] },
    later
  )
  assert.deepEqual(changed, [
    { Key: hash('sha256', 'asks'), Value: later },
    { Key: hash('sha256', 'encodes'), Value: `service ${later}` }
  ])
})

test('inCalls() revokes first, and keeps to the size of a call', () => {
  const puts = [pairOf('a'), pairOf('b'), pairOf('c')]
  const deletes = [{ Key: 'x' }]
  assert.deepEqual(inCalls({ puts, deletes }, 2), [
    { puts: [], deletes },
    { puts: puts.slice(0, 2), deletes: [] },
    { puts: puts.slice(2), deletes: [] }
  ])
})

/** Runs the program with a stand-in for the AWS CLI, which writes down how it is called. */
async function edgeKeys(t: TestContext, args: readonly string[], keys: string) {
  const folder = await mkdtemp(join(tmpdir(), 'edge-keys-'))
  t.after(() => rm(folder, { recursive: true }))
  const calls = join(folder, 'calls')
  const items = JSON.stringify({ Items: [pairOf('old'), { Key: 'revision', Value: 'r1' }] })
  const script = `#!/bin/sh
printf '%s\\n' "$*" >> '${calls}'
case "$2" in
  describe-key-value-store) echo '{"ETag":"E1"}' ;;
  list-keys) echo '${items}' ;;
  update-keys) echo '{"ETag":"E2"}' ;;
esac
`
  await writeFile(join(folder, 'aws'), script, { mode: 0o755 })
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}`, API_SECRET_KEY: keys }
  const { promise, resolve } = Promise.withResolvers<{ code: number; out: string }>()
  const child = execFile(process.execPath, [MAIN, ...args], { env }, (_error, stdout, stderr) => {
    resolve({ code: child.exitCode ?? -1, out: stdout + stderr })
  })
  const { code, out } = await promise
  const lines = (await readFile(calls, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '')
  return { code, out, updates: lines.filter((line) => line.includes(' update-keys ')) }
}

test('edge-keys shows what it would do, and writes nothing without --apply', async (t) => {
  const { code, out, updates } = await edgeKeys(t, ['--store', ARN, '--keys'], 'secret-one, secret-two')
  assert.equal(code, 0)
  assert.match(out, new RegExp(`- key ${hash('sha256', 'old').slice(0, 12)}…`))
  assert.match(out, new RegExp(`\\+ key ${hash('sha256', 'secret-two').slice(0, 12)}…`))
  assert.deepEqual(updates, [])
  assert.doesNotMatch(out, /secret-/)
})

test('edge-keys --apply revokes first, each call on top of the one before, and hands on digests only', async (t) => {
  const { code, updates } = await edgeKeys(t, ['--store', ARN, '--keys', '--revision', 'r2', '--apply'], 'secret-one')
  assert.equal(code, 0)
  assert.equal(updates.length, 2)
  assert.match(updates[0] ?? '', new RegExp(`--if-match E1 --deletes .*${hash('sha256', 'old')}`))
  assert.match(updates[1] ?? '', new RegExp(`--if-match E2 --puts .*${hash('sha256', 'secret-one')}.*"r2"`))
  assert.doesNotMatch(updates.join(), /secret-/)
})

test('edge-keys without keys lets nobody be locked out', async (t) => {
  const { code, out, updates } = await edgeKeys(t, ['--store', ARN, '--keys', '--apply'], '')
  assert.equal(code, 1)
  assert.match(out, /none was given/)
  assert.deepEqual(updates, [])
})

test('edge-keys without a store says how it is used', async (t) => {
  const { code, out } = await edgeKeys(t, [], 'x')
  assert.equal(code, 2)
  assert.match(out, /^Usage/)
})
