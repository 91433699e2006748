/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The service and its worker as processes, which send their traces to a collector of the test.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as stable from '@opentelemetry/semantic-conventions'
import * as incubating from '@opentelemetry/semantic-conventions/incubating'
import { startService, type Service } from '../app/service-process.ts'
import { temporaryFolder } from '../server/mentor-app.ts'
import { openCollector, type CollectedSpan } from './collector.ts'

const SERVICE = fileURLToPath(new URL('../app/service-stand-in.ts', import.meta.url))
const WORKER = fileURLToPath(new URL('worker-stand-in.ts', import.meta.url))
const KEY = 'key-of-the-test'
const PARENT = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }
const TRACEPARENT = `00-${PARENT.traceId}-${PARENT.spanId}-01`

interface Running {
  readonly service: Service
  readonly call: (path: string, init?: RequestInit & { json?: unknown; trace?: string }) => Promise<Response>
}

async function start(t: TestContext, env: Record<string, string>): Promise<Running> {
  const service = startService(t, SERVICE, { API_SECRET_KEY: KEY, OTEL_BSP_SCHEDULE_DELAY: '20', ...env })
  const { address } = await service.logged('listening')
  await service.logged('ready')
  return {
    service,
    async call(path, { json, trace, ...init } = {}) {
      const reply = await fetch(`${String(address)}${path}`, {
        ...init,
        ...(json !== undefined && { method: 'POST', body: JSON.stringify(json) }),
        headers: {
          authorization: `Bearer ${KEY}`,
          ...(json !== undefined && { 'content-type': 'application/json' }),
          ...(trace !== undefined && { traceparent: trace, tracestate: 'vendor=abc' })
        }
      })
      return reply
    }
  }
}

async function bodyOf<Body>(reply: Response): Promise<Body> {
  const body: Body = JSON.parse(await reply.text())
  return body
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  assert.ok(typeof address === 'object' && address !== null)
  return address.port
}

const isServer = ({ kind }: CollectedSpan): boolean => kind === 2

test('a request continues the trace that it names, and so do the spans within it', async (t) => {
  const collector = await openCollector(t)
  const { service, call } = await start(t, { OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/` })
  await call('/v1/encode?query=hello%20there', { trace: TRACEPARENT })
  const [server] = await collector.some(1, isServer)
  const encode = await collector.named('encode')
  assert.ok(server !== undefined)
  assert.deepEqual([server.traceId, server.parentSpanId], [PARENT.traceId, PARENT.spanId])
  assert.deepEqual([encode.traceId, encode.parentSpanId, encode.kind], [PARENT.traceId, server.spanId, 1])
  assert.equal(server.name, 'GET /v1/encode')
  assert.deepEqual(server.attributes, {
    'http.request.method': 'GET',
    'url.scheme': 'http',
    'network.protocol.version': '1.1',
    'http.route': '/v1/encode',
    'url.path': '/v1/encode',
    'http.response.status_code': 200
  })
  assert.deepEqual(encode.attributes, {
    'sbert.sentence_count': 1,
    'sbert.token_count': 4,
    'sbert.tokenize_ms': 0.25,
    'sbert.queue_ms': 0,
    'sbert.inference_ms': 1.5
  })
  const { resource } = server
  assert.equal(resource['service.name'], 'sbert-service')
  assert.equal(resource['process.pid'], service.child.pid)
  assert.equal(collector.deliveries[0]?.path, '/v1/traces')
  // Whoever reads the log finds the trace.
  const line = await service.logged('request')
  assert.deepEqual([line['trace_id'], line['span_id']], [PARENT.traceId, server.spanId])
})

test('each kind of request has a span: with a body, repeated, refused, unknown, broken off; health has none', async (t) => {
  const collector = await openCollector(t)
  const { service, call } = await start(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
  for (const path of ['/', '/health/live', '/health/ready', '/v1/ping', '/v1/ping?x=1', '/v2/health/live'])
    await call(path)
  await call('/v1/encode', { json: { query: 'a body' } })
  await call('/v1/encode?query=twice')
  await call('/v1/encode?query=twice')
  await call('/v1/nothing/here')
  await call('/v1/encode', { json: { wrong: 1 } })
  const leaving = new AbortController()
  const left = call('/v1/jobs', { json: { type: 'encode', input: { sentences: ['a'] } }, signal: leaving.signal })
  await left.catch(() => undefined)
  await call('/v1/caller', { method: 'DELETE' })
  const spans = await collector.some(7, isServer)
  assert.deepEqual(
    spans.map(({ name, attributes }) => `${name} ${String(attributes['http.response.status_code'])}`),
    [
      'POST /v1/encode 200',
      'GET /v1/encode 200',
      'GET /v1/encode 200',
      'GET 404',
      'POST /v1/encode 400',
      'POST /v1/jobs 202',
      'DELETE 405'
    ]
  )
  // What was read from a body is encoded in the span of its request.
  const [first] = spans
  const encodes = await collector.some(2, ({ name, parentSpanId }) => name === 'encode' && parentSpanId !== '')
  assert.ok(encodes.some(({ parentSpanId }) => parentSpanId === first?.spanId))
  // Each on its own trace, as nobody named one.
  assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, spans.length)
  const lines = service.log.filter(({ msg, route }) => msg === 'request' && route !== undefined)
  for (const line of lines) {
    const span = spans.find(({ spanId }) => spanId === line['span_id'])
    assert.equal(span?.attributes['http.route'] ?? 'untraced', span === undefined ? 'untraced' : line['route'])
  }
})

for (const [writing, env] of [
  ['http/protobuf', {}],
  ['http/protobuf', { OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' }],
  ['http/json', { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json' }]
] as const) {
  test(`spans are sent as ${writing} ${JSON.stringify(env)}, with the headers and facts that settings give`, async (t) => {
    const collector = await openCollector(t)
    const { call } = await start(t, {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/custom/path`,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-team=search%20team,x-both=common',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-both=traces',
      OTEL_SERVICE_NAME: 'embeddings',
      OTEL_RESOURCE_ATTRIBUTES: 'service.namespace=qa,service.name=other',
      ...env
    })
    await call('/v1/caller')
    const span = await collector.named('GET /v1/caller')
    assert.equal(span.resource['service.name'], 'embeddings')
    assert.equal(span.resource['service.namespace'], 'qa')
    const [delivery] = collector.deliveries
    assert.equal(delivery?.path, '/custom/path')
    assert.deepEqual([delivery.headers['x-team'], delivery.headers['x-both']], ['search team', 'traces'])
    assert.equal(
      delivery.headers['content-type'],
      writing === 'http/json' ? 'application/json' : 'application/x-protobuf'
    )
  })
}

