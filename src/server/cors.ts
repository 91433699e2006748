/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import cors from '@fastify/cors'
import type { FastifyInstance, FastifyReply } from 'fastify'

/** Reply headers that a page of another origin may read. */
const EXPOSED_HEADERS = [
  'allow',
  'content-disposition',
  'etag',
  'location',
  'preference-applied',
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'server-timing',
  'x-model-revision',
  'x-model-version',
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

/** Adds the headers of {@link addCors} to a reply that its plugin does not process. */
export function addCorsHeaders(reply: FastifyReply, origins: readonly string[], origin: string | undefined): void {
  void reply.headers(corsHeaders(origins, origin))
}

/**
 * The headers of {@link addCors}, for replies that bypass plugins.
 * @param origin the request's `Origin`; undefined when its head could not be parsed
 */
export function corsHeaders(origins: readonly string[], origin: string | undefined): Record<string, string> {
  if (origins.length === 0) return {}
  const isOpen = origins.includes('*')
  const vary: Record<string, string> = isOpen ? {} : { vary: 'Origin' }
  const allowed = isOpen ? '*' : origins.find((one) => one === origin)
  return {
    ...vary,
    ...(allowed !== undefined && { 'access-control-allow-origin': allowed }),
    'access-control-expose-headers': EXPOSED_HEADERS.join(', ')
  }
}

/** Finds the origin in the bytes of a request's head that could not be parsed as a whole. */
export function originIn(rawHead: unknown): string | undefined {
  if (!(rawHead instanceof Uint8Array)) return undefined
  return /\r\norigin:[ \t]*([^\s]+)[ \t]*\r\n/i.exec(Buffer.from(rawHead).toString('latin1'))?.[1]
}
