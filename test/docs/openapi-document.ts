/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** What tests read of the OpenAPI document. */
export interface OpenApiDocument {
  readonly info: { readonly title: string }
  readonly tags: readonly { readonly name: string; readonly description?: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>
}

interface OperationObject {
  readonly summary?: string
  readonly description?: string
  readonly tags?: readonly string[]
  /** Alternatives: roles by scheme. */
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, Exemplified<unknown>>> }
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>
}

interface Exemplified<Value> {
  readonly example?: Value
  readonly examples?: Readonly<Record<string, { readonly value: Value }>>
}

interface Parameter extends Exemplified<string> {
  readonly in: 'path' | 'query' | 'header'
  readonly name: string
  readonly required?: boolean
}

/** A body as the page sends it. */
export interface ExampleBody {
  readonly type: string
  readonly value: unknown
}

/** An operation with its examples. */
export interface Operation extends OperationObject {
  /** Such as `GET /v1/encode`. */
  readonly name: string
  readonly method: string
  readonly path: string
  readonly parameters: readonly Parameter[]
  /** Media types of the body, the page's default first. */
  readonly bodyTypes: readonly string[]
  /** In the document's order. */
  readonly bodies: readonly ExampleBody[]
}

/** All operations as the page shows them: by tag, then in the document's order. */
export function operationsOf(api: OpenApiDocument): Operation[] {
  const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => operationOf(path, method.toUpperCase(), operation))
  )
  const order = api.tags.map(({ name }) => name)
  const place = ({ tags }: Operation): number => order.indexOf(tags?.[0] ?? '')
  return operations.toSorted((a, b) => place(a) - place(b))
}

/** The values that stand as examples. */
export function examplesOf<Value>({ example, examples = {} }: Exemplified<Value>): Value[] {
  return [...(example === undefined ? [] : [example]), ...Object.values(examples).map(({ value }) => value)]
}

function operationOf(path: string, method: string, operation: OperationObject): Operation {
  const content = Object.entries(operation.requestBody?.content ?? {})
  return {
    ...operation,
    name: `${method} ${path}`,
    method,
    path,
    parameters: operation.parameters ?? [],
    bodyTypes: content.map(([type]) => type),
    bodies: content.flatMap(([type, media]) => examplesOf(media).map((value) => ({ type, value })))
  }
}
