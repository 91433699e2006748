/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { text } from 'node:stream/consumers'
import { withLockFile } from '../../../tools/download-models/lock-file.ts'

const MAIN = join(import.meta.dirname, '../../../tools/compile-model/main.ts')

test('compile-model waits while another process compiles, and then goes on', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'compile-'))
  t.after(() => rm(folder, { recursive: true }))
  await mkdir(join(folder, 'source'))
  const lock = join(folder, 'source/.compile-lock')
  const signal = AbortSignal.timeout(60_000)
  const child = await withLockFile(lock, { signal, onWait: assert.fail }, async () => {
    const started = spawn(process.execPath, [MAIN, folder], { stdio: ['ignore', 'pipe', 'pipe'] })
    t.after(() => started.kill())
    const [line]: unknown[] = await once(started.stdout, 'data', { signal })
    assert.match(String(line), /another process is compiling: waiting for it/)
    return started
  })
  // There is no model in the folder, which it sees only now.
  assert.match(await text(child.stderr), /compile-model: ENOENT/)
})
