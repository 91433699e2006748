/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { digestOf, MAX_KEY_FILE_BYTES } from '../../../src/server/callers/key-file.ts'
import { KeyRing } from '../../../src/server/callers/key-ring.ts'
import { keyFileAt, watchKeyFile } from '../../../src/server/callers/watched-key-file.ts'
import { temporaryFolder } from '../mentor-app.ts'
import { lineLogger } from '../test-app.ts'

function fileOf(...keys: string[]): string {
  return JSON.stringify({ keys: keys.map((key) => ({ name: key, sha256: digestOf(key), scopes: ['ask'] })) })
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!isSo()) {
    assert.ok(Date.now() < deadline, 'it did not come about')
    await pause(2)
  }
}

/** A watched file that is looked at every few milliseconds. */
async function watch(t: TestContext, path: string) {
  const ring = new KeyRing()
  const lines: string[] = []
  const file = await watchKeyFile({ source: keyFileAt(path, 5), ring, log: lineLogger(lines) })
  t.after(() => file.close())
  const knows = (key: string): boolean => ring.find(digestOf(key), 0) !== undefined
  return { ring, lines, file, knows }
}

test('watchKeyFile() follows a file that is written in place, and one that takes its place', async (t) => {
  const path = join(await temporaryFolder(t), 'keys.json')
  await writeFile(path, fileOf('one'))
  const { knows } = await watch(t, path)
  assert.ok(knows('one'))
  await writeFile(path, fileOf('two'))
  await until(() => knows('two') && !knows('one'))
  await writeFile(`${path}.new`, fileOf('three'))
  await rename(`${path}.new`, path)
  await until(() => knows('three') && !knows('two'))
})

test('watchKeyFile() follows a secret as Kubernetes mounts it: a link to a folder that is replaced', async (t) => {
  const folder = await temporaryFolder(t)
  const put = async (version: string, text: string): Promise<void> => {
    await mkdir(join(folder, version))
    await writeFile(join(folder, version, 'keys.json'), text)
    await symlink(version, join(folder, '..data_tmp'))
    await rename(join(folder, '..data_tmp'), join(folder, '..data'))
  }
  await put('..1', fileOf('one'))
  await symlink('..data/keys.json', join(folder, 'keys.json'))
  const { knows } = await watch(t, join(folder, 'keys.json'))
  assert.ok(knows('one'))
  await put('..2', fileOf('two'))
  await rm(join(folder, '..1'), { recursive: true })
  await until(() => knows('two') && !knows('one'))
})

test('a broken or missing file leaves the keys as they are, is said once and counted, and is taken once it is right', async (t) => {
  const path = join(await temporaryFolder(t), 'keys.json')
  await writeFile(path, fileOf('one'))
  const { file, lines, knows } = await watch(t, path)
  const told = (): string[] => lines.filter((line) => line.includes('"level":50'))
  await writeFile(path, '{"keys": [{"sha256": "sbert_pasted-by-mistake')
  await until(() => file.isBehind)
  for (let look = 0; look < 5; look += 1) await file.look()
  assert.deepEqual([knows('one'), file.failureCount, told().length], [true, 1, 1])
  assert.match(told()[0] ?? '', /the keys stay as they were/)
  assert.doesNotMatch(lines.join(), /sbert_/)
  await rm(path)
  await until(() => file.failureCount === 2)
  assert.match(told()[1] ?? '', /ENOENT/)
  await writeFile(path, fileOf('two'))
  await until(() => knows('two'))
  assert.deepEqual([knows('one'), file.isBehind, file.failureCount], [false, false, 2])
})

test('a file that is longer than may be is not read', async (t) => {
  const path = join(await temporaryFolder(t), 'keys.json')
  await writeFile(path, fileOf('one'))
  const { file, knows } = await watch(t, path)
  await truncate(path, MAX_KEY_FILE_BYTES + 1)
  await until(() => file.isBehind)
  assert.ok(knows('one'))
})

test('watchKeyFile() does not begin without keys', async (t) => {
  const folder = await temporaryFolder(t)
  const log = lineLogger([])
  for (const path of [join(folder, 'none.json'), folder]) {
    await assert.rejects(watchKeyFile({ source: keyFileAt(path), ring: new KeyRing(), log }), { name: 'KeyFileError' })
  }
})

test('reload() reads the file without waiting for a look', async (t) => {
  const path = join(await temporaryFolder(t), 'keys.json')
  await writeFile(path, fileOf('one'))
  const ring = new KeyRing()
  const file = await watchKeyFile({ source: keyFileAt(path, 1e6), ring, log: lineLogger([]) })
  t.after(() => file.close())
  await writeFile(path, fileOf('two'))
  await file.reload()
  assert.ok(ring.find(digestOf('two'), 0))
})
