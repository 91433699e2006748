/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Valid request ids: all that tracing systems use, and nothing that could forge a log line or a header. */
const REQUEST_ID = /^[\w.:=+/@-]{1,128}$/

/** The caller's `x-request-id` if it is valid, else a new one. */
export function requestIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID()
}
