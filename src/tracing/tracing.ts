/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { DeliveryLogOptions, SpanCounts } from './delivery-log.ts'
import type { Tracer } from './span.ts'

/** Identity and log of a process that sends traces. */
export interface TracedProcess {
  /** Default of `service.name`, which a setting may override. */
  readonly serviceName: string
  readonly version: string
  readonly log: DeliveryLogOptions['log']
}

/** Traces of a process. */
export interface Tracing {
  /** Undefined when no traces are sent. */
  readonly tracer: Tracer | undefined
  counts(): SpanCounts
  /** Sends waiting spans; gives up after `timeoutMs`. */
  flush(timeoutMs: number): Promise<void>
  /** Sends waiting spans and stops; gives up after `timeoutMs`. */
  close(timeoutMs: number): Promise<void>
}
