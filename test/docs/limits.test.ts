/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import type { Setting } from '../../src/config/setting.ts'
import { SETTINGS } from '../../src/config/settings.ts'
import { MAX_UNWRITTEN } from '../../src/answering/answer-write-buffer.ts'
import { MAX_JOB_SENTENCES } from '../../src/jobs/encode-job.ts'
import { MAX_PHRASES } from '../../src/mentor/mentor-upload.ts'
import { MAX_QUESTIONS } from '../../src/mentor/training-data.ts'
import { MAX_READING_MS } from '../../src/reading/reading-line.ts'
import { MAX_HEADER_BYTES } from '../../src/server/app.ts'
import { MAX_EVENT_LISTENERS } from '../../src/server/service-sampler.ts'

const ROOT = join(import.meta.dirname, '../..')
const settings: Record<string, Setting<unknown>> = SETTINGS

/** Settings whose words say that something beyond them is refused or closed, and those they are a share of. */
const LIMIT = /beyond it|refused|closed|leave free/

test('docs/limits.md lists each setting that is a limit, with its default', async () => {
  const page = await readFile(join(ROOT, 'docs/limits.md'), 'utf8')
  const listed = [...page.matchAll(/^\| [^|]+\| `([A-Z_]+)`\s+\| (\d+)\s+\| [^|]+ \|$/gm)]
  const limits = Object.entries(settings).filter(([, { unit, doc }]) => unit !== undefined && LIMIT.test(doc))
  const named = new Set(listed.map(([, name]) => name))
  assert.deepEqual(
    limits.map(([name]) => name).filter((name) => !named.has(name)),
    [],
    'settings that are not on the page'
  )
  for (const [, name = '', value] of listed) assert.equal(value, String(settings[name]?.default), name)
  assert.equal(named.size, listed.length)
})

test('docs/limits.md has the limits that no setting changes as the code has them', async () => {
  const page = await readFile(join(ROOT, 'docs/limits.md'), 'utf8')
  for (const value of [
    `${MAX_HEADER_BYTES} bytes`,
    `${MAX_READING_MS} ms`,
    MAX_JOB_SENTENCES,
    MAX_QUESTIONS,
    MAX_PHRASES,
    MAX_EVENT_LISTENERS,
    MAX_UNWRITTEN
  ]) {
    assert.match(page, new RegExp(`^\\| [^|]+\\| ${value} +\\|`, 'm'))
  }
})

test('README.md and docs/architecture.md lead to docs/limits.md', async () => {
  assert.match(await readFile(join(ROOT, 'README.md'), 'utf8'), /\(docs\/limits\.md\)/)
  assert.match(await readFile(join(ROOT, 'docs/architecture.md'), 'utf8'), /\(limits\.md\)/)
})
