/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { inSpan, type TraceHeaders } from './span.ts'

/** The part of a reply that a span records. */
interface Answered {
  readonly statusCode: number
}

/**
 * Sends a request to another service within a client span, and propagates the trace. The span records host and port only,
 * since path and query may hold secrets, as those of callbacks do.
 * @param send sends the request with these headers added, and reads the reply
 */
export async function inClientSpan<Reply extends Answered>(
  method: string,
  url: string,
  send: (headers: TraceHeaders) => Promise<Reply>
): Promise<Reply> {
  const { protocol, hostname, port, origin } = new URL(url)
  const attributes = {
    'http.request.method': method,
    'server.address': hostname,
    'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
    'url.full': origin
  }
  return inSpan(method, { kind: 'client', attributes }, async (span) => {
    const reply = await send(span?.headers() ?? {})
    span?.set({ 'http.response.status_code': reply.statusCode })
    if (reply.statusCode >= 400) span?.fail(String(reply.statusCode))
    return reply
  })
}
