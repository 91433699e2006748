/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { loadConfig } from '../../src/config/load-config.ts'
import { createJobRunner, jobRouteOptions, openJobBackend } from '../../src/app/jobs.ts'
import { packPayload } from '../../src/jobs/payload.ts'
import { unpackEmbeddings } from '../../src/jobs/embeddings-result.ts'
import { ReadingLine } from '../../src/reading/reading-line.ts'
import { AwsJobBackend } from '../../src/platform/aws-job-backend.ts'
import { StandInEncoder, embeddingOf } from '../server/test-app.ts'

const LINE = new ReadingLine({ maxWaitingBodies: 4, maxWaitingOfCaller: 4, readingMemoryBytes: 268_435_456 })
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined }

test('the parts of BACKEND=local do a job that was accepted before a restart', async (t) => {
  const DATA_DIR = await mkdtemp(join(tmpdir(), 'jobs-'))
  t.after(() => rm(DATA_DIR, { recursive: true }))
  const config = loadConfig({ DATA_DIR })
  const before = await openJobBackend(config)
  const { types, callbacks } = jobRouteOptions(config, before, LINE)
  assert.deepEqual([...types.keys()], ['encode', 'paraphrase'])
  assert.equal(callbacks, undefined)
  const enqueued = await before.enqueue({ type: 'encode', input: packPayload({ sentences: ['a'] }) })
  assert(enqueued.outcome === 'added')
  await before.close()

  const backend = await openJobBackend(config)
  const runner = createJobRunner(config, backend, new StandInEncoder(), SILENT, new Map())
  t.after(async () => {
    await runner.stop()
    await backend.close()
  })
  runner.start()
  await backend.waitUntilEnded(enqueued.job.id, 5000)
  const result = await backend.result(enqueued.job.id)
  assert(result !== undefined)
  assert.deepEqual(unpackEmbeddings(result).values, embeddingOf('a'))
})

test('BACKEND=aws opens the backend on SQS, DynamoDB and S3, and asks for what it needs', async () => {
  const complete = {
    BACKEND: 'aws',
    JOBS_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/1/jobs',
    JOBS_TABLE: 'jobs',
    MODELS_BUCKET: 'models'
  }
  const backend = await openJobBackend(loadConfig(complete))
  assert(backend instanceof AwsJobBackend)
  await backend.close()
  assert.throws(() => loadConfig({ BACKEND: 'aws', JOBS_TABLE: 'jobs' }), {
    problems: ['JOBS_QUEUE_URL: must be set with BACKEND=aws', 'MODELS_BUCKET: must be set with BACKEND=aws']
  })
})

test('callbacks are accepted where there is a secret to sign them with', async (t) => {
  const DATA_DIR = await mkdtemp(join(tmpdir(), 'jobs-'))
  t.after(() => rm(DATA_DIR, { recursive: true }))
  const config = loadConfig({ DATA_DIR, WEBHOOK_SECRET: 'a-secret-for-signing', WEBHOOK_ALLOW_PRIVATE: 'yes' })
  const backend = await openJobBackend(config)
  t.after(() => backend.close())
  assert.deepEqual(jobRouteOptions(config, backend, LINE).callbacks, { allowsPrivate: true })
})
