/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** A change of the live version: a promotion or a rollback. */
export interface VersionChange {
  readonly version: number
  readonly kind: (typeof CHANGE_KINDS)[number]
  readonly atMs: number
  /** Who made the change. */
  readonly by: string
}

/** Every kind of {@link VersionChange}. */
export const CHANGE_KINDS = ['PROMOTED', 'ROLLED_BACK'] as const
