/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import cors from '@fastify/cors'
import type { FastifyInstance, FastifyReply } from 'fastify'

/** Headers of replies that a page of another origin may read. */
const EXPOSED_HEADERS = [
  'etag',
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'server-timing',
  'x-model-revision',
  'x-request-id',
  'x-truncated'
]

/** Answers preflight requests, and lets pages of these origins read replies. */
export async function addCors(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  await app.register(cors, {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: 600
  })
}

/** Adds the headers of {@link addCors} to replies that its plugin does not see. */
export function addCorsHeaders(reply: FastifyReply, origins: readonly string[], origin: string | undefined): void {
  if (origins.length === 0) return
  const isOpen = origins.includes('*')
  if (!isOpen) void reply.header('vary', 'Origin')
  if (!isOpen && (origin === undefined || !origins.includes(origin))) return
  void reply.header('access-control-allow-origin', isOpen ? '*' : origin)
  void reply.header('access-control-expose-headers', EXPOSED_HEADERS.join(', '))
}
