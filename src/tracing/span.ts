/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { AsyncLocalStorage } from 'node:async_hooks'
import { ServiceError } from '../errors.ts'

/*
 * Interface of spans for all rooms. Nothing here needs OpenTelemetry: without a tracer there are no spans, and `currentSpan()`
 * is a single lookup.
 */

/** OpenTelemetry's kind of a span. */
export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer'

/** Attributes of a span. Never texts, keys or tokens, which readers of traces must not see. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>

/** Options of a new span. */
export interface SpanOptions {
  /** @default 'internal' */
  readonly kind?: SpanKind
  readonly attributes?: SpanAttributes
}

/** Headers of W3C Trace Context, which carry a trace to another process. Empty when the trace is not propagated. */
export interface TraceHeaders {
  readonly traceparent?: string
  readonly tracestate?: string
}

/** One operation of a trace. */
export interface Span {
  readonly traceId: string
  readonly spanId: string
  /** Headers with which another process continues the trace below this span. */
  headers(): TraceHeaders
  /** Starts a child span. */
  child(name: string, options?: SpanOptions): Span
  rename(name: string): void
  set(attributes: SpanAttributes): void
  /** Marks the span as failed. @param errorType the kind of error, never its message, which may quote a text */
  fail(errorType: string): void
  end(): void
}

/** Starts traces, and continues those of other processes. */
export interface Tracer {
  /** @param from the trace to continue. @default a new one */
  start(name: string, options?: SpanOptions, from?: TraceHeaders): Span
}

const current = new AsyncLocalStorage<Span>()

/** The span that the calling code runs in. */
export function currentSpan(): Span | undefined {
  return current.getStore()
}

/** Calls `work` within a span, without ending the span. */
export function withSpan<Result>(span: Span, work: () => Result): Result {
  return current.run(span, work)
}

/** Calls `work` outside of any span: for work that outlives the span in which it happens to start. */
export function outsideOfSpans<Result>(work: () => Result): Result {
  return current.exit(work)
}

/** Runs `work` within a span, then ends the span; an error marks it as failed. */
export async function asSpan<Result>(span: Span, work: () => Promise<Result>): Promise<Result> {
  try {
    return await current.run(span, work)
  } catch (error) {
    span.fail(errorTypeOf(error))
    throw error
  } finally {
    span.end()
  }
}

/** Runs `work` within a child of the current span; without a current span, just runs it. */
export async function inSpan<Result>(
  name: string,
  options: SpanOptions,
  work: (span: Span | undefined) => Promise<Result>
): Promise<Result> {
  const span = current.getStore()?.child(name, options)
  return span === undefined ? work(undefined) : asSpan(span, () => work(span))
}

/** The kind of an error: its code, or its name. */
export function errorTypeOf(error: unknown): string {
  if (error instanceof ServiceError) return error.code
  return error instanceof Error ? error.name : typeof error
}

/** Fields that link a log line to its trace, named as in OpenTelemetry; none outside of a span. */
export function traceFields(): { readonly trace_id?: string; readonly span_id?: string } {
  const span = current.getStore()
  return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId }
}
