/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { test } from 'node:test'
import { openMentors } from '../../src/app/mentors.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { findNativeFunctions, PROGRAM_FILE } from '../../src/embedding/native-program.ts'
import { MemoryJobBackend } from '../../src/jobs/memory-job-backend.ts'
import { temporaryFolder, WordsEncoder } from '../server/mentor-app.ts'

test('openMentors() does not read the native program again when its process has found it', async (t) => {
  const natives = await findNativeFunctions()
  const config = loadConfig({ DATA_DIR: await temporaryFolder(t) })
  const read = t.mock.method(fs, 'createReadStream')
  syncBuiltinESMExports()
  t.after(() => {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  })
  const readCount = () => read.mock.calls.filter((call) => String(call.arguments[0]).endsWith(PROGRAM_FILE)).length
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  await using closing = new AsyncDisposableStack()
  const dependencies = { jobs: new MemoryJobBackend(), encoder: new WordsEncoder(), log, closing }
  await openMentors(config, { ...dependencies, natives })
  assert.equal(readCount(), 0)
})
