/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { SqliteJobBackend } from '../../src/jobs/sqlite-job-backend.ts'
import { jobBackendModelContract } from './job-backend-model.ts'
import { jobBackendContract, sharedJobBackendContract, type OpenStore } from './job-backend.ts'

const openStore: OpenStore = async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'jobs-'))
  t.after(() => rm(directory, { recursive: true }))
  return (setting) => SqliteJobBackend.open({ path: join(directory, 'jobs.db'), ...setting })
}

jobBackendContract('SqliteJobBackend', openStore)
sharedJobBackendContract('SqliteJobBackend', openStore)
jobBackendModelContract('SqliteJobBackend', openStore, { runCount: 40, isPrompt: true })
