/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import crypto, { hash, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createContext, runInContext } from 'node:vm'
import type { FastifyInstance } from 'fastify'

/** A value of CloudFront's event: there once, or more than once. */
export interface EventValue {
  value: string
  multiValue?: { value: string }[]
}

/** A request as CloudFront hands it to a function, and gets it back. */
export interface EdgeRequest {
  method: string
  uri: string
  querystring: Record<string, EventValue>
  headers: Record<string, EventValue>
}

/** An answer that the function makes itself. */
export interface EdgeReply {
  statusCode: number
  headers: Record<string, EventValue>
  body: string
}

/** The function's one entry. */
export type Handler = (event: {
  version: string
  context: { requestId: string; eventType: string }
  request: EdgeRequest
}) => Promise<EdgeRequest | EdgeReply>

/** The very file that Terraform uploads. */
export const FUNCTION_URL = new URL('../../edge/authorize.js', import.meta.url)

/** The key value store: what `tools/edge-keys` writes, and what happens when it cannot be reached. */
export class KeyValues {
  readonly pairs = new Map<string, string>()
  /** Keys that were looked for. */
  readonly looked: string[] = []
  isAway = false

  /** A store that knows keys, and a revision of the model. */
  static of(keys: readonly string[], revision = 'r1'): KeyValues {
    const store = new KeyValues()
    for (const key of keys) store.pairs.set(hash('sha256', key), 'x')
    store.pairs.set('revision', revision)
    return store
  }

  async exists(key: string): Promise<boolean> {
    this.looked.push(key)
    if (this.isAway) throw new Error('away')
    return this.pairs.has(key)
  }

  async get(key: string): Promise<string> {
    const value = this.pairs.get(key)
    if (this.isAway || value === undefined) throw new Error('KeyNotFound')
    return value
  }
}

/** Loads the function with a store, and hears what it logs. */
export type LoadFunction = (store: KeyValues, log?: (line: string) => void) => Promise<Handler>

/** Loads the function into Node.js: a script with nothing but its two modules, Buffer and console. */
export const loadInNode: LoadFunction = async (store, log = () => undefined) => {
  const modules: Record<string, unknown> = { cloudfront: { kvs: () => store }, crypto }
  const source = await readFile(FUNCTION_URL, 'utf8')
  const script = source.replaceAll(/^import (\w+) from '(\w+)'$/gm, 'const $1 = modules.$2')
  const context = createContext({ modules, Buffer, console: { log } })
  runInContext(script, context)
  const handler: unknown = runInContext('handler', context)
  assert(typeof handler === 'function')
  return async (event) => handler(structuredClone(event))
}

/** What a caller sends: header names as they like, a list for a header that is there more than once. */
export interface Call {
  readonly method?: string
  /** Path and query. @default /v1/encode?query=hello */
  readonly url?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
}

/** A call as CloudFront presents it to a function: names of headers in lower case, values of the query as they came. */
export function edgeRequest({ method = 'GET', url = '/v1/encode?query=hello', headers = {} }: Call): EdgeRequest {
  const [uri = '', query = ''] = url.split('?')
  // Maps, since a caller may send any name, __proto__ too.
  const querystring = new Map<string, EventValue>()
  for (const pair of query.split('&').filter((part) => part !== '')) {
    const [name = '', value = ''] = pair.split('=')
    add(querystring, name, value)
  }
  const lowered = new Map<string, EventValue>()
  for (const [name, values] of Object.entries(headers)) {
    for (const value of [values].flat()) add(lowered, name.toLowerCase(), value)
  }
  return { method, uri, querystring: Object.fromEntries(querystring), headers: Object.fromEntries(lowered) }
}

function add(values: Map<string, EventValue>, name: string, value: string): void {
  const known = values.get(name)
  if (known === undefined) values.set(name, { value })
  else known.multiValue = [...(known.multiValue ?? [{ value: known.value }]), { value }]
}

/** Whether the function answered itself. */
export function isReply(result: EdgeRequest | EdgeReply): result is EdgeReply {
  return 'statusCode' in result
}

/** What the cache policy makes an entry of, as Terraform says it; a test holds this against terraform/modules/edge. */
export const CACHE_KEY = { parameters: ['query', 'truncate'], headers: ['x-cache-scope', 'origin'] } as const

/** A reply as the caller gets it. */
export interface CallerReply {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
  readonly from: 'function' | 'cache' | 'service'
}

/** CloudFront in small: the function, then the cache, then the service. It keeps what the service marks as public. */
export class Edge {
  readonly #handler: Handler
  readonly #service: FastifyInstance
  readonly #kept = new Map<string, CallerReply>()

  constructor(handler: Handler, service: FastifyInstance) {
    this.#handler = handler
    this.#service = service
  }

  async call(call: Call): Promise<CallerReply> {
    const context = { requestId: randomUUID(), eventType: 'viewer-request' }
    const result = await this.#handler({ version: '1.0', context, request: edgeRequest(call) })
    if (isReply(result)) {
      const headers = Object.fromEntries(Object.entries(result.headers).map(([name, { value }]) => [name, value]))
      return { status: result.statusCode, headers, body: result.body, from: 'function' }
    }
    const key = JSON.stringify([
      result.uri,
      CACHE_KEY.parameters.map((name) => result.querystring[name]?.value),
      CACHE_KEY.headers.map((name) => result.headers[name]?.value)
    ])
    const isCacheable = result.method === 'GET' || result.method === 'HEAD'
    const kept = isCacheable ? this.#kept.get(key) : undefined
    if (kept !== undefined) return { ...kept, from: 'cache' }
    const query = Object.entries(result.querystring).flatMap(([name, { value, multiValue = [{ value }] }]) =>
      multiValue.map((one) => `${name}=${one.value}`)
    )
    const reply = await this.#service.inject({
      method: result.method === 'HEAD' ? 'HEAD' : 'GET',
      url: `${result.uri}?${query.join('&')}`,
      headers: Object.fromEntries(Object.entries(result.headers).map(([name, { value }]) => [name, value]))
    })
    const answer = { status: reply.statusCode, headers: reply.headers, body: reply.body, from: 'service' } as const
    const isPublic = /\bpublic\b/.test(String(reply.headers['cache-control']))
    if (isCacheable && reply.statusCode === 200 && isPublic) this.#kept.set(key, answer)
    return answer
  }
}
