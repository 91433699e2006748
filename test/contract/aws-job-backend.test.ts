/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { randomUUID } from 'node:crypto'
import { after, before } from 'node:test'

import { AwsJobBackend } from '../../src/platform/aws-job-backend.ts'
import {
  EMULATOR_ENVIRONMENT,
  missingTools,
  startEmulators,
  stopEmulators,
  type Emulators
} from '../emulators/emulators.ts'
import { createJobResources } from '../emulators/job-resources.ts'
import { jobBackendContract, sharedJobBackendContract, type OpenStore } from './job-backend.ts'

Object.assign(process.env, EMULATOR_ENVIRONMENT)

const reason = await missingTools()
if (reason === undefined || process.env['CI'] === 'true') {
  let emulators: Emulators | undefined
  before(async () => {
    emulators = await startEmulators()
  })
  after(async () => {
    if (emulators !== undefined) await stopEmulators(emulators)
  })
  const openStore: OpenStore = async () => {
    if (emulators === undefined) throw new Error('The emulators have not started')
    const resources = await createJobResources(emulators, `jobs-${randomUUID()}`)
    return async (setting) => new AwsJobBackend({ ...resources, ...setting })
  }
  jobBackendContract('AwsJobBackend', openStore)
  sharedJobBackendContract('AwsJobBackend', openStore)
} else {
  process.stderr.write(`AwsJobBackend: its contract is left out: ${reason}\n`)
}
