/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** What a caller may do: turn texts into embeddings, ask models, change and train them, and all of that for everyone. */
export const SCOPES = ['encode', 'ask', 'train', 'admin'] as const

/** One of {@link SCOPES}; docs/security.md has what each may do. */
export type Scope = (typeof SCOPES)[number]

/**
 * What a route asks of its callers: nothing at all (`open`), to be known (`any`), a scope, or one of several. Every route
 * declares it in its config, and one without it keeps the service from starting.
 */
export type RouteScope = 'open' | 'any' | Scope | readonly Scope[]

/** Scopes with all that they imply: `admin` is every scope. */
export function allScopes(given: readonly Scope[]): readonly Scope[] {
  return SCOPES.filter((scope) => given.includes(scope) || given.includes('admin'))
}

/** Whether a caller with these scopes may use a route. */
export function suffices(scopes: readonly Scope[], wanted: RouteScope): boolean {
  if (wanted === 'open' || wanted === 'any') return true
  return typeof wanted === 'string' ? scopes.includes(wanted) : wanted.some((scope) => scopes.includes(scope))
}
