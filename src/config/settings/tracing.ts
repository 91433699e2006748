/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { flag, integer, text, type Setting } from '../setting.ts'
import { PAIRS_BOUNDS, SAMPLERS } from '../traces.ts'

const HTTP_URL = /^https?:\/\/[^\s@]{1,2000}$/
const PAIRS = /^[\x20-\x7e]{1,8192}$/
const PATH = /^[^\0]{1,4096}$/
const ANY_NAME = /^[A-Za-z0-9_/., -]{1,256}$/

function optional(pattern: RegExp, bounds: string, doc: string, isSecret = false): Setting<string | undefined> {
  return text<undefined>({ default: undefined, pattern, bounds, doc, isSecret })
}

/**
 * Settings of traces, as OpenTelemetry names them. What only matters once traces are sent is judged by
 * `tracingProblems`: on a machine whose other programs use what is not known here, the service still starts.
 */
export const TRACING_SETTINGS = {
  OTEL_SDK_DISABLED: flag({ default: false, doc: 'Sends no traces, whatever the settings below say.' }),
  OTEL_TRACES_EXPORTER: optional(
    ANY_NAME,
    '`otlp`, `console`, `none`',
    'Where traces go: to a collector, or as lines of the log. Without it they go to the collector that an endpoint below names; without that, nowhere.'
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(
    HTTP_URL,
    'a URL without user name and password',
    'The collector, such as `http://127.0.0.1:4318`; `/v1/traces` is put after it.'
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: optional(
    HTTP_URL,
    'a URL without user name and password',
    'Where exactly the collector takes traces; goes before `OTEL_EXPORTER_OTLP_ENDPOINT`. So do the others with `_TRACES_` in their names.'
  ),
  OTEL_EXPORTER_OTLP_PROTOCOL: text({
    default: 'http/protobuf',
    pattern: ANY_NAME,
    bounds: '`http/protobuf`, `http/json`',
    doc: 'How spans are sent. `grpc` is not known: collectors take HTTP too, mostly on port 4318.'
  }),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: optional(ANY_NAME, '`http/protobuf`, `http/json`', 'The same for traces alone.'),
  OTEL_EXPORTER_OTLP_HEADERS: optional(PAIRS, PAIRS_BOUNDS, 'Headers for the collector, such as a key.', true),
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: optional(PAIRS, PAIRS_BOUNDS, 'The same for traces alone.', true),
  OTEL_EXPORTER_OTLP_TIMEOUT: integer({
    default: 10_000,
    min: 1,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'How long one delivery may take, retries included.'
  }),
  OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: integer({
    default: 0,
    min: 0,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'The same for traces alone; 0 is `OTEL_EXPORTER_OTLP_TIMEOUT`.'
  }),
  OTEL_EXPORTER_OTLP_COMPRESSION: optional(/^(?:none|gzip)$/, '`none`, `gzip`', 'Whether spans are compressed.'),
  OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: optional(/^(?:none|gzip)$/, '`none`, `gzip`', 'The same for traces alone.'),
  OTEL_EXPORTER_OTLP_CERTIFICATE: optional(
    PATH,
    'a path',
    'PEM file of the authorities that a collector is trusted by.'
  ),
  OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: optional(PATH, 'a path', 'The same for traces alone.'),
  OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: optional(
    PATH,
    'a path',
    'PEM file of the certificate that is shown to a collector.'
  ),
  OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE: optional(PATH, 'a path', 'The same for traces alone.'),
  OTEL_EXPORTER_OTLP_CLIENT_KEY: optional(PATH, 'a path', 'PEM file of the key of that certificate.'),
  OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: optional(PATH, 'a path', 'The same for traces alone.'),
  OTEL_SERVICE_NAME: optional(
    /^[\x20-\x7e]{1,255}$/,
    'printable ASCII',
    'Name of this process in traces. Without it `sbert-service`, `sbert-worker` or `sbert-lambda`.'
  ),
  OTEL_RESOURCE_ATTRIBUTES: optional(PAIRS, PAIRS_BOUNDS, 'More facts about this process, for traces.'),
  OTEL_TRACES_SAMPLER: text({
    default: 'parentbased_always_on',
    pattern: ANY_NAME,
    bounds: SAMPLERS.map((name) => `\`${name}\``).join(', '),
    doc: 'Which traces are kept. With `parentbased_` the caller decides for the traces that it began.'
  }),
  OTEL_TRACES_SAMPLER_ARG: optional(
    ANY_NAME,
    '0 to 1',
    'Share of traces that the samplers by ratio keep; without it all.'
  ),
  OTEL_PROPAGATORS: text({
    default: 'tracecontext,baggage',
    pattern: ANY_NAME,
    bounds: '`tracecontext`, `baggage`, `none`, comma separated',
    doc: 'Whether traces of callers are continued and carried on, by `traceparent` and `tracestate`. Baggage is never carried on.'
  }),
  OTEL_BSP_SCHEDULE_DELAY: integer({
    default: 5000,
    min: 1,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'How long a span waits for others to be sent with.'
  }),
  OTEL_BSP_EXPORT_TIMEOUT: integer({
    default: 30_000,
    min: 1,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'After this a delivery counts as failed.'
  }),
  OTEL_BSP_MAX_QUEUE_SIZE: integer({
    default: 2048,
    min: 1,
    max: 1_000_000,
    unit: 'spans',
    doc: 'Maximum number of spans that wait to be sent; beyond it new ones are dropped.'
  }),
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: integer({
    default: 512,
    min: 1,
    max: 1_000_000,
    unit: 'spans',
    doc: 'Maximum number of spans that are sent together, at most `OTEL_BSP_MAX_QUEUE_SIZE`.'
  })
} as const
