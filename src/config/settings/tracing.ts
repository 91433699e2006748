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
 * Settings of traces, named as in OpenTelemetry. Values that only matter when traces are sent are checked by
 * `tracingProblems`, so that without traces the service starts even if other programs on the machine use values that it does not
 * support.
 */
export const TRACING_SETTINGS = {
  OTEL_SDK_DISABLED: flag({ default: false, doc: 'Sends no traces, whatever the settings below say.' }),
  OTEL_TRACES_EXPORTER: optional(
    ANY_NAME,
    '`otlp`, `console`, `none`',
    'Where traces are sent: to a collector, or to the log. Without it they go to the collector that an endpoint below names; without that, nowhere.'
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(
    HTTP_URL,
    'a URL without user name and password',
    'URL of the collector, such as `http://127.0.0.1:4318`; `/v1/traces` is appended.'
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: optional(
    HTTP_URL,
    'a URL without user name and password',
    'Complete URL for traces. It takes precedence over `OTEL_EXPORTER_OTLP_ENDPOINT`, as do the other settings with `_TRACES_` over those without.'
  ),
  OTEL_EXPORTER_OTLP_PROTOCOL: text({
    default: 'http/protobuf',
    pattern: ANY_NAME,
    bounds: '`http/protobuf`, `http/json`',
    doc: 'Protocol for sending spans. `grpc` is not supported; collectors accept HTTP too, mostly on port 4318.'
  }),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: optional(ANY_NAME, '`http/protobuf`, `http/json`', 'The same for traces alone.'),
  OTEL_EXPORTER_OTLP_HEADERS: optional(PAIRS, PAIRS_BOUNDS, 'Headers for the collector, such as a key.', true),
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: optional(PAIRS, PAIRS_BOUNDS, 'The same for traces alone.', true),
  OTEL_EXPORTER_OTLP_TIMEOUT: integer({
    default: 10_000,
    min: 1,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'Time limit of one delivery to the collector, retries included.'
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
    'PEM file of the certificate authorities that the collector’s certificate is verified with.'
  ),
  OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: optional(PATH, 'a path', 'The same for traces alone.'),
  OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: optional(
    PATH,
    'a path',
    'PEM file of the client certificate that is presented to the collector.'
  ),
  OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE: optional(PATH, 'a path', 'The same for traces alone.'),
  OTEL_EXPORTER_OTLP_CLIENT_KEY: optional(PATH, 'a path', 'PEM file of that certificate’s private key.'),
  OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: optional(PATH, 'a path', 'The same for traces alone.'),
  OTEL_SERVICE_NAME: optional(
    /^[\x20-\x7e]{1,255}$/,
    'printable ASCII',
    'Name of this process in traces. Without it `sbert-service`, `sbert-worker` or `sbert-lambda`.'
  ),
  OTEL_RESOURCE_ATTRIBUTES: optional(PAIRS, PAIRS_BOUNDS, 'Additional attributes of this process in traces.'),
  OTEL_TRACES_SAMPLER: text({
    default: 'parentbased_always_on',
    pattern: ANY_NAME,
    bounds: SAMPLERS.map((name) => `\`${name}\``).join(', '),
    doc: 'Which traces are sampled. With `parentbased_`, the caller decides for traces that it started.'
  }),
  OTEL_TRACES_SAMPLER_ARG: optional(
    ANY_NAME,
    '0 to 1',
    'Share of traces that the ratio-based samplers keep; without it all.'
  ),
  OTEL_PROPAGATORS: text({
    default: 'tracecontext,baggage',
    pattern: ANY_NAME,
    bounds: '`tracecontext`, `baggage`, `none`, comma separated',
    doc: 'With `tracecontext`, callers’ traces are continued and passed on, by `traceparent` and `tracestate`. Baggage is never passed on.'
  }),
  OTEL_BSP_SCHEDULE_DELAY: integer({
    default: 5000,
    min: 1,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'How long a span waits to be sent together with others.'
  }),
  OTEL_BSP_EXPORT_TIMEOUT: integer({
    default: 30_000,
    min: 1,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'Time limit of one export; after it the export counts as failed.'
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
