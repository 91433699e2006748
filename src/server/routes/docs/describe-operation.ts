/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { SwaggerTransformObject } from '@fastify/swagger'
import type { FastifySchema } from 'fastify'
import { withNullMembers } from '../../../reading/absent-members.ts'
import type { RouteScope } from '../../callers/scope.ts'
import { jsonSchemaOf } from '../../request-body.ts'

const JSON_TYPE = 'application/json'
const METHODS = ['post', 'put', 'delete'] as const

/**
 * Makes the documented form of a route's schema: with the scopes that suffice, and with null allowed for absent members.
 * The scopes are listed as roles, which OpenAPI 3.1 allows for security schemes without scopes of their own.
 */
export function describedOf(schema: FastifySchema, scope: RouteScope | undefined): FastifySchema {
  if (schema === undefined || scope === undefined) return schema
  const described = {
    ...schema,
    ...(schema.body !== undefined && { body: bodyOf(schema.body) }),
    // A path parameter may be longer than any route accepts.
    ...(schema.params !== undefined && { response: { ...Object(schema.response), 414: { $ref: 'ErrorReply#' } } })
  }
  if (scope === 'open') return { ...described, security: [] }
  const { description = '' } = schema
  if (scope === 'any')
    return { ...described, description: `${description}\n\nAny key or token.`, security: [{ bearer: [] }] }
  const scopes = [scope].flat()
  const told = scopes.map((each) => `\`${each}\``).join(' or ')
  const suffice = scopes.includes('admin') ? told : `${told}; \`admin\` has all`
  return {
    ...described,
    description: `${description}\n\nScope: ${suffice}.`,
    security: scopes.map((each) => ({ bearer: [each] }))
  }
}

function bodyOf(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !('content' in body)) return withNullMembers(body)
  const json = jsonSchemaOf(body)
  if (json === undefined) return body
  return { ...body, content: { ...Object(body.content), [JSON_TYPE]: { schema: withNullMembers(json) } } }
}

/** Marks bodies that may be null as optional, which the schema of a route cannot express. */
export const withOptionalBodies: SwaggerTransformObject = (made) => {
  if (!('openapiObject' in made)) return made.swaggerObject
  for (const item of Object.values(made.openapiObject.paths ?? {}))
    for (const method of METHODS) {
      const body = item?.[method]?.requestBody
      if (body === undefined || '$ref' in body) continue
      const media: { schema?: unknown }[] = Object.values(body.content)
      if (media.every(({ schema }) => mayBeNull(schema))) body.required = false
    }
  return made.openapiObject
}

function mayBeNull(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null || !('anyOf' in schema) || !Array.isArray(schema.anyOf))
    return false
  return schema.anyOf.some((each: { type?: unknown }) => each.type === 'null')
}
