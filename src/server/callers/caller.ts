/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { RateQuota } from './rate-quota.ts'
import { SCOPES, type Scope } from './scope.ts'

/** An authenticated caller. */
export type Caller =
  | {
      readonly kind: 'key'
      /** Identifies the caller without revealing the key. */
      readonly keyId: string
      /** The operator's name for the key; for a key of `API_SECRET_KEY`, the start of its hash. */
      readonly name: string
      readonly scopes: readonly Scope[]
      /** Rate limit. @default none */
      readonly quota?: RateQuota
    }
  | {
      readonly kind: 'jwt'
      readonly id: string
      readonly role: string
      readonly mentorIds: readonly string[]
    }

/** The role that may do everything, with all mentors. */
export const ADMIN_ROLE = 'ADMIN'

/** Scopes of a token, for its own mentors. */
const TOKEN_SCOPES: readonly Scope[] = ['encode', 'ask', 'train']

/** Scopes of a caller. */
export function scopesOf(caller: Caller): readonly Scope[] {
  if (caller.kind === 'key') return caller.scopes
  return caller.role === ADMIN_ROLE ? SCOPES : TOKEN_SCOPES
}

/** Whether a caller may do everything, for everyone. */
export function isAdmin(caller: Caller): boolean {
  return scopesOf(caller).includes('admin')
}
