/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// AWS that says nothing: the SDK alone would wait for ever.
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { test, type TestContext } from 'node:test'
import { SQSClient } from '@aws-sdk/client-sqs'
import { openAwsStorage, queueClientConfig } from '../../src/platform/aws-storage.ts'
import { SqsJobQueue } from '../../src/platform/sqs-job-queue.ts'
import { EMULATOR_ENVIRONMENT } from '../emulators/emulators.ts'

const SILENT_MS = 100
const timeout = 60_000

Object.assign(process.env, EMULATOR_ENVIRONMENT)

/** A server in the place of AWS. @returns its address, and how often it was asked */
async function listen(t: TestContext, answer: RequestListener) {
  const asked = { count: 0 }
  const server = createServer((request, reply) => {
    asked.count += 1
    answer(request, reply)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return { url: `http://127.0.0.1:${address.port}`, asked }
}

function openStorage(t: TestContext, url: string) {
  const endpoints = { dynamodb: url, s3: url }
  const storage = openAwsStorage({ table: 't', bucket: 'b', region: 'us-east-1', endpoints, silentMs: SILENT_MS })
  t.after(() => storage.close())
  return storage
}

function openQueue(t: TestContext, url: string): SqsJobQueue {
  const client = new SQSClient(queueClientConfig('us-east-1', url, SILENT_MS))
  t.after(() => client.destroy())
  return new SqsJobQueue(client, { queueUrl: `${url}/0/jobs`, silentMs: SILENT_MS })
}

test('S3 that never answers is asked three times, and is unavailable then', { timeout }, async (t) => {
  const { url, asked } = await listen(t, () => undefined)
  const { objects } = openStorage(t, url)
  await assert.rejects(objects.get('key'), { code: 'UNAVAILABLE', message: /^Cannot read an object from S3: / })
  assert.equal(asked.count, 3)
  const payload = { contentType: 'text/plain', bytes: new Uint8Array(100_000) }
  await assert.rejects(objects.put('key', payload), { code: 'UNAVAILABLE' })
})

test('S3 that says nothing more in the middle of an object is unavailable', { timeout }, async (t) => {
  const { url } = await listen(t, (_request, reply) => {
    reply.writeHead(200, { 'content-length': '1000', 'content-type': 'text/plain' }).write('half of it')
  })
  await assert.rejects(openStorage(t, url).objects.get('key'), { code: 'UNAVAILABLE' })
})

test('SQS that never answers is unavailable', { timeout }, async (t) => {
  const { url, asked } = await listen(t, () => undefined)
  await assert.rejects(openQueue(t, url).send({ id: 'a', type: 'work', priority: 'interactive', labels: {} }), {
    code: 'UNAVAILABLE'
  })
  assert.equal(asked.count, 3)
})

test('SQS may be silent for as long as it was asked to wait for messages', { timeout }, async (t) => {
  const Body = '{"id":"a","type":"work"}'
  const message = { MessageId: 'm', ReceiptHandle: 'r', Body, MD5OfBody: hash('md5', Body) }
  const { url, asked } = await listen(t, (_request, reply) => {
    // The first look does not wait.
    const waited = asked.count === 1 ? 0 : 5 * SILENT_MS
    const told = JSON.stringify(asked.count === 1 ? {} : { Messages: [message] })
    setTimeout(() => reply.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(told), waited)
  })
  const received = await openQueue(t, url).receive({ first: 'interactive', limit: 1, hiddenMs: 1000, waitMs: 1000 })
  assert.deepEqual([received[0]?.jobId, asked.count], ['a', 2])
})
