/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ServiceError } from '../errors.ts'
import { toErrorReply, type ErrorReply, type InvalidPart } from './error-reply.ts'
import type { Headers } from './secure-headers.ts'

/** Called with each unexpected error, after it was logged. */
export type ReportError = (error: unknown, context: { requestId: string; route: string | undefined }) => void

/** Sends an error; logs and reports unexpected ones. */
export function sendError(
  reportError: ReportError,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  wording: (body: ErrorReply['body']) => object
): void {
  // The caller has disconnected, and an encode that was aborted for that reason is not an error.
  if (reply.raw.destroyed && !(error instanceof ServiceError)) {
    request.log.debug('the caller left')
    void reply.code(499).send()
    return
  }
  const errorReply = toErrorReply(mediaTypeRefusal(error, request) ?? error, invalidPartOf(error, request))
  if (errorReply.isUnexpected) {
    request.log.error({ err: error }, 'request failed')
    reportError(error, { requestId: request.id, route: request.routeOptions.url })
  } else if (error instanceof ServiceError && error.cause !== undefined) {
    request.log.warn({ err: error }, 'request refused')
  }
  void reply.code(errorReply.body.statusCode).headers(errorReply.headers)
  void reply.type('application/json; charset=utf-8').serializer(JSON.stringify).send(wording(errorReply.body))
}

/** Media types of bodies that only some routes accept. */
const MEDIA_TYPES = ['application/json', 'text/csv', 'multipart/form-data']

/** Makes the error for a refused media type, which names those that the route accepts without quoting the header; else undefined. */
function mediaTypeRefusal(error: unknown, request: FastifyRequest): ServiceError | undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')) return undefined
  const found =
    request.headers['content-type'] === undefined ? 'it has no content-type' : 'its content-type is not accepted here'
  const taken = MEDIA_TYPES.filter((type) => request.server.hasContentTypeParser(type))
  return new ServiceError('UNSUPPORTED_MEDIA_TYPE', `Cannot read the body: ${found}, ${taken.join(' or ')} is`)
}

/** The part of a request that failed validation; undefined for any other error. */
function invalidPartOf(error: unknown, request: FastifyRequest): InvalidPart | undefined {
  if (!(error instanceof Error)) return undefined
  const isQuery = 'validationContext' in error && error.validationContext === 'querystring'
  const schema = isQuery ? request.routeOptions.schema?.querystring : request.routeOptions.schema?.body
  if (typeof schema !== 'object' || schema === null || !('required' in schema)) return undefined
  const requiredFields = Array.isArray(schema.required) ? schema.required.map(String) : []
  return { requiredFields, value: isQuery ? request.query : request.body }
}

/** Answers a request that Node.js could not parse, in the form of all errors, and closes the connection. */
export function refuseUnreadable(error: Error, socket: Socket, headers: Headers): void {
  // While another reply is pending or being sent, this one must not be mixed into it.
  const isAnswering = Boolean(Reflect.get(socket, '_httpMessage'))
  if (!socket.writable || isAnswering || ('code' in error && error.code === 'ECONNRESET')) {
    socket.destroy()
    return
  }
  const known = toErrorReply(error)
  const { body } = known.isUnexpected
    ? toErrorReply(new ServiceError('INVALID_REQUEST', 'Cannot read the request: it is not valid HTTP'))
    : known
  const json = JSON.stringify(body)
  const lines = [
    `HTTP/1.1 ${body.statusCode} ${body.error}`,
    ...Object.entries({
      ...headers,
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(json)),
      connection: 'close'
    }).map(([name, value]) => `${name}: ${value}`)
  ]
  socket.end(`${lines.join('\r\n')}\r\n\r\n${json}`)
}
