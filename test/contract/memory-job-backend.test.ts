/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { MemoryJobBackend } from '../../src/jobs/memory-job-backend.ts'
import { jobBackendModelContract } from './job-backend-model.ts'
import { jobBackendContract, type OpenStore } from './job-backend.ts'

// One process is all there is: every peer is the same backend, told the time of the last one opened.
const openStore: OpenStore = async () => {
  let backend: MemoryJobBackend | undefined
  return async (setting) => (backend ??= new MemoryJobBackend(setting))
}

jobBackendContract('MemoryJobBackend', openStore)
jobBackendModelContract('MemoryJobBackend', openStore, { runCount: 500, isPrompt: true })
