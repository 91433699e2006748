/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { IncomingMessage } from 'node:http'
import { errorCodes, type FastifyInstance, type FastifyRequest } from 'fastify'
import { dropNullMembers } from '../reading/absent-members.ts'
import { readJson, type JsonLimits } from '../reading/bounded-json.ts'
import { ServiceError } from '../errors.ts'
import { charsetOf } from '../reading/text-reader.ts'

const JSON_MEDIA_TYPE = 'application/json'
const FORM_MEDIA_TYPE = 'application/x-www-form-urlencoded'

/** Requests with curl's default content type. */
const formRequests = new WeakSet<IncomingMessage>()

/**
 * Makes a body with curl's default content type be read as JSON. Must be called before the body is parsed. A body that is not
 * JSON is then refused by {@link parseJson} and {@link checkedBytes}.
 */
export function readFormAsJson({ raw }: FastifyRequest): void {
  const type = raw.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== FORM_MEDIA_TYPE) return
  formRequests.add(raw)
  raw.headers['content-type'] = JSON_MEDIA_TYPE
}

/**
 * Checks a body that is parsed elsewhere.
 * @throws {ServiceError} UNSUPPORTED_MEDIA_TYPE when it has curl's default content type and is not JSON
 */
export function checkedBytes(request: FastifyRequest, bytes: Buffer): Buffer {
  if (formRequests.has(request.raw) && bytes.length > 0 && !/^\s*[[{]/.test(bytes.toString('latin1', 0, 1024))) {
    throw formRefused()
  }
  return bytes
}

/**
 * Parses a JSON body. @returns undefined when none was sent and the route needs none, whatever the content type
 * @throws {ServiceError} as {@link readJson} and {@link checkedBytes}, UNSUPPORTED_MEDIA_TYPE when its charset is unknown;
 *   Fastify's own error when a required body is empty
 */
export function parseJson(request: FastifyRequest, body: Buffer, limits: JsonLimits): unknown {
  if (body.length > 0) {
    return readJson(checkedBytes(request, body), limits, { charset: charsetOf(request.headers['content-type']) })
  }
  if (request.routeOptions.schema?.body === undefined) return undefined
  throw new errorCodes.FST_ERR_CTP_EMPTY_JSON_BODY()
}

/** Makes the app parse all JSON bodies by {@link parseJson}, and treat null members as absent. */
export function addJsonBodies(app: FastifyInstance, limits: JsonLimits): void {
  app.removeContentTypeParser(JSON_MEDIA_TYPE)
  app.addContentTypeParser<Buffer>(JSON_MEDIA_TYPE, { parseAs: 'buffer' }, (request, body, done) => {
    try {
      done(null, parseJson(request, body, limits))
    } catch (error) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parseJson throws nothing else
      done(error as Error)
    }
  })
  app.addHook('preValidation', (request, _reply, done) => {
    const { body: schema } = request.routeOptions.schema ?? {}
    if (schema !== undefined && !(request.body instanceof Uint8Array))
      dropNullMembers(request.body, jsonSchemaOf(schema))
    done()
  })
}

/** The schema of a route's JSON body, which may be one of several media types. */
export function jsonSchemaOf(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null || !('content' in schema)) return schema
  const { content } = schema
  const json: unknown = typeof content === 'object' && content !== null && Reflect.get(content, JSON_MEDIA_TYPE)
  return typeof json === 'object' && json !== null && 'schema' in json ? json.schema : undefined
}

function formRefused(): ServiceError {
  return new ServiceError(
    'UNSUPPORTED_MEDIA_TYPE',
    `Cannot read the body: its content-type is ${FORM_MEDIA_TYPE}, as curl sends it by itself, and it is not JSON. Say what it ` +
      'is: curl -H "Content-Type: application/json", or "Content-Type: text/csv" of a table'
  )
}
