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

/** A JSON body with options beside its rows. */
const TrainingBody = Type.Interface(
  [TableTrainingOptions],
  { rows: Type.Array(Type.Unknown()) },
  { additionalProperties: false }
)

/** What the bytes of a table are. */
export interface TableFormat {
  readonly kind: 'csv' | 'json'
  /** As `charsetOf` gives it. @default 'utf-8', or what a mark at the start of CSV says */
  readonly charset?: string | undefined
}

/** A training that was asked for, its table read and found good. */
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
  format: TableFormat,
  given: TableTrainingOptions,
  limits: TableLimits
): TrainingRequest {
  const { rows, ...options } = sourceOf(body, format, limits)
  const { c, force = false, ...ofTable } = { ...given, ...options }
  return { table: readTrainingTable(rows, ofTable, limits), c, isForced: force }
}

/** Reads a table to judge a model by, in any form that a training takes. */
export function readTest(body: Uint8Array, format: TableFormat, model: TestedModel, limits: TableLimits): TestTable {
  return readTestTable(sourceOf(body, format, limits).rows, model, limits)
}

/** As {@link readTraining}, packed. */
export function packTraining(
  body: Uint8Array,
  format: TableFormat,
  given: TableTrainingOptions,
  limits: TableLimits
): PackedTraining {
  const { table, c, isForced } = readTraining(body, format, given, limits)
  const { signature, rowCount, classIds, dropped, contradictions } = table
  return {
    summary: { signature, rowCount, classCount: classIds.length, dropped, contradictions },
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
