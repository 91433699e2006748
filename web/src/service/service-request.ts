/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** One call of the API. */
export interface ServiceRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** With its query string. */
  readonly path: string
  readonly body?: string
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A call with a body of JSON. */
export function withJson(method: 'POST' | 'PUT', path: string, body: unknown): ServiceRequest {
  return { method, path, body: JSON.stringify(body), contentType: 'application/json' }
}
