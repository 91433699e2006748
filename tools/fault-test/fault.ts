/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Lab } from './lab.ts'

/** What a fault was seen to do. */
export interface Finding {
  /** What clients see meanwhile. */
  readonly seen: string
  /** What of that which was accepted is gone. */
  readonly lost: string
  /** How long until all is as before. */
  readonly recovery: string
}

/** Something that goes wrong. */
export interface Fault {
  readonly name: string
  /** Whether it belongs to the short run of continuous integration. */
  readonly isQuick: boolean
  /**
   * Lets it go wrong, and holds what is promised against what is seen.
   * @throws an assertion when a promise is broken; {@link CannotTry} when this machine cannot do it
   */
  readonly run: (lab: Lab, isQuick: boolean) => Promise<Finding>
}

/** Thrown where this machine cannot let it go wrong. */
export class CannotTry extends Error {
  override readonly name = 'CannotTry'
}

/** Seconds as people read them. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
