/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Lab } from './lab.ts'

/** Observed effects of a fault. */
export interface Finding {
  /** What clients see meanwhile. */
  readonly seen: string
  /** Accepted work that was lost. */
  readonly lost: string
  /** Time until everything works as before. */
  readonly recovery: string
}

/** A fault to inject. */
export interface Fault {
  readonly name: string
  /** Whether it belongs to the short run of continuous integration. */
  readonly isQuick: boolean
  /**
   * Injects the fault and checks the promises.
   * @throws an assertion when a promise is broken; {@link CannotTry} when this machine cannot do it
   */
  readonly run: (lab: Lab, isQuick: boolean) => Promise<Finding>
}

/** Thrown when this machine cannot inject the fault. */
export class CannotTry extends Error {
  override readonly name = 'CannotTry'
}

/** Seconds as people read them. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
