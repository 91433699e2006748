/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '../../..')
const REPORT = join(ROOT, 'docs/benchmarks.md')

test('the bench refuses a section that it has no program for, names those it has, and leaves the report alone', async () => {
  const before = await readFile(REPORT, 'utf8').catch(() => 'none')
  await assert.rejects(
    promisify(execFile)(process.execPath, [join(ROOT, 'tools/bench/main.ts'), 'engine', 'no-such-section']),
    (error: Error & { code?: unknown; stderr?: unknown }) => {
      assert.equal(error.code, 1)
      assert.match(String(error.stderr), /no section no-such-section; there are: .*encode-http, .*engine/)
      return true
    }
  )
  assert.equal(await readFile(REPORT, 'utf8').catch(() => 'none'), before)
})
