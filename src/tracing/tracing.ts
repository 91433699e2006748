/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { DeliveryLogOptions } from './delivery-log.ts'
import type { Tracer } from './span.ts'

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
