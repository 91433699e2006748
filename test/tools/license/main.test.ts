/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import test from 'node:test'

const MAIN = join(import.meta.dirname, '../../../tools/license/main.ts')

test('license checks and mends what git tracks or would track, and nothing that it ignores', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'license-'))
  t.after(() => rm(root, { recursive: true, force: true }))
  // The variables that git sets for a hook would lead it to the repository that is being committed to.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')))
  const license = (...options: string[]): { status: number | null; stderr: string } => {
    return spawnSync(process.execPath, [MAIN, ...options], { cwd: join(root, 'src'), env, encoding: 'utf8' })
  }
  await mkdir(join(root, 'src'))
  await mkdir(join(root, 'ignored'))
  await writeFile(join(root, 'LICENSE_HEADER'), 'Ours.\n')
  await writeFile(join(root, '.gitignore'), 'ignored/\n')
  await writeFile(join(root, 'src/tracked.ts'), 'export {}\n')
  await writeFile(join(root, 'src/deleted.ts'), 'export {}\n')
  await writeFile(join(root, 'ignored/foreign.js'), 'foreign()\n')
  execFileSync('git', ['init', '--quiet'], { cwd: root, env })
  execFileSync('git', ['add', '.'], { cwd: root, env })
  await unlink(join(root, 'src/deleted.ts'))
  await writeFile(join(root, 'src/new file.py'), 'print()\n')

  const before = license()
  assert.equal(before.status, 1)
  assert.deepEqual(before.stderr.split('\n').slice(0, -2).toSorted(), ['src/new file.py', 'src/tracked.ts'])
  assert.match(before.stderr, /missing in 2 of 2 source files: run `make license`\n$/)

  assert.equal(license('--add').status, 0)
  assert.equal(await readFile(join(root, 'src/tracked.ts'), 'utf8'), '/*\n * Ours.\n */\n\nexport {}\n')
  assert.equal(await readFile(join(root, 'src/new file.py'), 'utf8'), '# Ours.\n\nprint()\n')
  assert.equal(await readFile(join(root, 'ignored/foreign.js'), 'utf8'), 'foreign()\n')

  const after = license()
  assert.equal(after.status, 0)
  assert.equal(after.stderr, 'All 2 source files have the licence header\n')
})
