/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Static, TSchema } from 'typebox'
import { Value } from 'typebox/value'

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

/** Makes the targets of a section that are the same on every CPU. Its results are checked against its schema before one is measured. */
export function targetsOf<Schema extends TSchema>(section: string, schema: Schema) {
  return (
    what: string,
    better: 'higher' | 'lower',
    must: number,
    aim: number,
    measure: (result: Static<Schema>) => number | undefined,
    unit = ''
  ): Target => ({
    what,
    must: same(must),
    aim,
    isLowerBetter: better === 'lower',
    unit,
    section,
    measure: (result) => (Value.Check(schema, result) ? measure(result) : undefined)
  })
}
