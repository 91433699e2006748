/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Scopes of callers: encode texts, ask models, change and train them, and do all of that for everyone (`admin`). */
export const SCOPES = ['encode', 'ask', 'train', 'admin'] as const

/** One of {@link SCOPES}; docs/security.md says what each allows. */
export type Scope = (typeof SCOPES)[number]

/**
 * What a route requires of callers: nothing (`open`), authentication (`any`), a scope, or one of several. Every route declares
 * it in its config; the service does not start with a route that does not.
 */
export type RouteScope = 'open' | 'any' | Scope | readonly Scope[]

/** Adds implied scopes: `admin` implies all. */
export function allScopes(given: readonly Scope[]): readonly Scope[] {
  return SCOPES.filter((scope) => given.includes(scope) || given.includes('admin'))
}

/** Whether a caller with these scopes may use a route. */
export function suffices(scopes: readonly Scope[], wanted: RouteScope): boolean {
  if (wanted === 'open' || wanted === 'any') return true
  return typeof wanted === 'string' ? scopes.includes(wanted) : wanted.some((scope) => scopes.includes(scope))
}
