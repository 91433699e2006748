/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import test from 'node:test'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../../tools/prose/main.ts', import.meta.url))

test('the prose check names file, line and better word of a bad sentence, and an exception that nothing needs', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'prose-'))
  t.after(() => rm(folder, { recursive: true }))
  execFileSync('git', ['init', '-q', folder])
  const check = () => spawnSync(process.execPath, [MAIN], { cwd: folder, encoding: 'utf8' })

  await mkdir(join(folder, 'src/followup'), { recursive: true })
  await writeFile(join(folder, 'README.md'), '# Jobs\n\nA job can be cancelled.\n')
  await writeFile(join(folder, 'src/followup/word-lists.ts'), "export const A = 'company'\n")
  assert.deepEqual({ status: check().status, stderr: check().stderr }, { status: 0, stderr: '' })

  await writeFile(join(folder, 'README.md'), '# Jobs\n\nA job can be called off.\n')
  await writeFile(join(folder, 'src/followup/word-lists.ts'), "export const A = 'firm'\n")
  const { status, stderr } = check()
  assert.equal(status, 1)
  assert.deepEqual(stderr.trim().split('\n'), [
    'README.md:3: "called off": write cancel',
    'tools/prose/glossary.ts: src/followup/word-lists.ts needs no exception for batch-invariant, or "in any batch"'
  ])
})
