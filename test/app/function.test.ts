/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { RuntimeApi } from '../../tools/lambda/runtime-api.ts'
import { embeddingOf } from '../server/test-app.ts'
import { openCollector } from '../tracing/collector.ts'
import { startService, type Service } from './service-process.ts'

const SERVICE = fileURLToPath(new URL('service-stand-in.ts', import.meta.url))
const ENTRY = fileURLToPath(new URL('function-stand-in.ts', import.meta.url))

interface HttpReply {
  readonly statusCode: number
  readonly headers: Record<string, string>
  readonly multiValueHeaders?: Record<string, string[]>
  readonly body: string
  readonly isBase64Encoded: boolean
}

async function start(t: TestContext, env: Record<string, string> = {}): Promise<{ api: RuntimeApi; service: Service }> {
  const api = await RuntimeApi.listen()
  t.after(() => api.close())
  const service = startService(t, ENTRY, { API_SECRET_KEY: 'local-key', AWS_LAMBDA_RUNTIME_API: api.address, ...env })
  return { api, service }
}

async function sampleEvent(name: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(new URL(`../../events/${name}.json`, import.meta.url), 'utf8'))
}

/** Calls the function with an event of an HTTP request. */
async function http(api: RuntimeApi, event: unknown): Promise<HttpReply> {
  const outcome = await api.invoke(event)
  assert(outcome.outcome === 'reply', JSON.stringify(outcome))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what API Gateway demands; the assertions look at each part
  return outcome.value as HttpReply
}

function encodingOf({ body }: HttpReply): unknown {
  const { encoding }: { encoding: number[] } = JSON.parse(body)
  return Float32Array.from(encoding)
}

/** A service that has trained a classifier of two sensors, and ended. */
async function trainSensors(t: TestContext): Promise<Service> {
  const service = startService(t, SERVICE, { API_SECRET_KEY: 'local-key' })
  const { address } = await service.logged('listening')
  const ask = async (
    path: string,
    init: RequestInit = {}
  ): Promise<{ data: { status: string; statusUrl: string } }> => {
    const headers = { authorization: 'Bearer local-key', 'content-type': 'text/csv' }
    const reply = await fetch(`${String(address)}${path}`, { ...init, headers })
    return JSON.parse(await reply.text())
  }
  const rows = Array.from(
    { length: 40 },
    (_, i) => `${(i % 2) * 2 + (i % 7) / 10},${-(i % 2) * 2 + (i % 5) / 10},${i % 2}`
  )
  const body = ['sensor_1,sensor_2,label', ...rows].join('\n')
  const { data } = await ask('/v1/classifiers/sensors/train', { method: 'POST', body })
  let { status } = data
  while (['QUEUED', 'IN_PROGRESS'].includes(status)) status = (await ask(data.statusUrl)).data.status
  assert.equal(status, 'SUCCESS')
  service.child.kill('SIGTERM')
  await service.exited
  return service
}

test('the function answers the sample events as the service answers their requests', async (t) => {
  const { api, service } = await start(t)
  const first = await http(api, await sampleEvent('api-gateway-v1-encode'))
  assert.deepEqual([first.statusCode, first.isBase64Encoded], [200, false])
  assert.equal(first.headers['content-type'], 'application/json; charset=utf-8')
  assert.equal(first.headers['x-model-revision'], 'stand-in-1')
  assert.equal(first.headers['x-request-id'], 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef')
  assert.deepEqual(encodingOf(first), embeddingOf('hello world'))

  const many = await http(api, await sampleEvent('api-gateway-v1-multiple-encode'))
  const { data }: { data: { original: string }[] } = JSON.parse(many.body)
  assert.deepEqual(
    data.map(({ original }) => original),
    ['hello world', 'hi, world']
  )
  const withComma = await http(api, await sampleEvent('api-gateway-v2-encode'))
  assert.deepEqual(encodingOf(withComma), embeddingOf('hello, world'))
  const similarity = await http(api, await sampleEvent('api-gateway-v2-similarity'))
  assert.deepEqual(Object.keys(JSON.parse(similarity.body)), ['cos_sim_weight'])
  const refused = await http(api, await sampleEvent('function-url-without-key'))
  assert.equal(refused.statusCode, 401)
  assert.equal(JSON.parse(refused.body).code, 'UNAUTHORIZED')

  service.child.kill('SIGTERM')
  assert.deepEqual(await service.exited, [0, null])
})

test('a reply that is no text is base64', async (t) => {
  const { api } = await start(t)
  const page = await sampleEvent('api-gateway-v2-encode')
  const icon = await http(api, { ...page, rawPath: '/docs/static/favicon-32x32.png', queryStringParameters: undefined })
  assert.deepEqual([icon.statusCode, icon.isBase64Encoded], [200, true])
  assert.equal(Buffer.from(icon.body, 'base64').toString('latin1', 1, 4), 'PNG')
})

test('a query string is read, or refused, as the service does it, whatever made the event', async (t) => {
  const { api, service } = await start(t)
  const httpApi = await sampleEvent('api-gateway-v2-encode')
  const { headers } = httpApi
  const balancer = { httpMethod: 'GET', path: '/v1/encode', requestContext: { elb: {} }, body: '', headers }
  const lists = Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, [value]]))
  const queries: [query: string, expected: string | number][] = [
    ['query=hello+world', 'hello world'],
    ['query=1%2B1%20%26%20100%25', '1+1 & 100%'],
    ['query=a&query=b', 400],
    ['query=%ff', 400],
    ['', 400]
  ]
  for (const [query, expected] of queries) {
    const parts = query === '' ? [] : query.split('&').map((pair) => pair.replace('query=', ''))
    const events = [
      { ...httpApi, rawQueryString: query, queryStringParameters: { query: parts.join(',') } },
      { ...balancer, headers: undefined, multiValueHeaders: lists, multiValueQueryStringParameters: { query: parts } },
      // Without lists a balancer gives the last one of a name.
      ...(parts.length > 1
        ? []
        : [{ ...balancer, queryStringParameters: parts.length === 0 ? {} : { query: parts[0] } }])
    ]
    for (const event of events) {
      const reply = await http(api, event)
      assert.equal(reply.statusCode, expected === 400 ? 400 : 200, JSON.stringify([query, reply.body.slice(0, 200)]))
      if (expected !== 400) assert.equal(JSON.parse(reply.body).query, expected)
    }
  }
  const ofLists = await http(api, { ...balancer, headers: undefined, multiValueHeaders: lists })
  assert.deepEqual(ofLists.multiValueHeaders?.['content-type'], ['application/json; charset=utf-8'])
  assert.equal(
    service.log.some(({ msg }) => msg === 'event failed'),
    false
  )
})

