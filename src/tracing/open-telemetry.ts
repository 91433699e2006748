/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { randomUUID } from 'node:crypto'
import {
  ROOT_CONTEXT,
  SpanKind as ApiSpanKind,
  SpanStatusCode,
  defaultTextMapGetter,
  defaultTextMapSetter,
  trace,
  type Context,
  type Span as ApiSpan,
  type TextMapPropagator,
  type Tracer as ApiTracer
} from '@opentelemetry/api'
import {
  ExportResultCode,
  W3CTraceContextPropagator,
  hrTimeToMilliseconds,
  type ExportResult
} from '@opentelemetry/core'
import { OTLPExporterBase } from '@opentelemetry/otlp-exporter-base'
import { createOtlpHttpExportDelegate, httpAgentFactoryFromOptions } from '@opentelemetry/otlp-exporter-base/node-http'
import {
  JsonTraceSerializer,
  ProtobufTraceSerializer,
  TraceExporterMetricsHelper
} from '@opentelemetry/otlp-transformer'
import { defaultResource, resourceFromAttributes, type Resource } from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type ReadableSpan,
  type Sampler,
  type SpanExporter,
  type SpanProcessor
} from '@opentelemetry/sdk-trace'
import type { Config } from '../config/settings.ts'
import { listOf, pairsOf } from '../config/traces.ts'
import { DeliveryLog } from './delivery-log.ts'
import { outsideOfSpans, type Span, type SpanKind, type SpanOptions, type TraceHeaders, type Tracer } from './span.ts'
import type { TracedProcess, Tracing } from './tracing.ts'

/*
 * The only file that loads OpenTelemetry. Its provider is not registered globally, since Sentry's is, and so both work side by
 * side. Failed deliveries are logged by DeliveryLog.
 */

/** Maximum number of child spans of one span, so that work in many pieces does not make more spans than anyone reads. */
export const MAX_CHILD_SPANS = 128

const KINDS: Readonly<Record<SpanKind, ApiSpanKind>> = {
  internal: ApiSpanKind.INTERNAL,
  server: ApiSpanKind.SERVER,
  client: ApiSpanKind.CLIENT,
  producer: ApiSpanKind.PRODUCER,
  consumer: ApiSpanKind.CONSUMER
}

/** Maximum number of concurrent deliveries: the default of OpenTelemetry's own exporter. */
const MAX_DELIVERIES = 30

/** Starts OpenTelemetry. @throws Error when a certificate cannot be read */
export function openTelemetry(config: Config, { serviceName, version, log }: TracedProcess): Tracing {
  const deliveries = new DeliveryLog({ log })
  const exporter = config.otelTracesExporter === 'console' ? new LogExporter(log) : createOtlpExporter(config)
  const queue = new SpanQueue(config, exporter, deliveries)
  const provider = new TracerProvider({
    resource: resourceOf(config, serviceName, version),
    sampler: samplerOf(config),
    spanProcessors: [queue]
  })
  const propagates = listOf(config.otelPropagators).includes('tracecontext')
  return {
    tracer: new OtelTracer(provider.getTracer('sbert-service', version), propagates),
    counts: () => deliveries.counts,
    async flush(timeoutMs) {
      await within(timeoutMs, provider.forceFlush({ timeoutMillis: timeoutMs }))
    },
    async close(timeoutMs) {
      await within(timeoutMs, provider.shutdown())
      queue.giveUp()
      deliveries.close()
    }
  }
}

class OtelTracer implements Tracer {
  readonly #tracer: ApiTracer
  readonly #propagator: TextMapPropagator | undefined

  constructor(tracer: ApiTracer, propagates: boolean) {
    this.#tracer = tracer
    this.#propagator = propagates ? new W3CTraceContextPropagator() : undefined
  }

  start(name: string, options: SpanOptions = {}, from: TraceHeaders = {}): Span {
    const parent = this.#propagator?.extract(ROOT_CONTEXT, from, defaultTextMapGetter) ?? ROOT_CONTEXT
    return startSpan(this.#tracer, this.#propagator, name, options, parent)
  }
}

function startSpan(
  tracer: ApiTracer,
  propagator: TextMapPropagator | undefined,
  name: string,
  { kind = 'internal', attributes = {} }: SpanOptions,
  parent: Context
): Span {
  // A copy, since the span keeps and changes the object.
  const span = tracer.startSpan(name, { kind: KINDS[kind], attributes: { ...attributes } }, parent)
  return new OtelSpan(tracer, propagator, span)
}

class OtelSpan implements Span {
  readonly traceId: string
  readonly spanId: string
  readonly #tracer: ApiTracer
  readonly #propagator: TextMapPropagator | undefined
  readonly #span: ApiSpan
  #childCount = 0

