/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import { ServiceError } from '../../errors.ts'
import { scopesOf, type Caller } from './caller.ts'
import { rateLimitHeader } from './rate-quota.ts'
import { suffices, type RouteScope } from './scope.ts'

/** A route and its required scope. */
export interface ScopedRoute {
  readonly method: string
  readonly url: string
  readonly scope: RouteScope
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The scope that callers need. */
    scope?: RouteScope
  }
  interface FastifyInstance {
    /** All routes with their required scopes. */
    readonly scopedRoutes: readonly ScopedRoute[]
  }
}

/**
 * Makes sure that every route added from now on declares a scope; otherwise the server does not become ready. `guard` must be
 * called with the routes behind authentication; all others must be `open`, so that no declared scope goes unchecked.
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

/** Declares a route open to everyone, for pages and files whose routes a plugin adds. */
export function declareOpen(route: RouteOptions): void {
  route.config = { ...route.config, scope: 'open' }
}

/**
 * Checks an authenticated caller's rate limit, then its scope for the route.
 * @throws {ServiceError} RATE_LIMITED, MISSING_SCOPE
 */
export function assertMayCall(caller: Caller, request: FastifyRequest, setHeader: SetHeader): void {
  takeQuota(caller, setHeader)
  assertScope(caller, request.routeOptions.config.scope ?? 'any')
}

/** Checks a caller's scope. @throws {ServiceError} MISSING_SCOPE, which names what is missing */
export function assertScope(caller: Caller, scope: RouteScope): void {
  if (suffices(scopesOf(caller), scope)) return
  const wanted = typeof scope === 'string' ? `the scope "${scope}"` : `a scope of "${scope.join('", "')}"`
  throw new ServiceError('MISSING_SCOPE', `Cannot do this: the key or token lacks ${wanted}`)
}

/** Sets a header of the reply. */
export type SetHeader = (name: string, value: string) => unknown

/** Takes a request from the caller's quota. @throws {ServiceError} RATE_LIMITED when it is used up */
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
