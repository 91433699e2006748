/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Config } from '../config/settings.ts'
import type { DeliveryLogOptions } from './delivery-log.ts'
import type { Tracer } from './span.ts'
import { wantsTraces } from '../config/traces.ts'

/** Which process sends traces. */
export interface TracedProcess {
  /** `service.name`, unless a setting gives another. */
  readonly serviceName: string
  readonly version: string
  readonly log: DeliveryLogOptions['log']
}

/** Traces of a process. */
export interface Tracing {
  /** Undefined when no traces are wanted. */
  readonly tracer: Tracer | undefined
  /** Sends what waits; gives up after `timeoutMs`. */
  flush(timeoutMs: number): Promise<void>
  /** Sends what waits and ends; gives up after `timeoutMs`. */
  close(timeoutMs: number): Promise<void>
}

/**
 * Starts to send traces as the `OTEL_*` settings want it. Without them nothing of OpenTelemetry is even loaded, which
 * would take a tenth of a second and some megabytes.
 */
export async function openTracing(config: Config, traced: TracedProcess): Promise<Tracing> {
  if (!wantsTraces(config)) return { tracer: undefined, async flush() {}, async close() {} }
  const { openTelemetry } = await import('./open-telemetry.ts')
  return openTelemetry(config, traced)
}
