/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Removes optional members that are null from a JSON value: many programs write null for absent members. Members stay
 * that are required, that may be null by their schema, or that are not in the schema.
 * @param schema JSON Schema of the value
 * @example dropNullMembers({ query: 'a', truncate: null }, EncodeRequest) // { query: 'a' } is left
 */
export function dropNullMembers(value: unknown, schema: unknown): void {
  if (Array.isArray(value)) {
    const items = memberOf(schema, 'items')
    if (mayHoldMembers(items)) for (const item of value) dropNullMembers(item, items)
    return
  }
  if (!isObject(value) || !isObject(schema)) return
  const { properties, required } = schema
  const requiredNames = Array.isArray(required) ? required : []
  for (const [name, member] of Object.entries(value)) {
    const memberSchema = memberOf(properties, name) ?? recordSchema(schema)
    if (memberSchema === undefined) continue
    if (member !== null) dropNullMembers(member, memberSchema)
    else if (!requiredNames.includes(name) && !allowsNull(memberSchema)) Reflect.deleteProperty(value, name)
  }
}

/**
 * The published schema of values that go through {@link dropNullMembers}: each optional member may also be null.
 * @example withNullMembers({ type: 'object', properties: { top_k: { type: 'integer' } } })
 *   // { type: 'object', properties: { top_k: { type: ['integer', 'null'] } } }
 */
export function withNullMembers(schema: unknown): unknown {
  if (!isObject(schema)) return schema
  const { items, properties, required, patternProperties, additionalProperties } = schema
  const requiredNames = Array.isArray(required) ? required : []
  const member = (of: unknown, isRequired = false): unknown =>
    isRequired || allowsNull(of) ? withNullMembers(of) : orNull(withNullMembers(of))
  const members = (of: Record<string, unknown>): Record<string, unknown> =>
    Object.fromEntries(Object.entries(of).map(([name, value]) => [name, member(value, requiredNames.includes(name))]))
  return {
    ...schema,
    ...(mayHoldMembers(items) && { items: withNullMembers(items) }),
    ...(isObject(properties) && { properties: members(properties) }),
    ...(isObject(patternProperties) && { patternProperties: members(patternProperties) }),
    ...(isObject(additionalProperties) && { additionalProperties: member(additionalProperties) })
  }
}

/** A schema that also allows null. */
function orNull(schema: unknown): unknown {
  if (!isObject(schema)) return schema
  const { type, anyOf, enum: values } = schema
  if (Array.isArray(anyOf)) return { ...schema, anyOf: [...anyOf, { type: 'null' }] }
  if (Array.isArray(values)) return { ...schema, enum: [...values, null] }
  if (typeof type === 'string' && !('const' in schema)) return { ...schema, type: [type, 'null'] }
  return { anyOf: [schema, { type: 'null' }] }
}

/** Schema of the values of an object with arbitrary names. */
function recordSchema(schema: Record<string, unknown>): unknown {
  const { patternProperties, additionalProperties } = schema
  if (isObject(patternProperties)) return Object.values(patternProperties)[0]
  return isObject(additionalProperties) ? additionalProperties : undefined
}

/** Whether values of a schema may have members: lists of texts or numbers need not be searched. */
function mayHoldMembers(schema: unknown): boolean {
  return isObject(schema) && (schema['type'] === 'object' || schema['type'] === 'array')
}

function allowsNull(schema: unknown): boolean {
  if (!isObject(schema)) return true
  const { type, anyOf, enum: values, const: constant } = schema
  if (Array.isArray(anyOf)) return anyOf.some(allowsNull)
  if (Array.isArray(values)) return values.includes(null)
  if (constant !== undefined) return constant === null
  return type === undefined || type === 'null' || (Array.isArray(type) && type.includes('null'))
}

function memberOf(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
