/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// What the image of Lambda starts, with the real model and mentors stored on AWS: events in, jobs done by a worker.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { startService, type Service } from '../../app/service-process.ts'
import { EMULATOR_ENVIRONMENT, withEmulators, type Emulators } from '../../emulators/emulators.ts'
import { createJobResources } from '../../emulators/job-resources.ts'
import { modelPath } from '../../fixtures/model-path.ts'

const ROOT = join(import.meta.dirname, '../../..')
const ENTRY = join(ROOT, 'tools/lambda/image.ts')
const MODEL = { MODEL_DIR: join(modelPath, 'compiled'), ENCODE_WORKERS: '1' }

type Event = Readonly<Record<string, unknown>>

interface Reply {
  readonly statusCode: number
  readonly body: string
}

/** Starts the image's program outside of Lambda. @returns where it takes events */
async function startImage(t: TestContext, env: Record<string, string>): Promise<{ service: Service; url: string }> {
  const service = startService(t, ENTRY, { ...MODEL, ...env })
  const line = await service.said(/taking events as POST /)
  return { service, url: line.replace(/^.* POST /, '') }
}

async function sampleEvent(name: string): Promise<Event> {
  return JSON.parse(await readFile(join(ROOT, `events/${name}.json`), 'utf8'))
}

async function invoke(url: string, event: unknown): Promise<Reply> {
  const reply = await fetch(url, { method: 'POST', body: JSON.stringify(event) })
  assert.equal(reply.status, 200)
  const value: Reply = JSON.parse(await reply.text())
  return value
}

async function createSecret(emulators: Emulators, name: string, value: string): Promise<string> {
  const client = new SecretsManagerClient({ endpoint: emulators.s3.url, region: EMULATOR_ENVIRONMENT.AWS_REGION })
  const { ARN = '' } = await client.send(new CreateSecretCommand({ Name: name, SecretString: value }))
  client.destroy()
  return ARN
}

test('the image takes events by HTTP where there is no Lambda, and ends on SIGTERM', async (t) => {
  const { service, url } = await startImage(t, { API_SECRET_KEY: 'local-key' })
  const { statusCode, body } = await invoke(url, await sampleEvent('api-gateway-v1-encode'))
  assert.equal(statusCode, 200)
  assert.equal(JSON.parse(body).encoding.length, 384)
  service.child.kill('SIGTERM')
  assert.deepEqual(await service.exited, [0, null])
})

test('an event without headers, as the console makes them for a test, is a request without a key', async (t) => {
  const { url } = await startImage(t, { API_SECRET_KEY: 'local-key' })
  const event = await sampleEvent('http-train')
  const bare = { ...event, headers: null, multiValueHeaders: null }
  assert.equal((await invoke(url, { ...bare, path: '/v1/encode', httpMethod: 'GET' })).statusCode, 401)
  // What another authorizer has said is no key: the caller's own Authorization counts.
  const claims = JSON.stringify({ id: 'a', role: 'ADMIN', mentorIds: [] })
  const requestContext = { ...Object(event['requestContext']), authorizer: { principalId: 'a', token: claims } }
  assert.equal((await invoke(url, { ...bare, requestContext, path: '/v1/encode', httpMethod: 'GET' })).statusCode, 401)
})

test('a secret that is not in its form ends the function at its start, which says why', async (t) => {
  const service = startService(t, ENTRY, { ...MODEL, LAMBDA_SECRETS: 'API_SECRET_KEY' })
  assert.deepEqual(await service.exited, [1, null])
  assert.match(service.stderr.join('\n'), /want NAME=<ARN of the secret> in LAMBDA_SECRETS, not "API_SECRET_KEY"/)
})

await withEmulators('The image of Lambda', (running) => {
  test('http_train and /questions work on stored mentors: queued by the function, trained by a worker, answered', async (t) => {
    const emulators = running()
    const { queueUrl, bulkQueueUrl, deadLetterQueueUrl, table, bucket } = await createJobResources(emulators, 'lambda')
    const arn = await createSecret(emulators, 'stage/API_SECRET_KEY', 'local-key, other-key')
    const env = {
      ...EMULATOR_ENVIRONMENT,
      BACKEND: 'aws',
      JOBS_QUEUE_URL: queueUrl,
      JOBS_BULK_QUEUE_URL: bulkQueueUrl ?? '',
      JOBS_DEAD_LETTER_QUEUE_URL: deadLetterQueueUrl ?? '',
      JOBS_TABLE: table,
      MODELS_BUCKET: bucket,
      AWS_ENDPOINT_URL_SQS: emulators.sqs.url,
      AWS_ENDPOINT_URL_DYNAMODB: emulators.dynamodb.url,
      AWS_ENDPOINT_URL_S3: emulators.s3.url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: emulators.s3.url
    }
    const { service, url } = await startImage(t, { ...env, LAMBDA_SECRETS: `API_SECRET_KEY=${arn}` })
    startService(t, join(ROOT, 'src/bin/worker.ts'), { ...MODEL, ...env, WORKER_PORT: '0' })
    const train = await sampleEvent('http-train')
    const sheet = await readFile(join(ROOT, 'examples/mentor.csv'), 'utf8')
    const headers = { authorization: 'Bearer other-key', 'content-type': 'text/csv' }
    const put = { ...train, path: '/mentors/noor', httpMethod: 'PUT', headers, multiValueHeaders: null, body: sheet }
    const stored = await invoke(url, put)
    assert.equal(stored.statusCode, 200, stored.body)

    const queued = await invoke(url, train)
    const { data }: { data: { statusUrl: string; status: string } } = JSON.parse(queued.body)
    assert.deepEqual([queued.statusCode, data.status], [200, 'QUEUED'])
    const question = await sampleEvent('questions')
    const look = { ...question, path: data.statusUrl, multiValueQueryStringParameters: null }
    let status = 'QUEUED'
    while (status === 'QUEUED' || status === 'IN_PROGRESS') {
      await pause(50)
      status = JSON.parse((await invoke(url, look)).body).data.status
    }
    assert.equal(status, 'SUCCESS')
    const answer = await invoke(url, question)
    assert.equal(answer.statusCode, 200)
    const { answer_type, answer_text }: { answer_type: string; answer_text: string } = JSON.parse(answer.body)
    assert.deepEqual([answer_type, answer_text.length > 20], ['CLASSIFIER', true])
    assert.doesNotMatch(service.stderr.join('\n'), /local-key/)
  })

  test('a secret that is not there ends the function at its start, which names the setting', async (t) => {
    const arn = `arn:aws:secretsmanager:${EMULATOR_ENVIRONMENT.AWS_REGION}:000000000000:secret:none-AbCdEf`
    const env = { ...EMULATOR_ENVIRONMENT, AWS_ENDPOINT_URL_SECRETS_MANAGER: running().s3.url }
    const service = startService(t, ENTRY, { ...MODEL, ...env, LAMBDA_SECRETS: `API_SECRET_KEY=${arn}` })
    assert.deepEqual(await service.exited, [1, null])
    assert.match(service.stderr.join('\n'), /Cannot read the secret of API_SECRET_KEY: ResourceNotFoundException/)
  })
})
