/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import { ServiceError } from '../../errors.ts'
import { scopesOf, type Caller } from './caller.ts'
import { rateLimitHeader } from './rate-quota.ts'
import { suffices, type RouteScope } from './scope.ts'

/** A route and what it asks of its callers. */
export interface ScopedRoute {
  readonly method: string
  readonly url: string
  readonly scope: RouteScope
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the route asks of its callers. */
    scope?: RouteScope
  }
  interface FastifyInstance {
    /** Every route, with what it asks of its callers. */
    readonly scopedRoutes: readonly ScopedRoute[]
  }
}

/**
 * Holds every route that is added from now on to a declared scope: the server does not become ready with one that has none.
 * What lies within authentication is told to `guard`; all else must be open, so that no scope is declared and not asked for.
 */
export function addRouteScopes(app: FastifyInstance): { guard: (route: RouteOptions) => void } {
  const routes: RouteOptions[] = []
  const guarded = new WeakSet<object>()
  const scopedRoutes: ScopedRoute[] = []
  app.decorate('scopedRoutes', scopedRoutes)
  app.addHook('onRoute', (route) => {
    routes.push(route)
  })
  app.addHook('onReady', async () => {
    for (const route of routes) {
      const { method, url } = route
      const scope = route.config?.scope
      const name = `${String(method)} ${url}`
      if (scope === undefined) throw new Error(`The route ${name} declares no scope: this is a bug`)
      if ((scope === 'open') === guarded.has(route))
        throw new Error(`The route ${name} declares another scope than it is registered with: this is a bug`)
      for (const each of [method].flat()) scopedRoutes.push({ method: each, url, scope })
    }
  })
  return { guard: (route) => void guarded.add(route) }
}

/** For pages and their files, whose routes a plugin makes: they are open to everyone. */
export function declareOpen(route: RouteOptions): void {
  route.config = { ...route.config, scope: 'open' }
}

/**
 * Counts a request of an authenticated caller, and lets it to what it has a scope for.
 * @throws {ServiceError} RATE_LIMITED, MISSING_SCOPE
 */
export function assertMayCall(caller: Caller, request: FastifyRequest, setHeader: SetHeader): void {
  takeQuota(caller, setHeader)
  assertScope(caller, request.routeOptions.config.scope ?? 'any')
}

/** @throws {ServiceError} MISSING_SCOPE, which names what is missing */
export function assertScope(caller: Caller, scope: RouteScope): void {
  if (suffices(scopesOf(caller), scope)) return
  const wanted = typeof scope === 'string' ? `the scope "${scope}"` : `a scope of "${scope.join('", "')}"`
  throw new ServiceError('MISSING_SCOPE', `Cannot do this: the key or token lacks ${wanted}`)
}

/** Sets a header of the reply. */
export type SetHeader = (name: string, value: string) => unknown

/** @throws {ServiceError} RATE_LIMITED when the caller's quota is used up */
function takeQuota(caller: Caller, setHeader: SetHeader): void {
  if (caller.kind !== 'key' || caller.quota === undefined) return
  const { quota } = caller
  const reading = quota.take(performance.now())
  setHeader('ratelimit-policy', quota.policy)
  setHeader('ratelimit', rateLimitHeader(reading))
  if (reading.isAllowed) return
  const { requests, seconds } = quota.rate
  throw new ServiceError('RATE_LIMITED', `Cannot take the request: this key has ${requests} in ${seconds} s`, {
    retryAfterSeconds: reading.resetSeconds
  })
}
