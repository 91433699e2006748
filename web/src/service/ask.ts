/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { texts } from '../texts.ts'
import { lose } from './connection.ts'
import { forgetKey, key } from './key.ts'
import type { ServiceRequest } from './service-request.ts'
import { showCall } from './shown-call.ts'

export interface ServiceReply<T> {
  readonly data: T
  readonly headers: Headers
  /** From here to there and back. */
  readonly durationMs: number
}

/** The service refused, or was not reached; the message is the service's own sentence where it has one. */
export class ServiceFault extends Error {
  override readonly name = 'ServiceFault'
  /** Undefined when there was no answer. */
  readonly status: number | undefined

  constructor(message: string, status: number | undefined) {
    super(message)
    this.status = status
  }
}

/**
 * Asks the service, and shows the call as the last one of the screen.
 * @throws {ServiceFault}
 */
export async function ask<T>(request: ServiceRequest): Promise<ServiceReply<T>> {
  showCall(request)
  return askQuietly<T>(request)
}

/** As {@link ask}, for what the page does of itself: nobody wants to see how. */
export async function askQuietly<T>(request: ServiceRequest): Promise<ServiceReply<T>> {
  const beganMs = performance.now()
  const reply = await send(request)
  const text = await reply.text()
  const durationMs = performance.now() - beganMs
  // The service validates what it sends by the same schemas that its documentation shows.
  const data: T = JSON.parse(text === '' ? 'null' : text)
  return { data, headers: reply.headers, durationMs }
}

/**
 * Sends a call with the key.
 * @throws {ServiceFault} when the reply is an error, or does not come
 */
export async function send(request: ServiceRequest, signal?: AbortSignal): Promise<Response> {
  const { method, path, body, contentType, headers } = request
  const sentKey = key.value
  const init: RequestInit = {
    method,
    cache: 'no-store',
    headers: {
      ...(sentKey !== undefined && { authorization: `Bearer ${sentKey}` }),
      ...(contentType !== undefined && { 'content-type': contentType }),
      ...headers
    },
    ...(body !== undefined && { body }),
    ...(signal !== undefined && { signal })
  }
  let reply: Response
  try {
    reply = await fetch(path, init)
  } catch (error) {
    if (signal?.aborted === true) throw error
    lose()
    throw new ServiceFault(texts.faults.noAnswer, undefined)
  }
  if (reply.ok) return reply
  const sentence = await sentenceOf(reply)
  // A late refusal of the key before says nothing of the present one.
  if (reply.status === 401 && key.value === sentKey) forgetKey(sentence)
  throw new ServiceFault(sentence, reply.status)
}

/** The service's own words for an error. */
async function sentenceOf(reply: Response): Promise<string> {
  const text = await reply.text()
  try {
    const { message, errors }: { message?: string; errors?: Record<string, string[]> } = JSON.parse(text)
    const fields = Object.entries(errors ?? {}).map(([field, faults]) => `${field}: ${faults.join(', ')}`)
    return [message ?? texts.faults.status(reply.status), ...fields].join(' · ')
  } catch {
    return texts.faults.status(reply.status)
  }
}
