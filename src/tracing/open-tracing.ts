/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Config } from '../config/settings.ts'
import { wantsTraces } from '../config/traces.ts'
import type { TracedProcess, Tracing } from './tracing.ts'

/**
 * Starts to send traces as the `OTEL_*` settings say. Without them OpenTelemetry is not even loaded, which would take a tenth of
 * a second and some megabytes.
 */
export async function openTracing(config: Config, traced: TracedProcess): Promise<Tracing> {
  if (!wantsTraces(config)) {
    return { tracer: undefined, counts: () => ({ sentCount: 0, lostCount: 0 }), async flush() {}, async close() {} }
  }
  const { openTelemetry } = await import('./open-telemetry.ts')
  return openTelemetry(config, traced)
}
