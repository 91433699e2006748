/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger } from 'fastify'
import { LRUCache } from 'lru-cache'
import type { Authenticator } from './auth.ts'
import { scopesOf, type Caller } from './callers/caller.ts'
import { suffices, type RouteScope } from './callers/scope.ts'
import type { CachedReply, ReplyCache } from './reply-cache.ts'
import { requestIdOf } from './request-id.ts'
import { logRequest, type RequestObserver } from './request-log.ts'

/** Dependencies of {@link RepeatedReplies}. */
export interface RepeatedRepliesOptions {
  readonly replyCache: ReplyCache
  readonly authenticate: Authenticator
  /** Headers of a reply that is sent again. */
  readonly headersOf: (reply: CachedReply) => Readonly<Record<string, string>>
  readonly logger: FastifyBaseLogger
  readonly observeRequest: RequestObserver
  /** Called with the route of an answered request, for its span. @default none */
  readonly tellRoute?: (request: IncomingMessage, route: string) => void
}

/** The cache key of an address's reply, and the route and scope that the address belongs to. */
export interface RememberedAddress {
  readonly key: string
  readonly route: string
  readonly scope: RouteScope
}

/** Maximum total length of the remembered addresses and keys, in characters. */
const MAX_ADDRESS_CHARACTERS = 4_194_304

/** Requests with one of these headers are routed, since their reply depends on more than the address and the caller. */
const HEADERS_TO_ROUTE = [
  'if-none-match',
  'origin',
  'expect',
  'content-encoding',
  'content-length',
  'transfer-encoding',
  'upgrade'
] as const

/**
 * Answers a GET of an address that was answered before from the reply cache, ahead of routing: routing, hooks, parsing and
 * validation take twice as long as sending the cached reply. The caller is checked each time. All other requests are left to
 * the routes.
 */
export class RepeatedReplies {
  readonly #options: RepeatedRepliesOptions
  readonly #keys = new LRUCache<string, RememberedAddress>({
    maxSize: MAX_ADDRESS_CHARACTERS,
    sizeCalculation: ({ key }, address) => address.length + key.length
  })

  constructor(options: RepeatedRepliesOptions) {
    this.#options = options
  }

  /** Remembers the cache key of an address. */
  remember(address: string, remembered: RememberedAddress): void {
    this.#keys.set(address, remembered)
  }

  /** Answers a request if it can. @returns whether it did */
  answer(request: IncomingMessage, response: ServerResponse): boolean {
    if (request.method !== 'GET' || request.url === undefined) return false
    const known = this.#keys.get(request.url)
    if (known === undefined) return false
    const { headers } = request
    for (const name of HEADERS_TO_ROUTE) if (headers[name] !== undefined) return false
    const { authenticate, replyCache, headersOf, logger, observeRequest } = this.#options
    if (headers.authorization?.startsWith('Bearer ') !== true) return false
    const caller = authenticate(headers.authorization.slice(7))
    // A token that is not known at once is either invalid or must be verified.
    if (caller === undefined || caller instanceof Promise || !isUncounted(caller, known.scope)) return false
    const reply = replyCache.find(known.key)
    if (reply === undefined) return false
    const startMs = performance.now()
    this.#options.tellRoute?.(request, known.route)
    const requestId = requestIdOf(request)
    response.writeHead(200, { ...headersOf(reply), 'x-request-id': requestId })
    response.end(reply.body)
    const line = { method: 'GET', route: known.route, statusCode: 200, durationMs: performance.now() - startMs }
    logRequest(logger, { reqId: requestId, ...line })
    observeRequest(line)
    return true
  }
}

/** Whether a caller has the scope, and no quota that would have to be counted. */
function isUncounted(caller: Caller, scope: RouteScope): boolean {
  return suffices(scopesOf(caller), scope) && (caller.kind !== 'key' || caller.quota === undefined)
}
