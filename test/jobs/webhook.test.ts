/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'

import { PermanentJobError, queuedJob, type Job } from '../../src/jobs/job.ts'
import { JobRunner, type JobContext } from '../../src/jobs/job-runner.ts'
import { MemoryJobBackend } from '../../src/jobs/memory-job-backend.ts'
import { packPayload, type Payload } from '../../src/jobs/payload.ts'
import {
  callbackUrlProblem,
  isPublicAddress,
  signatureOf,
  webhookJob,
  type WebhookOptions
} from '../../src/jobs/webhook.ts'

const SECRET = 'a-secret-for-signing'
const NOTICE_JOB: Job = queuedJob({ id: 'notice-1', type: 'webhook', input: packPayload(null) }, 0)

const LOOPBACK = { address: '127.0.0.1', family: 4 }
const PUBLIC = { address: '93.184.215.14', family: 4 }

interface Delivery {
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A receiver on this machine that answers with the status codes given, in order, and then with 204. */
async function receive(t: TestContext, ...statusCodes: number[]): Promise<{ port: number; deliveries: Delivery[] }> {
  const deliveries: Delivery[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(request)
    deliveries.push({ url: request.url ?? '', headers: request.headers, body })
    response.writeHead(statusCodes.shift() ?? 204, { location: '/elsewhere' }).end()
  }
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert(address !== null && typeof address !== 'string')
  return { port: address.port, deliveries }
}

function noticeTo(url: string): Payload {
  return packPayload({ url, id: 'job-1', type: 'encode', status: 'SUCCESS', failure: null })
}

async function deliver(url: string, options: Partial<WebhookOptions> = {}): Promise<void> {
  const context: JobContext = { job: NOTICE_JOB, signal: new AbortController().signal, progress: () => undefined }
  await webhookJob({ secret: SECRET, allowsPrivate: true, ...options })(noticeTo(url), context)
}

test('webhookJob() posts a notice that the receiver can verify', async (t) => {
  const { port, deliveries } = await receive(t)
  await deliver(`http://127.0.0.1:${port}/hook?x=1`, { now: () => 1_800_000_000_500 })
  const [delivery] = deliveries
  assert(delivery !== undefined)
  const { url, headers, body } = delivery
  assert.equal(url, '/hook?x=1')
  assert.equal(headers['content-type'], 'application/json')
  assert.equal(headers['webhook-id'], 'notice-1')
  assert.equal(headers['webhook-timestamp'], '1800000000')
  const expected = createHmac('sha256', SECRET).update(`notice-1.1800000000.${body}`).digest('base64')
  assert.equal(headers['webhook-signature'], `v1,${expected}`)
  assert.deepEqual(JSON.parse(body), {
    type: 'job.ended',
    timestamp: '2027-01-15T08:00:00.000Z',
    data: {
      id: 'job-1',
      type: 'encode',
      status: 'SUCCESS',
      failure: null,
      statusUrl: '/v1/jobs/job-1',
      resultUrl: '/v1/jobs/job-1/result'
    }
  })
})

test('signatureOf() is that of Standard Webhooks', () => {
  // The example of https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
  const body = '{"test": 2432232314}'
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  assert.equal(
    signatureOf(secret, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, body),
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
  )
})

test('a notice is tried again until the receiver takes it', async (t) => {
  const { port, deliveries } = await receive(t, 500, 302, 429)
  const backend = new MemoryJobBackend({
    policy: { maxReceives: 5, retryBaseMs: 0, retryMaxMs: 0, retentionMs: 1_000_000 }
  })
  const handlers = new Map([
    ['work', async (input: Payload) => input],
    ['webhook', webhookJob({ secret: SECRET, allowsPrivate: true })]
  ])
  const runner = new JobRunner({ backend, handlers })
  t.after(() => runner.stop())
  const callbackUrl = `http://127.0.0.1:${port}/`
  await backend.enqueue({ type: 'work', input: packPayload(1), callbackUrl })
  runner.start()
  while (runner.counts.succeededCount < 2) await new Promise(setImmediate)
  assert.equal(deliveries.length, 4)
  assert.equal(new Set(deliveries.map(({ headers }) => headers['webhook-id'])).size, 1)
  // A redirect is an answer like any other that is not 2xx: nobody went elsewhere.
  assert(deliveries.every(({ url }) => url === '/'))
})

test('webhookJob() gives up for good when the receiver says 410', async (t) => {
  const { port } = await receive(t, 410)
  await assert.rejects(deliver(`http://127.0.0.1:${port}/`), PermanentJobError)
})

test('webhookJob() gives a slow receiver up for now', async (t) => {
  const server = createServer(() => undefined).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  assert(address !== null && typeof address !== 'string')
  await assert.rejects(deliver(`http://127.0.0.1:${address.port}/`, { timeoutMs: 20 }), { name: 'TimeoutError' })
})

test('webhookJob() connects to no private address, written out or behind a name', async (t) => {
  const { port, deliveries } = await receive(t)
  const refused: [string, Partial<WebhookOptions>][] = [
    [`http://127.0.0.1:${port}/`, {}],
    [`http://2130706433:${port}/`, {}],
    [`http://0x7f.1:${port}/`, {}],
    [`http://[::1]:${port}/`, {}],
    [`http://[::ffff:127.0.0.1]:${port}/`, {}],
    [`http://localhost:${port}/`, {}],
    [`http://hooks.example.org:${port}/`, { lookup: () => Promise.resolve([LOOPBACK]) }],
    [`http://hooks.example.org:${port}/`, { lookup: () => Promise.resolve([PUBLIC, LOOPBACK]) }]
  ]
  for (const [url, options] of refused) {
    await assert.rejects(deliver(url, { allowsPrivate: false, ...options }), PermanentJobError, url)
  }
  assert.deepEqual(deliveries, [])
})

test('webhookJob() connects to the address that it checked, and asks for it once', async (t) => {
  const { port, deliveries } = await receive(t)
  let lookups = 0
  const lookup = async () => {
    lookups += 1
    return [LOOPBACK]
  }
  await deliver(`http://no-such-host.invalid:${port}/`, { lookup })
  assert.equal(lookups, 1)
  assert.equal(deliveries[0]?.headers.host, `no-such-host.invalid:${port}`)
})

test('isPublicAddress() knows the special ranges', () => {
  const special =
    '0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.168.1.1 198.18.0.1 224.0.0.1 ' +
    '255.255.255.255 :: ::1 ::ffff:10.0.0.1 64:ff9b::a00:1 fc00::1 fd12::1 fe80::1 ff02::1 2001:db8::1 2002:a00:1:: not-an-address'
  for (const address of special.split(' ')) assert.equal(isPublicAddress(address), false, address)
  for (const address of ['8.8.8.8', '172.15.0.1', '172.32.0.1', '100.63.0.1', '2606:4700::1111', '2a00:1450::1']) {
    assert.equal(isPublicAddress(address), true, address)
  }
})

test('callbackUrlProblem() finds what shows without a look-up', () => {
  assert.equal(callbackUrlProblem('https://example.org/hook', false), undefined)
  assert.equal(callbackUrlProblem('http://127.0.0.1:3000/', true), undefined)
  const wrong = ['', 'example.org', 'file:///etc/passwd', 'http://127.0.0.1/', 'http://metadata.google.internal/']
  for (const url of [
    ...wrong,
    'http://a.localhost/',
    'http://LOCALHOST./',
    'http://localhost../',
    'http://A.Internal./',
    'http://metadata/',
    'http://printer.lan/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://017700000001/',
    'http://127.0.0.1./',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:a00:1]/',
    `https://example.org/${'x'.repeat(2048)}`,
    'https://u@example.org/'
  ]) {
    assert.notEqual(callbackUrlProblem(url, false), undefined, url)
  }
})