test('a job continues the trace of its request, in the worker that does it and in the notice of its end', async (t) => {
  const collector = await openCollector(t)
  const received: (string | undefined)[] = []
  const receiver = createServer((request, response) => {
    received.push(String(request.headers['traceparent']))
    response.end()
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  t.after(() => receiver.close())
  const address = receiver.address()
  assert.ok(typeof address === 'object' && address !== null)
  const shared = {
    DATA_DIR: await temporaryFolder(t),
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '20',
    WEBHOOK_SECRET: 'a-secret-for-signing',
    WEBHOOK_ALLOW_PRIVATE: 'true'
  }
  const { call } = await start(t, { ...shared, JOBS_CONCURRENCY: '0' })
  const worker = startService(t, WORKER, { ...shared, WORKER_PORT: '0' })
  await worker.logged('ready')
  const callbackUrl = `http://127.0.0.1:${address.port}/notices/Kx7Secret?token=Kx7Token`
  const reply = await call('/v1/jobs', {
    json: { type: 'encode', input: { sentences: ['one', 'two'] }, callbackUrl },
    trace: TRACEPARENT
  })
  const { id } = await bodyOf<{ id: string }>(reply)
  const names = ['POST /v1/jobs', 'enqueue encode', 'process encode', 'encode', 'process webhook', 'POST']
  await Promise.all(names.map((name) => collector.named(name)))
  const [server, enqueue, run, encode, notice, post] = names.map((name) => {
    const span = collector.spans.find((each) => each.name === name)
    assert.ok(span !== undefined)
    assert.equal(span.traceId, PARENT.traceId, name)
    return span
  })
  assert.ok(server && enqueue && run && encode && notice && post)
  assert.deepEqual([enqueue.parentSpanId, enqueue.kind], [server.spanId, 4])
  assert.deepEqual([run.parentSpanId, run.kind], [enqueue.spanId, 5])
  assert.equal(encode.parentSpanId, run.spanId)
  assert.deepEqual([notice.parentSpanId, notice.kind], [enqueue.spanId, 5])
  assert.deepEqual([post.parentSpanId, post.kind], [notice.spanId, 3])
  assert.deepEqual(received, [`00-${PARENT.traceId}-${post.spanId}-01`])
  // Two processes took part.
  assert.deepEqual([server.resource['service.name'], run.resource['service.name']], ['sbert-service', 'sbert-worker'])
  assert.deepEqual(
    [
      enqueue.attributes['messaging.message.id'],
      run.attributes['messaging.message.id'],
      run.attributes['sbert.job.attempts']
    ],
    [id, id, 1]
  )
  assert.deepEqual(post.attributes, {
    'http.request.method': 'POST',
    'server.address': '127.0.0.1',
    'server.port': address.port,
    'url.full': `http://127.0.0.1:${address.port}`,
    'http.response.status_code': 200
  })
  assert.doesNotMatch(JSON.stringify(collector.spans), /Kx7/)
})

test('attributes are those of the semantic conventions, or begin with sbert', async (t) => {
  const collector = await openCollector(t)
  const { call } = await start(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
  await call('/v1/jobs', { json: { type: 'encode', input: { sentences: ['one'] } } })
  await collector.named('process encode')
  const known = new Set<unknown>([...Object.values<unknown>(stable), ...Object.values<unknown>(incubating)])
  for (const { attributes, resource } of collector.spans) {
    for (const name of [...Object.keys(attributes), ...Object.keys(resource)])
      assert.ok(known.has(name) || name.startsWith('sbert.'), name)
  }
})

test('without OTEL_* settings no SDK of OpenTelemetry is loaded, nor where traces are turned off', async (t) => {
  const environments: readonly Record<string, string>[] = [
    {},
    { OTEL_SERVICE_NAME: 'a' },
    {
      OTEL_SDK_DISABLED: 'true',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc'
    },
    { OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }
  ]
  for (const env of environments) {
    const { service, call } = await start(t, {
      ...env,
      NODE_OPTIONS: `--import=${join(import.meta.dirname, 'list-modules.ts')}`
    })
    await call('/v1/jobs', { json: { type: 'encode', input: { sentences: ['one'] } }, trace: TRACEPARENT })
    service.child.kill('SIGTERM')
    await service.exited
    // Each thread says what it has loaded.
    const loaded = service.stderr.filter((line) => line.startsWith('loaded modules: ')).join('\n')
    assert.match(loaded, /node_modules\/fastify\//)
    const isOn = Object.keys(env).length === 1 && 'OTEL_EXPORTER_OTLP_ENDPOINT' in env
    const packages = new Set(
      [...loaded.matchAll(/node_modules\/@opentelemetry\/([\w-]+)/g)].map(([, name = '']) => name)
    )
    // prom-client loads the API, which does nothing by itself.
    packages.delete('api')
    if (isOn) assert.ok(packages.has('sdk-trace') && packages.has('otlp-exporter-base'))
    else assert.deepEqual([...packages], [], JSON.stringify(env))
    assert.equal(loaded.includes('src/tracing/open-telemetry.ts'), isOn)
    assert.equal(
      service.log.some((line) => 'trace_id' in line),
      isOn
    )
  }
})

test('what is not known of OTEL_* keeps the service from starting, and is said without the values', async (t) => {
  const service = startService(t, SERVICE, {
    OTEL_TRACES_EXPORTER: 'zipkin',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_HEADERS: 'Kx7Secret',
    OTEL_RESOURCE_ATTRIBUTES: 'a=%ZZ',
    OTEL_PROPAGATORS: 'b3',
    OTEL_TRACES_SAMPLER: 'jaeger_remote'
  })
  assert.deepEqual(await service.exited, [1, null])
  assert.deepEqual(service.stderr, [
    'Cannot start: 6 wrong setting(s)',
    '  OTEL_TRACES_EXPORTER: want one of otlp, console, none',
    '  OTEL_TRACES_SAMPLER: want one of always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, parentbased_traceidratio',
    '  OTEL_PROPAGATORS: want one of tracecontext, baggage, none',
    '  OTEL_EXPORTER_OTLP_PROTOCOL: want one of http/protobuf, http/json',
    '  OTEL_EXPORTER_OTLP_HEADERS: want name=value pairs, comma separated, values percent-encoded',
    '  OTEL_RESOURCE_ATTRIBUTES: want name=value pairs, comma separated, values percent-encoded'
  ])
  const other = startService(t, SERVICE, {
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_CERTIFICATE: join(await temporaryFolder(t), 'missing.pem')
  })
  assert.deepEqual(await other.exited, [1, null])
  assert.match(other.stderr.join('\n'), /^Cannot send traces: ENOENT/)
})

test('a sampler decides which traces are kept, and what is carried on says so', async (t) => {
  const collector = await openCollector(t)
  const { call } = await start(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_TRACES_SAMPLER: 'parentbased_always_off'
  })
  await call('/v1/encode?query=none')
  await call('/v1/encode?query=unsampled', { trace: TRACEPARENT.replace(/1$/, '0') })
  await call('/v1/encode?query=sampled', { trace: TRACEPARENT })
  const spans = await collector.some(2, () => true)
  assert.deepEqual(new Set(spans.map(({ traceId }) => traceId)), new Set([PARENT.traceId]))
  assert.deepEqual(spans.map(({ name }) => name).toSorted(), ['GET /v1/encode', 'encode'])
})

test('OTEL_PROPAGATORS=none neither continues traces nor carries them on', async (t) => {
  const collector = await openCollector(t)
  const { call } = await start(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_PROPAGATORS: 'none' })
  await call('/v1/jobs', { json: { type: 'encode', input: { sentences: ['one'] } }, trace: TRACEPARENT })
  const run = await collector.named('process encode')
  const server = await collector.named('POST /v1/jobs')
  assert.equal(run.parentSpanId, '')
  assert.equal(new Set([PARENT.traceId, run.traceId, server.traceId]).size, 3)
})

test('OTEL_TRACES_EXPORTER=console writes spans to the log', async (t) => {
  const { service, call } = await start(t, { OTEL_TRACES_EXPORTER: 'console' })
  await call('/v1/caller', { trace: TRACEPARENT })
  const line = await service.logged('span')
  assert.deepEqual(
    [line['span'], line['kind'], line['trace_id'], line['parent_span_id'], line['isFailed']],
    ['GET /v1/caller', 'server', PARENT.traceId, PARENT.spanId, false]
  )
})

test('a stop sends what waits', async (t) => {
  const collector = await openCollector(t)
  const { service, call } = await start(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '600000'
  })
  await call('/v1/caller')
  assert.deepEqual(collector.spans, [])
  service.child.kill('SIGTERM')
  assert.deepEqual(await service.exited, [0, null])
  assert.deepEqual(
    collector.spans.map(({ name }) => name),
    ['GET /v1/caller']
  )
  assert.equal(
    service.log.some(({ msg }) => msg === 'traces were lost'),
    false
  )
})

for (const [what, answer] of [
  ['is not there', undefined],
  ['answers 500', 500],
  ['answers 503', 503],
  ['does not answer', 'nothing']
] as const) {
  test(`a collector that ${what} neither keeps a request nor a stop waiting, and is said once`, async (t) => {
    const metricsPort = await freePort()
    const collector = await openCollector(t)
    if (answer !== undefined) collector.answerWith(answer)
    const { service, call } = await start(t, {
      OTEL_EXPORTER_OTLP_ENDPOINT: answer === undefined ? 'http://127.0.0.1:1' : collector.url,
      OTEL_EXPORTER_OTLP_TIMEOUT: '200',
      OTEL_BSP_MAX_QUEUE_SIZE: '8',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '4',
      METRICS_PORT: String(metricsPort)
    })
    for (let sent = 0; sent < 40; sent += 1) assert.equal((await call('/v1/caller')).status, 200)
    await service.logged('traces are lost: the collector does not accept them')
    for (let sent = 0; sent < 40; sent += 1) assert.equal((await call('/v1/caller')).status, 200)
    const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
    assert.ok(Number(/^sbert_trace_spans_lost_total (\d+)$/m.exec(metrics)?.[1]) > 0)
    assert.match(metrics, /^sbert_trace_spans_sent_total 0$/m)
    service.child.kill('SIGTERM')
    assert.deepEqual(await service.exited, [0, null])
    const said = service.log.filter(({ msg }) => String(msg).startsWith('traces'))
    assert.deepEqual(
      said.map(({ msg }) => msg),
      ['traces are lost: the collector does not accept them', 'traces were lost']
    )
    assert.equal(said[1]?.['lostSpans'], 80)
    assert.equal('trace_id' in (said[0] ?? {}), false)
    assert.deepEqual(service.stderr, [])
  })
}