  constructor(tracer: ApiTracer, propagator: TextMapPropagator | undefined, span: ApiSpan) {
    const { traceId, spanId } = span.spanContext()
    this.traceId = traceId
    this.spanId = spanId
    this.#tracer = tracer
    this.#propagator = propagator
    this.#span = span
  }

  headers(): TraceHeaders {
    const headers: Record<string, string> = {}
    this.#propagator?.inject(this.#context(), headers, defaultTextMapSetter)
    // A tracestate that could not be parsed is injected as an empty one.
    if (headers['tracestate'] === '') delete headers['tracestate']
    return headers
  }

  child(name: string, options: SpanOptions = {}): Span {
    this.#childCount += 1
    if (this.#childCount > MAX_CHILD_SPANS) return new LeftOutSpan(this)
    return startSpan(this.#tracer, this.#propagator, name, options, this.#context())
  }

  rename(name: string): void {
    this.#span.updateName(name)
  }

  set(attributes: NonNullable<SpanOptions['attributes']>): void {
    this.#span.setAttributes({ ...attributes })
  }

  fail(errorType: string): void {
    this.#span.setAttribute('error.type', errorType)
    this.#span.setStatus({ code: SpanStatusCode.ERROR })
  }

  end(): void {
    if (this.#childCount > MAX_CHILD_SPANS)
      this.#span.setAttribute('sbert.left_out_children', this.#childCount - MAX_CHILD_SPANS)
    this.#span.end()
  }

  #context(): Context {
    return trace.setSpan(ROOT_CONTEXT, this.#span)
  }
}

/** Stands in for a child span beyond the limit: it propagates its parent's trace and records nothing. */
class LeftOutSpan implements Span {
  readonly traceId: string
  readonly spanId: string
  readonly #parent: Span

  constructor(parent: Span) {
    this.traceId = parent.traceId
    this.spanId = parent.spanId
    this.#parent = parent
  }

  headers(): TraceHeaders {
    return this.#parent.headers()
  }

  child(): Span {
    return this
  }

  rename(): void {}
  set(): void {}
  fail(): void {}
  end(): void {}
}

/**
 * Queue of ended spans for the collector. When it is full, new ones are dropped, as BatchSpanProcessor would do itself, but also
 * counted.
 */
class SpanQueue implements SpanProcessor {
  readonly #processor: BatchSpanProcessor
  readonly #maxWaitingCount: number
  readonly #deliveries: DeliveryLog
  #waitingCount = 0
  #deliveringCount = 0

  constructor(config: Config, exporter: SpanExporter, deliveries: DeliveryLog) {
    this.#maxWaitingCount = config.otelBspMaxQueueSize
    this.#deliveries = deliveries
    this.#processor = new BatchSpanProcessor({
      exporter: {
        export: (spans, done) => this.#export(exporter, spans, done),
        forceFlush: async () => exporter.forceFlush?.(),
        shutdown: async () => exporter.shutdown()
      },
      maxQueueSize: config.otelBspMaxQueueSize,
      maxExportBatchSize: Math.min(config.otelBspMaxExportBatchSize, config.otelBspMaxQueueSize),
      scheduledDelayMillis: config.otelBspScheduleDelay,
      exportTimeoutMillis: config.otelBspExportTimeout
    })
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    // A delivery or log line that this starts is not part of the span that ended.
    outsideOfSpans(() => this.#take(span))
  }

  #take(span: ReadableSpan): void {
    if (this.#waitingCount >= this.#maxWaitingCount) {
      this.#deliveries.lost(1, 'OTEL_BSP_MAX_QUEUE_SIZE spans wait already')
      return
    }
    this.#waitingCount += 1
    this.#processor.onEnd(span)
  }

  async forceFlush(): Promise<void> {
    await this.#processor.forceFlush()
  }

  async shutdown(): Promise<void> {
    await this.#processor.shutdown()
  }

  /** Counts undelivered spans as lost. */
  giveUp(): void {
    const lostCount = this.#waitingCount + this.#deliveringCount
    if (lostCount > 0) this.#deliveries.lost(lostCount, 'the process ended before they were sent')
    this.#waitingCount = 0
  }

  #export(exporter: SpanExporter, spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    const { length } = spans
    this.#waitingCount -= length
    this.#deliveringCount += length
    exporter.export(spans, (result) => {
      this.#deliveringCount -= length
      if (result.code === ExportResultCode.SUCCESS) this.#deliveries.delivered(length)
      else this.#deliveries.lost(length, reasonOf(result.error))
      done(result)
    })
  }
}

/** Why a delivery failed, without quoting what was sent or answered. */
function reasonOf(error: Error | undefined): string {
  const code = error !== undefined && 'code' in error ? error.code : undefined
  if (typeof code === 'number') return `the collector answered ${code}`
  return typeof code === 'string' ? code : (error?.message ?? 'the delivery failed')
}

function createOtlpExporter(config: Config): SpanExporter {
  const protocol = config.otelExporterOtlpTracesProtocol ?? config.otelExporterOtlpProtocol
  const isJson = protocol === 'http/json'
  const headers = {
    ...pairsOf(config.otelExporterOtlpHeaders),
    ...pairsOf(config.otelExporterOtlpTracesHeaders),
    'content-type': isJson ? 'application/json' : 'application/x-protobuf'
  }
  const compression = config.otelExporterOtlpTracesCompression ?? config.otelExporterOtlpCompression
  const options = {
    url: tracesUrl(config),
    headers: async () => ({ ...headers }),
    timeoutMillis: config.otelExporterOtlpTracesTimeout || config.otelExporterOtlpTimeout,
    compression: compression === 'gzip' ? ('gzip' as const) : ('none' as const),
    concurrencyLimit: MAX_DELIVERIES,
    agentFactory: httpAgentFactoryFromOptions({ keepAlive: true, ...certificatesOf(config) })
  }
  const delegate = createOtlpHttpExportDelegate(
    options,
    isJson ? JsonTraceSerializer : ProtobufTraceSerializer,
    isJson ? 'otlp_http_json_span_exporter' : 'otlp_http_span_exporter',
    TraceExporterMetricsHelper,
    undefined
  )
  return new OTLPExporterBase(delegate)
}

/** URL to which traces are sent. */
export function tracesUrl(config: Pick<Config, 'otelExporterOtlpEndpoint' | 'otelExporterOtlpTracesEndpoint'>): string {
  if (config.otelExporterOtlpTracesEndpoint !== undefined) return config.otelExporterOtlpTracesEndpoint
  const base = config.otelExporterOtlpEndpoint ?? 'http://localhost:4318'
  return `${base.replace(/\/$/, '')}/v1/traces`
}

function certificatesOf(config: Config): { ca?: Buffer; cert?: Buffer; key?: Buffer } {
  const ca = config.otelExporterOtlpTracesCertificate ?? config.otelExporterOtlpCertificate
  const cert = config.otelExporterOtlpTracesClientCertificate ?? config.otelExporterOtlpClientCertificate
  const key = config.otelExporterOtlpTracesClientKey ?? config.otelExporterOtlpClientKey
  return {
    ...(ca !== undefined && { ca: readFileSync(ca) }),
    ...(cert !== undefined && { cert: readFileSync(cert) }),
    ...(key !== undefined && { key: readFileSync(key) })
  }
}

function resourceOf(config: Config, serviceName: string, version: string): Resource {
  const given = pairsOf(config.otelResourceAttributes)
  const name = config.otelServiceName ?? given?.['service.name'] ?? serviceName
  return defaultResource().merge(
    resourceFromAttributes({
      'service.version': version,
      'service.instance.id': randomUUID(),
      'deployment.environment.name': config.stage,
      'host.name': hostname(),
      'process.pid': process.pid,
      ...given,
      'service.name': name
    })
  )
}

function samplerOf({ otelTracesSampler: name, otelTracesSamplerArg: share }: Config): Sampler {
  const root = rootSamplerOf(name.replace(/^parentbased_/, ''), Number(share ?? 1))
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root
}

function rootSamplerOf(name: string, share: number): Sampler {
  if (name === 'always_off') return new AlwaysOffSampler()
  return name === 'traceidratio' ? new TraceIdRatioBasedSampler(share) : new AlwaysOnSampler()
}

/** Writes spans as lines of the log, for `OTEL_TRACES_EXPORTER=console`. */
class LogExporter implements SpanExporter {
  readonly #log: TracedProcess['log']

  constructor(log: TracedProcess['log']) {
    this.#log = log
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    for (const span of spans) {
      const { traceId, spanId } = span.spanContext()
      const fields = {
        span: span.name,
        kind: ApiSpanKind[span.kind].toLowerCase(),
        trace_id: traceId,
        span_id: spanId,
        parent_span_id: span.parentSpanContext?.spanId,
        durationMs: hrTimeToMilliseconds(span.duration),
        isFailed: span.status.code === SpanStatusCode.ERROR,
        attributes: span.attributes
      }
      this.#log.info(fields, 'span')
    }
    done({ code: ExportResultCode.SUCCESS })
  }

  async shutdown(): Promise<void> {}
}

/** Waits for `work`, for at most `timeoutMs`; ignores its errors, which are logged already. */
async function within(timeoutMs: number, work: Promise<void>): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, timeoutMs)
  await Promise.race([work.catch(() => undefined), over])
  clearTimeout(timer)
}
