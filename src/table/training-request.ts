/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { dropNullMembers } from '../reading/absent-members.ts'
import { assertCsvFits } from '../reading/bounded-csv.ts'
import { readJson } from '../reading/bounded-json.ts'
import { ServiceError } from '../errors.ts'
import { packTable, tableHash } from './packed-table.ts'
import type { Signature } from './signature.ts'
import {
  readTestTable,
  readTrainingTable,
  type ReadTable,
  type TableFindings,
  type TestedModel,
  type TestTable
} from './training-table.ts'
import type { TableLimits, TableSource } from './raw-table.ts'
import { TableTrainingOptions } from './training-options.ts'

/** A JSON body with its rows and options. */
const TrainingBody = Type.Interface(
  [TableTrainingOptions],
  { rows: Type.Array(Type.Unknown()) },
  { additionalProperties: false }
)

/** Format of a table's bytes. */
export interface TableFormat {
  readonly kind: 'csv' | 'json'
  /** Charset, as `charsetOf` gives it. @default 'utf-8', or the charset of the byte order mark of CSV */
  readonly charset?: string | undefined
}

/** A request to train, with its table read and checked. */
export interface TrainingRequest {
  readonly table: ReadTable
  readonly c: number | undefined
  readonly isForced: boolean
}

/** Summary of a table before it is trained on. */
export interface TableSummary extends TableFindings {
  readonly signature: Signature
  readonly rowCount: number
  readonly classCount: number
}

/** A {@link TrainingRequest} packed as the input of a job, and the summary for the reply. */
export interface PackedTraining {
  readonly summary: TableSummary
  readonly bytes: Uint8Array<ArrayBuffer>
}

/**
 * Reads a request to train: CSV or JSON. JSON is an array of rows, or an object with `rows` and options.
 * @param given options of the query parameters; those of the body take precedence
 * @throws {ServiceError} as `readTrainingTable`; INVALID_REQUEST when the JSON has another form
 */
function readTraining(
  body: Uint8Array,
  format: TableFormat,
  given: TableTrainingOptions,
  limits: TableLimits
): TrainingRequest {
  const { rows, ...options } = sourceOf(body, format, limits)
  const { c, force = false, ...ofTable } = { ...given, ...options }
  return { table: readTrainingTable(rows, ofTable, limits), c, isForced: force }
}

/** Reads a table to evaluate a model on, in any form that a training accepts. */
export function readTest(body: Uint8Array, format: TableFormat, model: TestedModel, limits: TableLimits): TestTable {
  return readTestTable(sourceOf(body, format, limits).rows, model, limits)
}

/** Reads a request as {@link readTraining} and packs its table. */
export function packTraining(
  body: Uint8Array,
  format: TableFormat,
  given: TableTrainingOptions,
  limits: TableLimits
): PackedTraining {
  const { table, c, isForced } = readTraining(body, format, given, limits)
  const { signature, rowCount, classIds, dropped, contradictions, similarLabels } = table
  return {
    summary: { signature, rowCount, classCount: classIds.length, dropped, contradictions, similarLabels },
    bytes: packTable(table, { c: c ?? null, isForced, dataHash: tableHash(table) })
  }
}

function sourceOf(
  body: Uint8Array,
  { kind, charset }: TableFormat,
  limits: TableLimits
): { rows: TableSource } & TableTrainingOptions {
  if (kind === 'json') return parseBody(body, charset, limits)
  assertCsvFits(body, limits.maxJsonHeapBytes)
  return { rows: { csv: body, charset } }
}

function parseBody(
  bytes: Uint8Array,
  charset: string | undefined,
  limits: TableLimits
): { rows: readonly unknown[] } & TableTrainingOptions {
  const body = readJson(bytes, limits, { charset, action: 'Cannot read the table' })
  if (Array.isArray(body)) return { rows: body }
  dropNullMembers(body, TableTrainingOptions)
  if (Value.Check(TrainingBody, body)) return body
  const [problem] = Value.Errors(TrainingBody, body)
  const field = problem?.instancePath.split('/')[1]
  throw new ServiceError(
    'INVALID_REQUEST',
    'Cannot read the table: an array of rows is wanted, or {"rows": […]} with label, types, c or force beside it',
    { fields: { [field === undefined || field === '' ? 'rows' : field]: [problem?.message ?? 'is not valid'] } }
  )
}
