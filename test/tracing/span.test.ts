/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { ServiceError } from '../../src/errors.ts'
import { GraphQlClient } from '../../src/platform/graphql-client.ts'
import { inClientSpan } from '../../src/tracing/client-span.ts'
import { DeliveryLog } from '../../src/tracing/delivery-log.ts'
import { MAX_CHILD_SPANS, tracesUrl } from '../../src/tracing/open-telemetry.ts'
import { asSpan, currentSpan, inSpan, outsideOfSpans, traceFields, withSpan } from '../../src/tracing/span.ts'
import { openTracer } from './open-tracer.ts'

test('inSpan() without a current span just does the work', async () => {
  assert.equal(await inSpan('work', {}, async (span) => [span, currentSpan()].length), 2)
  assert.equal(await inSpan('work', {}, async (span) => span), undefined)
  assert.deepEqual(traceFields(), {})
})

test('asSpan() ends a span with its work, failed by the kind of its error and never by the message', async (t) => {
  const { tracer, collector } = await openTracer(t)
  const failing = asSpan(tracer.start('work'), async () => {
    await inSpan('known', {}, async () => {
      throw new ServiceError('OVERLOADED', 'Kx7 a text')
    }).catch(() => undefined)
    throw new TypeError('Kx7 another')
  })
  await assert.rejects(failing, /Kx7 another/)
  const [known, work] = await collector.some(2, () => true)
  assert.deepEqual([known?.isFailed, known?.attributes], [true, { 'error.type': 'OVERLOADED' }])
  assert.deepEqual([work?.isFailed, work?.attributes], [true, { 'error.type': 'TypeError' }])
  assert.doesNotMatch(JSON.stringify(collector.spans), /Kx7/)
  assert.equal(currentSpan(), undefined)
})

test('a span has so many children and no more; what is too much continues it all the same', async (t) => {
  const { tracer, collector } = await openTracer(t)
  const parent = tracer.start('parent')
  for (let child = 0; child < MAX_CHILD_SPANS; child += 1) parent.child('child').end()
  const leftOut = parent.child('too many')
  leftOut.set({ 'sbert.sentence_count': 1 })
  leftOut.child('grandchild').end()
  assert.deepEqual(leftOut.headers(), parent.headers())
  leftOut.end()
  parent.end()
  const spans = await collector.some(MAX_CHILD_SPANS + 1, () => true)
  assert.deepEqual(new Set(spans.map(({ name }) => name)), new Set(['parent', 'child']))
  assert.equal(spans.find(({ name }) => name === 'parent')?.attributes['sbert.left_out_children'], 1)
})

test('a trace is continued from headers that are valid alone', async (t) => {
  const { tracer } = await openTracer(t)
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const tracestate = 'vendor=abc'
  const continued = tracer.start('a', {}, { traceparent, tracestate })
  assert.deepEqual(continued.headers(), {
    traceparent: `00-0af7651916cd43dd8448eb211c80319c-${continued.spanId}-01`,
    tracestate
  })
  for (const strange of ['', 'x', 'é=ü', `a=${'x'.repeat(5000)}`, '\u0000', ',,,', 'A B=c']) {
    const headers = tracer.start('a', {}, { traceparent, tracestate: strange }).headers()
    assert.deepEqual(Object.keys(headers), ['traceparent'], strange)
  }
  for (const wrong of ['', 'x', traceparent.toUpperCase(), `${traceparent}, ${traceparent}`, `${traceparent}-more`]) {
    assert.notEqual(tracer.start('a', {}, { traceparent: wrong }).traceId, continued.traceId, wrong)
  }
})

test('outsideOfSpans() and withSpan() say whose work is done', async (t) => {
  const { tracer } = await openTracer(t)
  const span = tracer.start('a')
  withSpan(span, () => {
    assert.deepEqual(traceFields(), { trace_id: span.traceId, span_id: span.spanId })
    outsideOfSpans(() => assert.equal(currentSpan(), undefined))
    assert.equal(currentSpan(), span)
  })
})

