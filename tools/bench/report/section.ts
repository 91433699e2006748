/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Static, TSchema } from 'typebox'
import { Value } from 'typebox/value'

/**
 * One claim of docs/benchmarks.md: a program `tools/bench/<name>.ts`, which measures and prints one JSON value on
 * standard output, and how that is shown.
 */
export interface Section {
  readonly name: string
  readonly title: string
  /** Only run when asked for by name. */
  readonly isOptional: boolean
  /**
   * What the report says, in Markdown without the title; nothing when the result is not of the program as it is now.
   * Figures in it are those of the result, and of nothing else.
   */
  readonly render: (result: unknown) => string | undefined
}

/** Makes a section whose result is checked against a schema before it is shown. */
export function defineSection<Schema extends TSchema>(
  section: Pick<Section, 'name' | 'title'> & {
    readonly isOptional?: boolean
    readonly schema: Schema
    readonly render: (result: Static<Schema>) => string
  }
): Section {
  const { name, title, isOptional = false, schema, render } = section
  return {
    name,
    title,
    isOptional,
    render: (result) => (Value.Check(schema, result) ? render(result) : undefined)
  }
}
