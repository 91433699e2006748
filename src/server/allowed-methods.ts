/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ServiceError } from '../errors.ts'

/** Methods that routes are registered with; HEAD is implied by GET, and OPTIONS by any. */
const ROUTE_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** Makes the error for a missing route: 405 if the address has routes for other methods, else 404. */
export function notFound(app: FastifyInstance, request: FastifyRequest, reply: FastifyReply): ServiceError {
  const allowed = allowedMethods(app, request)
  if (allowed.length === 0 || allowed.includes(request.method)) {
    return new ServiceError('NOT_FOUND', 'Cannot find that address: see /docs for those there are')
  }
  void reply.header('allow', allowed.join(', '))
  return new ServiceError('METHOD_NOT_ALLOWED', `Cannot ${request.method} that address: it takes ${allowed.join(', ')}`)
}

/** Answers OPTIONS with the methods of the address. */
export function replyToOptions(app: FastifyInstance, request: FastifyRequest, reply: FastifyReply): void {
  const allowed = allowedMethods(app, request)
  if (allowed.length === 0) throw notFound(app, request, reply)
  void reply.code(204).header('allow', allowed.join(', ')).send()
}

/** Methods of the routes at a request's address; empty without routes. */
function allowedMethods(app: FastifyInstance, request: FastifyRequest): string[] {
  const [path = '/'] = request.url.split(/[?#;]/, 1)
  const found: string[] = ROUTE_METHODS.filter((method) => app.findRoute({ method, url: path }) !== null)
  if (found.length === 0) return []
  return [...found, ...(found.includes('GET') ? ['HEAD'] : []), 'OPTIONS']
}

/** Whether a request is a CORS preflight, which the CORS plugin answers if it is on. */
export function isPreflight(request: FastifyRequest): boolean {
  return request.headers.origin !== undefined && request.headers['access-control-request-method'] !== undefined
}
