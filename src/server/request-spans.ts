/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { withSpan, type Span, type TraceHeaders, type Tracer } from '../tracing/span.ts'

/** Addresses of health checks, whose frequent and equal requests are not traced. */
const UNTRACED = /^\/(?:(?:v2\/)?health\/(?:live|ready)|v1\/ping)?(?:\/?(?:\?|$))/

/** Methods of OpenTelemetry's conventions; others may be arbitrary text of a caller. */
const METHODS = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE'])

/**
 * Makes each request a span, from its head to the end of its reply, and continues the caller's trace. Like the log, a span has
 * the pattern of the route, not the address, since path and query may hold a user's text.
 */
export class RequestSpans {
  readonly #tracer: Tracer
  readonly #spans = new WeakMap<IncomingMessage, Span>()

  constructor(tracer: Tracer) {
    this.#tracer = tracer
  }

  /** The span of a request; undefined when it is not traced. */
  of(request: IncomingMessage): Span | undefined {
    return this.#spans.get(request)
  }

  /** Calls `work` within the request's span, which starts with the first call and ends with the reply. */
  serve(request: IncomingMessage, response: ServerResponse, work: () => void): void {
    const span = this.#spans.get(request) ?? this.#begin(request, response)
    if (span === undefined) work()
    else withSpan(span, work)
  }

  /** Sets the pattern of the route in the request's span. */
  name(request: IncomingMessage, route: string | undefined): void {
    if (route === undefined) return
    const span = this.#spans.get(request)
    span?.rename(`${methodOf(request).name} ${route}`)
    span?.set({ 'http.route': route, 'url.path': route })
  }

  #begin(request: IncomingMessage, response: ServerResponse): Span | undefined {
    if (request.url === undefined || UNTRACED.test(request.url)) return undefined
    const method = methodOf(request)
    const attributes = {
      'http.request.method': method.attribute,
      'url.scheme': 'http',
      'network.protocol.version': request.httpVersion
    }
    const span = this.#tracer.start(method.name, { kind: 'server', attributes }, traceHeadersOf(request))
    this.#spans.set(request, span)
    let isOver = false
    const end = (): void => {
      if (isOver) return
      isOver = true
      const { statusCode } = response
      if (response.headersSent) span.set({ 'http.response.status_code': statusCode })
      if (!response.writableFinished) span.set({ 'error.type': 'aborted' })
      else if (statusCode >= 500) span.fail(String(statusCode))
      span.end()
    }
    response.once('finish', end)
    response.once('close', end)
    return span
  }
}

function methodOf({ method = '' }: IncomingMessage): { readonly name: string; readonly attribute: string } {
  return METHODS.has(method) ? { name: method, attribute: method } : { name: 'HTTP', attribute: '_OTHER' }
}

function traceHeadersOf({ headers: { traceparent, tracestate } }: IncomingMessage): TraceHeaders {
  return {
    ...(typeof traceparent === 'string' && { traceparent }),
    ...(typeof tracestate === 'string' && { tracestate })
  }
}
