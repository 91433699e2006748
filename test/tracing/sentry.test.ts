/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// Sentry brings parts of OpenTelemetry of its own: both report, and neither what is the other's.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { trace } from '@opentelemetry/api'
import { createErrorReporter } from '../../src/server/sentry.ts'
import { asSpan, inSpan } from '../../src/tracing/span.ts'
import { openTracer } from './open-tracer.ts'

test('errors go to Sentry with the id of their trace, spans to the collector, and no provider is global', async (t) => {
  const bodies: string[] = []
  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    bodies.push(await text(request))
    response.end('{}')
  }
  const server = createServer((request, response) => void receive(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)

  const { tracer, collector } = await openTracer(t)
  const sentryDsn = `http://publickey@127.0.0.1:${address.port}/42`
  const reporter = await createErrorReporter({ sentryDsn, stage: 'qa', release: 'sbert-service@1.2.3' })
  const span = tracer.start('request')
  await asSpan(span, () => inSpan('work', {}, async () => reporter.report(new Error('a bug'))))
  // What Sentry's or anybody's instruments would make goes to a provider of the global place, and not to ours.
  trace.getTracer('somebody').startSpan('foreign').end()
  await reporter.close(5000)

  const spans = await collector.some(2, () => true)
  assert.deepEqual(
    spans.map(({ name, traceId }) => [name, traceId]),
    [
      ['work', span.traceId],
      ['request', span.traceId]
    ]
  )
  const lines = bodies.join('\n').split('\n')
  const events = lines.filter((line) => line.includes('"exception"')).map((line) => JSON.parse(line))
  assert.deepEqual(
    events.map(({ tags }) => tags),
    [{ trace_id: span.traceId }]
  )
  assert.equal(
    lines.some((line) => line.includes('"type":"transaction"')),
    false
  )
})
