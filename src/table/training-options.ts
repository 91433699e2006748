/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { Value } from 'typebox/value'
import { ServiceError } from '../errors.ts'

/** Options of a training besides its table: members of a JSON body next to `rows`, or query parameters. */
export const TableTrainingOptions = Type.Object({
  label: Type.Optional(
    Type.String({ minLength: 1, maxLength: 100, description: 'Column with the classes; `label` when not given.' })
  ),
  types: Type.Optional(
    Type.Record(Type.String({ maxLength: 100 }), Type.Enum(['text', 'number', 'ignore']), {
      description: 'Types of columns that are not to be inferred; `ignore` leaves a column out.'
    })
  ),
  c: Type.Optional(
    Type.Number({
      minimum: 1e-6,
      maximum: 1e6,
      description: 'Inverse of the penalty’s weight, as of scikit-learn. Not of a table whose one feature is a text.'
    })
  ),
  force: Type.Optional(Type.Boolean({ description: 'Promote the version even when it is worse than the live one.' }))
})
export type TableTrainingOptions = Static<typeof TableTrainingOptions>

/**
 * Reads the options from query parameters.
 * @throws {ServiceError} INVALID_REQUEST
 */
export function trainingOptionsOf({
  label,
  types,
  c,
  force
}: {
  label?: string
  types?: string
  c?: string
  force?: string
}) {
  const options = {
    ...(label !== undefined && { label }),
    ...(types !== undefined && { types: typesOf(types) }),
    ...(c !== undefined && { c: Number(c) }),
    ...(force !== undefined && { force: force === 'true' })
  }
  const [problem] = Value.Errors(TableTrainingOptions, options)
  if (problem === undefined && Value.Check(TableTrainingOptions, options)) return options
  const field = problem?.instancePath.split('/')[1] ?? 'types'
  throw new ServiceError('INVALID_REQUEST', `Cannot train: ${field}: ${problem?.message ?? 'is not valid'}`, {
    fields: { [field]: [problem?.message ?? 'is not valid'] }
  })
}

/** Parses `zip:text,id:ignore` to a record. A name may contain colons: the last one separates the type. */
function typesOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const colon = pair.lastIndexOf(':')
      return [pair.slice(0, Math.max(0, colon)).trim(), pair.slice(colon + 1).trim()]
    })
  )
}
