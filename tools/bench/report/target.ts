/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** What a figure is to reach. A target for speed may depend on whether the CPU has exact and fast int8 products. */
export interface Target {
  readonly what: string
  readonly must: { readonly withoutByteProducts: number; readonly withByteProducts: number }
  readonly aim: number
  readonly isLowerBetter: boolean
  readonly unit: string
  /** Section whose result holds the figure, and the figure; nothing when it was not measured. */
  readonly section: string
  readonly measure: (result: unknown) => number | undefined
}

/** A target that is the same on every CPU. */
export function same(value: number): Target['must'] {
  return { withoutByteProducts: value, withByteProducts: value }
}
