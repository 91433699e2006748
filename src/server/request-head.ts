/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { ServiceError } from '../errors.ts'
import { toErrorReply } from './error-reply.ts'

const HOST = 'host'
const brokenBodies = new WeakMap<IncomingMessage, ServiceError>()

/**
 * Finds ambiguities that Node.js accepts but two readers of a request may understand differently: a second `Host`, of which
 * Node.js keeps the first, and transfer codings other than `chunked`, which are not decoded (RFC 9112 sections 3.2 and 6.1).
 */
export function headFault({ headers, rawHeaders }: IncomingMessage): ServiceError | undefined {
  let hostCount = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    if (name.length === HOST.length && name.toLowerCase() === HOST) hostCount += 1
  }
  if (hostCount > 1) {
    return new ServiceError('INVALID_REQUEST', 'Cannot read the request: it has more than one Host header')
  }
  const coding = headers['transfer-encoding']
  if (coding === undefined || coding.trim().toLowerCase() === 'chunked') return undefined
  const found = 'its transfer-encoding is another than chunked'
  return new ServiceError('NOT_IMPLEMENTED', `Cannot read the body: ${found}`)
}

/** Makes the error for an expectation other than `100-continue`. */
export function unknownExpectation(): ServiceError {
  return new ServiceError('EXPECTATION_FAILED', 'Cannot meet the expectation: only 100-continue is supported')
}

/**
 * Passes an error of Node.js's parser, or a timeout of a request, to the route that reads the body, which answers it in its
 * form of errors.
 * @returns false when there is no such route: the connection's first request is answered already, or its head is incomplete
 */
export function failBody(error: Error, socket: Socket): boolean {
  const response: unknown = Reflect.get(socket, '_httpMessage')
  if (!(response instanceof ServerResponse) || response.headersSent) return false
  const { req: request } = response
  if (!(request instanceof IncomingMessage) || request.complete) return false
  const { isUnexpected, body } = toErrorReply(error)
  const message = 'Cannot read the body: it is not valid HTTP'
  const told =
    isUnexpected || body.code === 'INTERNAL'
      ? new ServiceError('INVALID_REQUEST', message)
      : new ServiceError(body.code, body.message)
  // The rest of the connection cannot be parsed any more.
  response.shouldKeepAlive = false
  if (request.listenerCount('error') > 0) request.emit('error', told)
  else brokenBodies.set(request, told)
  return true
}

/** The error that {@link failBody} got before the body was read, since a broken body may arrive together with the head. */
export function brokenBody(request: IncomingMessage): ServiceError | undefined {
  return brokenBodies.get(request)
}
