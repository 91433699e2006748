/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { Value } from 'typebox/value'
import { ServiceError } from '../errors.ts'
import { packTable, tableHash } from './packed-table.ts'
import type { Signature } from './signature.ts'
import {
  readTestTable,
  readTrainingTable,
  type TableLimits,
  type TestedModel,
  type TestTable,
  type TrainingTable
} from './training-table.ts'

/** What is said about a training beside its table: members of a JSON body beside `rows`, or of the address. */
export const TrainingOptions = Type.Object({
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
  force: Type.Optional(Type.Boolean({ description: 'Let the version answer even when it is worse than the live one.' }))
})
export type TrainingOptions = Static<typeof TrainingOptions>

/** A JSON body with options beside its rows. */
const TrainingBody = Type.Interface(
  [TrainingOptions],
  { rows: Type.Array(Type.Unknown()) },
  { additionalProperties: false }
)

/** A training that was asked for, its table read and found good. */
export interface TrainingRequest {
  readonly table: TrainingTable
  readonly c: number | undefined
  readonly isForced: boolean
}

/** What is told of a table before it is trained on. */
export interface TableSummary {
  readonly signature: Signature
  readonly rowCount: number
  readonly classCount: number
}

/** A {@link TrainingRequest} as bytes, for a job, and what is told of it. */
export interface PackedTraining {
  readonly summary: TableSummary
  readonly bytes: Uint8Array<ArrayBuffer>
}

/**
 * Reads a request to train: CSV, or JSON: an array of rows, or an object with them in `rows` and options beside them.
 * @param given options of the address; those of the body count before them
 * @throws {ServiceError} as `readTrainingTable`; INVALID_REQUEST when the JSON has another form
 */
function readTraining(
  body: Uint8Array,
  source: 'csv' | 'json',
  given: TrainingOptions,
  limits: TableLimits
): TrainingRequest {
  const text = decode(body)
  const { rows, ...options } = source === 'csv' ? { rows: text } : parseBody(text)
  const { c, force = false, ...ofTable } = { ...given, ...options }
  return { table: readTrainingTable(rows, ofTable, limits), c, isForced: force }
}

/** Reads a table to judge a model by, in any form that a training takes. */
export function readTest(body: Uint8Array, source: 'csv' | 'json', model: TestedModel, limits: TableLimits): TestTable {
  const text = decode(body)
  return readTestTable(source === 'csv' ? text : parseBody(text).rows, model, limits)
}

/** As {@link readTraining}, packed. */
export function packTraining(
  body: Uint8Array,
  source: 'csv' | 'json',
  given: TrainingOptions,
  limits: TableLimits
): PackedTraining {
  const { table, c, isForced } = readTraining(body, source, given, limits)
  return {
    summary: { signature: table.signature, rowCount: table.rowCount, classCount: table.classIds.length },
    bytes: packTable(table, { c: c ?? null, isForced, dataHash: tableHash(table) })
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new ServiceError('INVALID_REQUEST', 'Cannot read the table: it is not UTF-8')
  }
}

function parseBody(text: string): { rows: readonly unknown[] } & TrainingOptions {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    throw new ServiceError('INVALID_REQUEST', 'Cannot read the table: it is no JSON')
  }
  if (Array.isArray(body)) return { rows: body }
  if (Value.Check(TrainingBody, body)) return body
  const [problem] = Value.Errors(TrainingBody, body)
  const field = problem?.instancePath.split('/')[1]
  throw new ServiceError(
    'INVALID_REQUEST',
    'Cannot read the table: an array of rows is wanted, or {"rows": […]} with label, types, c or force beside it',
    { fields: { [field === undefined || field === '' ? 'rows' : field]: [problem?.message ?? 'is not valid'] } }
  )
}
