/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import protobuf from 'protobufjs'
import type { Lifetime } from '../app/service-process.ts'

/** A span as a collector sees it. */
export interface CollectedSpan {
  readonly traceId: string
  readonly spanId: string
  /** Empty for the first of its trace. */
  readonly parentSpanId: string
  readonly name: string
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number
  readonly durationMs: number
  readonly isFailed: boolean
  readonly attributes: Readonly<Record<string, unknown>>
  /** Of the process that sent it. */
  readonly resource: Readonly<Record<string, unknown>>
}

/** A delivery, as it came. */
export interface Delivery {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
  readonly spans: readonly CollectedSpan[]
}

/** Takes spans by OTLP over HTTP, in both of its writings. */
export interface Collector {
  readonly url: string
  readonly deliveries: readonly Delivery[]
  readonly spans: readonly CollectedSpan[]
  /** Spans that match, as soon as there are so many. */
  some(count: number, isWanted: (span: CollectedSpan) => boolean): Promise<CollectedSpan[]>
  /** One span by its name. */
  named(name: string): Promise<CollectedSpan>
  /** How deliveries are answered from now on: by a status, or not at all. */
  answerWith(answer: number | 'nothing'): void
}

/* What this test reads of opentelemetry/proto/trace/v1/trace.proto, in the same field numbers. */
const ExportRequest = protobuf
  .parse(
    `syntax = "proto3";
    message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
    message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
    message Resource { repeated KeyValue attributes = 1; }
    message ScopeSpans { repeated Span spans = 2; }
    message Span {
      bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
      fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9; Status status = 15;
    }
    message Status { string message = 2; int32 code = 3; }
    message KeyValue { string key = 1; AnyValue value = 2; }
    message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }`
  )
  .root.lookupType('ExportTraceServiceRequest')

/** The JSON writing of OTLP, which the reading of its protobuf gives as well. */
interface ExportJson {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: readonly Pair[] }
    readonly scopeSpans?: readonly { readonly spans?: readonly SpanJson[] }[]
  }[]
}

interface Pair {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

interface SpanJson {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes?: readonly Pair[]
  readonly status?: { readonly code?: number }
}

/** Opens a collector on a free port, until the end of the test. */
export async function openCollector(t: Lifetime): Promise<Collector> {
  const deliveries: Delivery[] = []
  const news = new EventTarget()
  let answer: number | 'nothing' = 200
  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const sent = await buffer(request)
    if (answer === 'nothing') return
    if (answer === 200) {
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent
      const isJson = request.headers['content-type'] === 'application/json'
      const spans = isJson ? spansIn(JSON.parse(body.toString())) : spansInProtobuf(body)
      deliveries.push({ path: request.url ?? '', headers: request.headers, body, spans })
      news.dispatchEvent(new Event('delivery'))
    }
    response.writeHead(answer).end()
  }
  const server = createServer((request, response) => void take(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const all = (): CollectedSpan[] => deliveries.flatMap(({ spans }) => spans)
  const some: Collector['some'] = async (count, isWanted) => {
    for (;;) {
      const found = all().filter(isWanted)
      if (found.length >= count) return found
      await once(news, 'delivery')
    }
  }
  return {
    url: `http://127.0.0.1:${address.port}`,
    deliveries,
    get spans() {
      return all()
    },
    some,
    async named(name) {
      const [span] = await some(1, (each) => each.name === name)
      assert.ok(span !== undefined)
      return span
    },
    answerWith(given) {
      answer = given
    }
  }
}

function spansInProtobuf(body: Buffer): CollectedSpan[] {
  const message = ExportRequest.toObject(ExportRequest.decode(body), { longs: String, bytes: Buffer })
  const text = JSON.stringify(message, function (this: Record<string, unknown>, key: string, value: unknown) {
    // Ids are bytes here, and digits in JSON.
    const given = this[key]
    return Buffer.isBuffer(given) ? given.toString('hex') : value
  })
  return spansIn(JSON.parse(text))
}

function spansIn({ resourceSpans = [] }: ExportJson): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans = [] }) =>
    scopeSpans.flatMap(({ spans = [] }) =>
      spans.map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? '',
        name: span.name,
        kind: span.kind,
        durationMs: Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6,
        isFailed: span.status?.code === 2,
        attributes: valuesOf(span.attributes),
        resource: valuesOf(resource?.attributes)
      }))
    )
  )
}

function valuesOf(pairs: readonly Pair[] = []): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map(({ key, value }) => {
      const [kind, given] = Object.entries(value)[0] ?? []
      return [key, kind === 'intValue' ? Number(given) : given]
    })
  )
}
