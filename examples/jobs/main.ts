/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/*
 * Runs a producer in one process and a consumer in another:
 *   npm run example                    on a SQLite file of its own
 *   BACKEND=emulator npm run example   on emulators of SQS, DynamoDB and S3, which it fetches and starts (java, mvn, python)
 *   BACKEND=aws JOBS_QUEUE_URL=… JOBS_TABLE=… MODELS_BUCKET=… AWS_REGION=… npm run example
 */
async function main(): Promise<void> {
  if (process.env['BACKEND'] === 'emulator') await withEmulators(runBoth)
  else await withSqlite(runBoth)
}

async function runBoth(environment: Record<string, string>): Promise<void> {
  const consumer = start('consumer.ts', environment)
  const consumerExit = once(consumer, 'exit')
  const producer = start('producer.ts', environment)
  const [code] = await Promise.race([once(producer, 'exit'), consumerExit])
  consumer.kill('SIGTERM')
  await consumerExit
  if (code !== 0) process.exitCode = 1
}

function start(program: string, environment: Record<string, string>): ChildProcess {
  const path = fileURLToPath(new URL(program, import.meta.url))
  return spawn(process.execPath, [path], { stdio: 'inherit', env: { ...process.env, ...environment } })
}

async function withSqlite(work: (environment: Record<string, string>) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'jobs-example-'))
  try {
    await work({ JOBS_DATABASE: join(directory, 'jobs.db') })
  } finally {
    await rm(directory, { recursive: true })
  }
}

async function withEmulators(work: (environment: Record<string, string>) => Promise<void>): Promise<void> {
  const { EMULATOR_ENVIRONMENT, startEmulators, stopEmulators } = await import('../../test/emulators/emulators.ts')
  const { createJobResources } = await import('../../test/emulators/job-resources.ts')
  Object.assign(process.env, EMULATOR_ENVIRONMENT)
  const emulators = await startEmulators()
  try {
    const { queueUrl, table, bucket } = await createJobResources(emulators, `example-${randomUUID()}`)
    await work({
      BACKEND: 'aws',
      JOBS_QUEUE_URL: queueUrl,
      JOBS_TABLE: table,
      MODELS_BUCKET: bucket,
      AWS_ENDPOINT_URL_SQS: emulators.sqs.url,
      AWS_ENDPOINT_URL_DYNAMODB: emulators.dynamodb.url,
      AWS_ENDPOINT_URL_S3: emulators.s3.url
    })
  } finally {
    await stopEmulators(emulators)
  }
}

await main()
