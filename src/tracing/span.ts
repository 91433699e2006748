/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { AsyncLocalStorage } from 'node:async_hooks'
import { ServiceError } from '../errors.ts'

/*
 * Spans as the rooms of the service know them. Nothing here needs OpenTelemetry: without a tracer there is no span, and
 * `currentSpan()` is one look-up.
 */

/** On which side of which exchange a span stands, in the words of OpenTelemetry. */
export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer'

/** Facts about a span. Never texts, keys or tokens: whoever reads traces may not read those. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>

/** How to start a span. */
export interface SpanOptions {
  /** @default 'internal' */
  readonly kind?: SpanKind
  readonly attributes?: SpanAttributes
}

/** What carries a trace from one process to the next: the headers of W3C Trace Context. Empty when it ends here. */
export interface TraceHeaders {
  readonly traceparent?: string
  readonly tracestate?: string
}

/** One step of a trace. */
export interface Span {
  readonly traceId: string
  readonly spanId: string
  /** What the next process needs to continue the trace below this span. */
  headers(): TraceHeaders
  /** Starts a span below this one. */
  child(name: string, options?: SpanOptions): Span
  rename(name: string): void
  set(attributes: SpanAttributes): void
  /** Marks the span as failed. @param errorType which kind of error, never its message: that may quote a text */
  fail(errorType: string): void
  end(): void
}

/** Starts traces, and continues those of others. */
export interface Tracer {
  /** @param from the trace to continue. @default a new one */
  start(name: string, options?: SpanOptions, from?: TraceHeaders): Span
}

const current = new AsyncLocalStorage<Span>()

/** The span that the calling code works for. */
export function currentSpan(): Span | undefined {
  return current.getStore()
}

/** Calls `work` as a part of a span, which goes on afterwards. */
export function withSpan<Result>(span: Span, work: () => Result): Result {
  return current.run(span, work)
}

/** Calls `work` as a part of no span: for what goes on after the span that happened to begin it. */
export function outsideOfSpans<Result>(work: () => Result): Result {
  return current.exit(work)
}

/** Does `work` as a span, which ends with it, failed if it fails. */
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

/** Does `work` as a span below the current one; without a current one just does it. */
export async function inSpan<Result>(
  name: string,
  options: SpanOptions,
  work: (span: Span | undefined) => Promise<Result>
): Promise<Result> {
  const span = current.getStore()?.child(name, options)
  return span === undefined ? work(undefined) : asSpan(span, () => work(span))
}

/** What kind of error this is, in a word. */
export function errorTypeOf(error: unknown): string {
  if (error instanceof ServiceError) return error.code
  return error instanceof Error ? error.name : typeof error
}

/** Which trace a line of the log belongs to, by the field names of OpenTelemetry; nothing outside of a span. */
export function traceFields(): { readonly trace_id?: string; readonly span_id?: string } {
  const span = current.getStore()
  return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId }
}