test('inClientSpan() carries the trace on, and tells of the address only host and port', async (t) => {
  const { tracer, collector } = await openTracer(t)
  const received: unknown[] = []
  const server = createServer((request, response) => {
    received.push(request.headers['traceparent'])
    response.writeHead(503).end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const client = new GraphQlClient({ endpoint: `http://127.0.0.1:${address.port}/Kx7?token=Kx7` })
  t.after(() => client.close())
  const operation = { action: 'ask', document: '{ Kx7 }', kind: 'mutation', read: () => undefined } as const
  const asked = asSpan(tracer.start('request'), () => client.run(operation, { text: 'Kx7' }))
  await assert.rejects(asked, { code: 'BAD_GATEWAY' })
  const post = await collector.named('POST')
  const request = await collector.named('request')
  assert.deepEqual([post.parentSpanId, post.kind, post.isFailed], [request.spanId, 3, true])
  assert.deepEqual(post.attributes, {
    'http.request.method': 'POST',
    'server.address': '127.0.0.1',
    'server.port': address.port,
    'url.full': `http://127.0.0.1:${address.port}`,
    'http.response.status_code': 503,
    'error.type': '503'
  })
  assert.deepEqual(received, [`00-${post.traceId}-${post.spanId}-01`])
  assert.doesNotMatch(JSON.stringify(collector.spans), /Kx7/)
  // Outside of a trace nothing is carried.
  await client.run(operation, {}).catch(() => undefined)
  assert.equal(received[1], undefined)
})

test('inClientSpan() knows the port that an address leaves out', async (t) => {
  const { tracer, collector } = await openTracer(t)
  await asSpan(tracer.start('a'), () =>
    inClientSpan('GET', 'https://example.org/path', async () => ({ statusCode: 200 }))
  )
  assert.equal((await collector.named('GET')).attributes['server.port'], 443)
})

test('DeliveryLog says a loss once, and its end after a time without one', () => {
  const said: unknown[] = []
  let nowMs = 0
  const log = {
    info: (fields: object, message: string) => void said.push([message, fields]),
    warn: (fields: object, message: string) => void said.push([message, fields])
  }
  const deliveries = new DeliveryLog({ log, quietMs: 1000, nowMs: () => nowMs })
  deliveries.delivered(3)
  for (; nowMs < 10_000; nowMs += 500) {
    deliveries.lost(2, 'ECONNREFUSED')
    deliveries.delivered(3)
  }
  assert.deepEqual(said, [['traces are lost: the collector does not accept them', { reason: 'ECONNREFUSED' }]])
  nowMs += 1000
  deliveries.delivered(3)
  deliveries.delivered(3)
  assert.deepEqual(said.slice(1), [['traces are accepted again', { lostSpans: 40 }]])
  deliveries.close()
  assert.equal(said.length, 2)
  deliveries.lost(1, 'again')
  deliveries.close()
  deliveries.close()
  assert.deepEqual(said.slice(3), [['traces were lost', { lostSpans: 1 }]])
  assert.deepEqual(deliveries.counts, { sentCount: 3 * 23, lostCount: 41 })
})

function urlOf(all?: string, traces?: string): string {
  return tracesUrl({ otelExporterOtlpEndpoint: all, otelExporterOtlpTracesEndpoint: traces })
}

test('tracesUrl() puts the path of traces after an endpoint of all, and takes one of traces as it is', () => {
  assert.equal(urlOf(), 'http://localhost:4318/v1/traces')
  assert.equal(urlOf('http://collector:4318'), 'http://collector:4318/v1/traces')
  assert.equal(urlOf('https://collector/otlp/'), 'https://collector/otlp/v1/traces')
  assert.equal(urlOf('http://collector', 'http://traces/exactly/'), 'http://traces/exactly/')
})