test('nothing is offered that a function could lose', async (t) => {
  const { api } = await start(t)
  const event = await sampleEvent('api-gateway-v1-multiple-encode')
  for (const path of ['/v1/jobs', '/train']) {
    assert.equal((await http(api, { ...event, path })).statusCode, 404, path)
  }
})

test('an event that is no request is refused, and the next one answered', async (t) => {
  const { api, service } = await start(t)
  for (const event of [null, 1, 'x', [], {}, { requestContext: null }, { requestContext: {} }, { httpMethod: 'GET' }]) {
    const outcome = await api.invoke(event)
    assert.equal(outcome.outcome === 'error' && outcome.errorType, 'INVALID_REQUEST', JSON.stringify(event))
  }
  const columns = await api.invoke(await sampleEvent('sensors'))
  assert.match(columns.outcome === 'error' ? columns.errorMessage : '', /LAMBDA_CLASSIFIER names the classifier/)
  assert.equal((await http(api, await sampleEvent('api-gateway-v1-encode'))).statusCode, 200)
  assert.deepEqual(service.stderr, [])
})

test('a bare event of columns is answered by the classifier that the function is set up for', async (t) => {
  const trained = await trainSensors(t)
  const { api } = await start(t, { LAMBDA_CLASSIFIER: 'sensors', DATA_DIR: trained.dataDir })
  const outcome = await api.invoke(await sampleEvent('sensors'))
  assert.deepEqual(outcome, { outcome: 'reply', value: { class: [0, 1, 1] } })
  assert.equal(api.lastReply, '{"class":[0.0,1.0,1.0]}')

  for (const event of [{ sensor_1: [1] }, { sensor_1: [1], sensor_2: [1, 2] }, { sensor_1: 'x', sensor_2: [1] }, []]) {
    const refused = await api.invoke(event)
    assert.equal(refused.outcome === 'error' && refused.errorType, 'INVALID_REQUEST', JSON.stringify(event))
  }
  assert.equal((await http(api, await sampleEvent('api-gateway-v1-encode'))).statusCode, 200)
})

test('a bare event for a classifier that there is not is an error that says so', async (t) => {
  const { api } = await start(t, { LAMBDA_CLASSIFIER: 'sensors' })
  assert.deepEqual(await api.invoke(await sampleEvent('sensors')), {
    outcome: 'error',
    errorType: 'NOT_FOUND',
    errorMessage: 'No models found for classifier sensors.'
  })
})

test('figures are written before the environment may be frozen', async (t) => {
  const { api, service } = await start(t, { METRICS: 'emf', METRICS_INTERVAL_SECONDS: '1', STAGE: 'qa' })
  const event = await sampleEvent('api-gateway-v1-encode')
  for (;;) {
    await http(api, event)
    const line = service.log.find((each) => '_aws' in each)
    if (line === undefined) continue
    assert.deepEqual([line['Stage'], line['Process']], ['qa', 'lambda'])
    assert.ok(Number(line['HttpRequests']) > 0)
    return
  }
})

test('a model that cannot be loaded fails the call that waits, and ends the process with 1', async (t) => {
  const { api, service } = await start(t, { STAND_IN: 'broken' })
  assert.deepEqual(await api.initError, {
    outcome: 'error',
    errorType: 'UNAVAILABLE',
    errorMessage: 'Cannot start: the model could not be loaded'
  })
  assert.deepEqual(await service.exited, [1, null])
})

test('outside of Lambda the function says so, and ends with 1', async (t) => {
  const service = startService(t, ENTRY, {})
  assert.deepEqual(await service.exited, [1, null])
  assert.match(service.stderr.join('\n'), /^Cannot start: AWS_LAMBDA_RUNTIME_API is not set/)
})

test('the traces of an event are sent before it is answered: the environment may be frozen then', async (t) => {
  const collector = await openCollector(t)
  const { api } = await start(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '600000'
  })
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const event = await sampleEvent('api-gateway-v2-encode')
  assert.ok(typeof event['headers'] === 'object')
  assert.equal((await http(api, { ...event, headers: { ...event['headers'], traceparent } })).statusCode, 200)
  assert.deepEqual(
    collector.spans.map(({ name, traceId, resource }) => [name, traceId, resource['service.name']]),
    [
      ['encode', '0af7651916cd43dd8448eb211c80319c', 'sbert-lambda'],
      ['GET /v1/encode', '0af7651916cd43dd8448eb211c80319c', 'sbert-lambda']
    ]
  )
})
