/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { RateQuota } from './rate-quota.ts'
import { SCOPES, type Scope } from './scope.ts'

/** Who is calling, once the Authorization header has been checked. */
export type Caller =
  | {
      readonly kind: 'key'
      /** Tells callers with keys apart, and tells nothing of a key. */
      readonly keyId: string
      /** What the operator calls it; of a key of `API_SECRET_KEY`, the start of the key's hash. */
      readonly name: string
      readonly scopes: readonly Scope[]
      /** What it may ask in a time; nothing limits others. */
      readonly quota?: RateQuota
    }
  | {
      readonly kind: 'jwt'
      readonly id: string
      readonly role: string
      readonly mentorIds: readonly string[]
    }

/** A role that may do everything, with every mentor. */
export const ADMIN_ROLE = 'ADMIN'

/** What a token may do with its own mentors. */
const TOKEN_SCOPES: readonly Scope[] = ['encode', 'ask', 'train']

/** What a caller may do. */
export function scopesOf(caller: Caller): readonly Scope[] {
  if (caller.kind === 'key') return caller.scopes
  return caller.role === ADMIN_ROLE ? SCOPES : TOKEN_SCOPES
}

/** Whether a caller may do everything, for everyone. */
export function isAdmin(caller: Caller): boolean {
  return scopesOf(caller).includes('admin')
}
