/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The trace of a request through SQS and DynamoDB, between two processes.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { startService } from '../app/service-process.ts'
import { EMULATOR_ENVIRONMENT, withEmulators } from '../emulators/emulators.ts'
import { createJobResources } from '../emulators/job-resources.ts'
import { openCollector } from './collector.ts'

const SERVICE = fileURLToPath(new URL('../app/service-stand-in.ts', import.meta.url))
const WORKER = fileURLToPath(new URL('worker-stand-in.ts', import.meta.url))
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'

await withEmulators('a trace', (running) => {
  test('a trace goes through SQS: on the message, and from the request to the worker that does its job', async (t) => {
    const { sqs, dynamodb, s3 } = running()
    const collector = await openCollector(t)
    const resources = await createJobResources(running(), `jobs-${randomUUID()}`)
    const env = {
      ...EMULATOR_ENVIRONMENT,
      BACKEND: 'aws',
      JOBS_QUEUE_URL: resources.queueUrl,
      JOBS_TABLE: resources.table,
      MODELS_BUCKET: resources.bucket,
      AWS_ENDPOINT_URL_SQS: sqs.url,
      AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url,
      AWS_ENDPOINT_URL_S3: s3.url,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '20'
    }
    const service = startService(t, SERVICE, { ...env, API_SECRET_KEY: 'key', JOBS_CONCURRENCY: '0' })
    const { address } = await service.logged('listening')
    await service.logged('ready')
    const reply = await fetch(`${String(address)}/v1/jobs`, {
      method: 'POST',
      body: JSON.stringify({ type: 'encode', input: { sentences: ['one'] } }),
      headers: {
        authorization: 'Bearer key',
        'content-type': 'application/json',
        traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01`,
        tracestate: 'vendor=abc'
      }
    })
    assert.equal(reply.status, 202)
    const enqueue = await collector.named('enqueue encode')

    const client = new SQSClient({ endpoint: sqs.url, region: 'us-east-1' })
    t.after(() => client.destroy())
    const look = new ReceiveMessageCommand({
      QueueUrl: resources.queueUrl,
      MessageAttributeNames: ['All'],
      VisibilityTimeout: 0,
      WaitTimeSeconds: 5
    })
    const { Messages: [message] = [] } = await client.send(look)
    const carried = Object.entries(message?.MessageAttributes ?? {}).map(([name, { StringValue }]) => [
      name,
      StringValue
    ])
    assert.deepEqual(Object.fromEntries(carried), {
      traceparent: `00-${TRACE_ID}-${enqueue.spanId}-01`,
      tracestate: 'vendor=abc'
    })

    const worker = startService(t, WORKER, { ...env, WORKER_PORT: '0' })
    const run = await collector.named('process encode')
    assert.deepEqual([run.traceId, run.parentSpanId], [TRACE_ID, enqueue.spanId])
    assert.deepEqual(
      [enqueue.resource['process.pid'], run.resource['process.pid']],
      [service.child.pid, worker.child.pid]
    )
    const encode = await collector.named('encode')
    assert.equal(encode.parentSpanId, run.spanId)
  })
})
