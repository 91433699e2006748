/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { digestOf, parseKeyFile } from '../../../src/server/callers/key-file.ts'
import { temporaryFolder } from '../../server/mentor-app.ts'

const MAIN = fileURLToPath(new URL('../../../tools/make-key/main.ts', import.meta.url))

async function makeKey(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  const { promise, resolve } = Promise.withResolvers<{ code: number; out: string; error: string }>()
  const child = execFile(process.execPath, [MAIN, ...args], (_error, out, error) => {
    resolve({ code: child.exitCode ?? -1, out, error })
  })
  return promise
}

test('make-key prints an entry for the file, and the key beside it', async () => {
  const { code, out, error } = await makeKey('--name', 'web', '--scopes', 'encode, ask', '--rate', '3000/60')
  assert.equal(code, 0)
  const [, key = ''] = /: (sbert_[\w-]{43})\n$/.exec(error) ?? []
  const [entry] = parseKeyFile(`{"keys":[${out}]}`)
  const rate = { requests: 3000, seconds: 60 }
  assert.deepEqual(entry, { name: 'web', sha256: digestOf(key), scopes: ['encode', 'ask'], rate })
  assert.ok(!out.includes(key))
})

test('make-key --file adds to the file in one step, keeps its mode and what a link leads to, and prints the key alone', async (t) => {
  const folder = await temporaryFolder(t)
  const [path, link] = [join(folder, 'keys.json'), join(folder, 'link.json')]
  const first = await makeKey('--name', 'web', '--scopes', 'ask', '--file', path)
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  await chmod(path, 0o640)
  await symlink('keys.json', link)
  const second = await makeKey('--name', 'web', '--scopes', 'ask', '--expires', '2027-06-30', '--file', link)
  const keys = parseKeyFile(await readFile(path, 'utf8'))
  assert.deepEqual(
    keys.map(({ sha256 }) => sha256),
    [first, second].map(({ out }) => digestOf(out.trim()))
  )
  assert.equal((await stat(path)).mode & 0o777, 0o640)
})

test('make-key refuses what the service would, and leaves a broken file alone', async (t) => {
  const path = join(await temporaryFolder(t), 'keys.json')
  await writeFile(path, '{')
  const wrong = [
    ['--name', 'web', '--scopes', 'everything'],
    ['--name', 'a b', '--scopes', 'ask'],
    ['--name', 'web', '--scopes', 'ask', '--rate', '5/1/1'],
    ['--name', 'web', '--scopes', 'ask', '--rate', 'many'],
    ['--name', 'web', '--scopes', 'ask', '--expires', 'tomorrow'],
    ['--name', 'web', '--scopes', 'ask', '--file', path]
  ]
  for (const args of wrong) {
    const { code, out } = await makeKey(...args)
    assert.deepEqual([code, out], [1, ''], args.join(' '))
  }
  assert.equal(await readFile(path, 'utf8'), '{')
  assert.equal((await makeKey('--name', 'web')).code, 2)
})
