/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { loadConfig, type Environment } from '../../src/config/load-config.ts'
import { openTracing } from '../../src/tracing/open-tracing.ts'
import type { Tracing } from '../../src/tracing/tracing.ts'
import type { Tracer } from '../../src/tracing/span.ts'
import type { Lifetime } from '../app/service-process.ts'
import { openCollector, type Collector } from './collector.ts'

/** A tracer of this process, and the collector that it sends to. */
export interface OpenTracer {
  readonly tracer: Tracer
  readonly tracing: Tracing
  readonly collector: Collector
  /** What was logged. */
  readonly said: readonly (readonly [message: string, fields: object])[]
}

/** Opens a tracer, until the end of the test. */
export async function openTracer(t: Lifetime, env: Environment = {}): Promise<OpenTracer> {
  const collector = await openCollector(t)
  const said: [string, object][] = []
  const log = {
    info: (fields: object, message: string) => void said.push([message, fields]),
    warn: (fields: object, message: string) => void said.push([message, fields])
  }
  const config = loadConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '20', ...env })
  const tracing = await openTracing(config, { serviceName: 'test', version: '1', log })
  t.after(() => tracing.close(1000))
  assert.ok(tracing.tracer !== undefined)
  return { tracer: tracing.tracer, tracing, collector, said }
}
