/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ServiceError } from '../errors.ts'

/** Methods that a route may have; HEAD comes with GET, and OPTIONS with any. */
const ROUTE_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** 405 where the address has routes for other methods alone, else 404. */
export function notFound(app: FastifyInstance, request: FastifyRequest, reply: FastifyReply): ServiceError {
  const allowed = allowedMethods(app, request)
  if (allowed.length === 0 || allowed.includes(request.method)) {
    return new ServiceError('NOT_FOUND', 'Cannot find that address: see /docs for those there are')
  }
  void reply.header('allow', allowed.join(', '))
  return new ServiceError('METHOD_NOT_ALLOWED', `Cannot ${request.method} that address: it takes ${allowed.join(', ')}`)
}

/** Answers OPTIONS by the methods of the address. */
export function replyToOptions(app: FastifyInstance, request: FastifyRequest, reply: FastifyReply): void {
  const allowed = allowedMethods(app, request)
  if (allowed.length === 0) throw notFound(app, request, reply)
  void reply.code(204).header('allow', allowed.join(', ')).send()
}

/** Methods of the routes of a request's address; none when there are no routes. */
function allowedMethods(app: FastifyInstance, request: FastifyRequest): string[] {
  const [path = '/'] = request.url.split(/[?#;]/, 1)
  const found: string[] = ROUTE_METHODS.filter((method) => app.findRoute({ method, url: path }) !== null)
  if (found.length === 0) return []
  return [...found, ...(found.includes('GET') ? ['HEAD'] : []), 'OPTIONS']
}

/** Whether a browser asks by OPTIONS for another origin's page; CORS, if there is any, answers it. */
export function isPreflight(request: FastifyRequest): boolean {
  return request.headers.origin !== undefined && request.headers['access-control-request-method'] !== undefined
}
