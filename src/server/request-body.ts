/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { dropNullMembers } from '../absent-members.ts'
import { ServiceError } from '../errors.ts'
import { charsetOf, decodeBody } from '../table/text-reader.ts'

const JSON_MEDIA_TYPE = 'application/json'
const FORM_MEDIA_TYPE = 'application/x-www-form-urlencoded'

/** Requests whose content type curl gave them, not their sender. */
const formRequests = new WeakSet<IncomingMessage>()

/**
 * Takes JSON for what it is when it comes with the content type that curl gives a body by itself: to be called before the
 * body is parsed. What is no JSON is refused by {@link parseJson} and {@link bytesOf}.
 */
export function readFormAsJson({ raw }: FastifyRequest): void {
  const type = raw.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== FORM_MEDIA_TYPE) return
  formRequests.add(raw)
  raw.headers['content-type'] = JSON_MEDIA_TYPE
}

/**
 * The text of a body, in the charset that its content type declares, else UTF-8.
 * @throws {ServiceError} INVALID_REQUEST when it is in another encoding, UNSUPPORTED_MEDIA_TYPE when that is unknown
 */
export function textOf(request: FastifyRequest, bytes: Uint8Array): string {
  return decodeBody(bytes, charsetOf(request.headers['content-type']))
}

type Done = (error: Error | null, body?: unknown) => void

/** Parses JSON bodies as Fastify does, but for their encoding. */
export function createJsonParser(app: FastifyInstance) {
  const parse = app.getDefaultJsonParser('error', 'error')
  return (request: FastifyRequest, bytes: Uint8Array, done: Done): void => {
    void parse(request, textOf(request, bytes), (error, json) => {
      if (error === null) done(null, json)
      else done(bytes.length > 0 && formRequests.has(request.raw) ? formRefused() : error)
    })
  }
}

/**
 * A body that is not parsed here.
 * @throws {ServiceError} UNSUPPORTED_MEDIA_TYPE when its sender did not say what it is, and it is no JSON
 */
export function bytesOf(request: FastifyRequest, bytes: Buffer): Buffer {
  if (formRequests.has(request.raw) && !/^\s*[[{]/.test(bytes.toString('latin1', 0, 1024))) throw formRefused()
  return bytes
}

/** Has every JSON body of the app read as {@link createJsonParser} reads it, with null for what is absent. */
export function addJsonBodies(app: FastifyInstance): void {
  app.removeContentTypeParser(JSON_MEDIA_TYPE)
  app.addContentTypeParser<Buffer>(JSON_MEDIA_TYPE, { parseAs: 'buffer' }, createJsonParser(app))
  app.addHook('preValidation', (request, _reply, done) => {
    const { body: schema } = request.routeOptions.schema ?? {}
    if (schema !== undefined && !(request.body instanceof Uint8Array))
      dropNullMembers(request.body, jsonSchemaOf(schema))
    done()
  })
}

/** The schema of a JSON body, of several kinds of bodies perhaps. */
function jsonSchemaOf(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null || !('content' in schema)) return schema
  const { content } = schema
  const json: unknown = typeof content === 'object' && content !== null && Reflect.get(content, JSON_MEDIA_TYPE)
  return typeof json === 'object' && json !== null && 'schema' in json ? json.schema : undefined
}

function formRefused(): ServiceError {
  return new ServiceError(
    'UNSUPPORTED_MEDIA_TYPE',
    `Cannot read the body: its content-type is ${FORM_MEDIA_TYPE}, as curl sends it by itself, and it is no JSON. Say what it ` +
      'is: curl -H "Content-Type: application/json", or "Content-Type: text/csv" of a table'
  )
}
