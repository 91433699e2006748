/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'
import { positionsOf } from './csv-table.ts'
import type { FeatureTable } from './feature-table.ts'
import type { Column, Signature } from './signature.ts'
import { isDecimal, magnitudeProblem, NO_VALUE, NOT_A_NUMBER, textProblem } from './table-cell.ts'
import { TableFaults } from './table-faults.ts'

/** Limits of one call. */
export interface PredictLimits {
  /** Maximum number of rows of a table with a text column. Without one it is 10,000. */
  readonly maxSentences: number
  readonly maxTextCharacters: number
}

/**
 * Maximum number of rows of a JSON call: some megabytes of reply. CSV has no such limit, since it is read row by row.
 */
const MAX_LISTED_ROWS = 10_000

/**
 * Reads the columns of a JSON call: each a list, or the text of one (`"[1, 2.0, 3]"`), all equally long. Columns that
 * the signature does not name are ignored. The case of a name is ignored where only one column matches.
 * @throws {ServiceError} INVALID_REQUEST with each fault by column and row; PAYLOAD_TOO_LARGE for too many rows
 */
export function readFeatureColumns(
  body: Readonly<Record<string, unknown>>,
  { features }: Signature,
  limits: PredictLimits
): FeatureTable {
  const names = Object.keys(body)
  const positions = positionsOf(
    features.map(({ name }) => name),
    names,
    'predict'
  )
  const missing = features.filter(({ name }) => !positions.has(name))
  if (missing.length > 0) {
    throw new ServiceError('INVALID_REQUEST', `Cannot predict: ${missing[0]!.name}: required field`, {
      fields: Object.fromEntries(missing.map(({ name }) => [name, ['required field']]))
    })
  }
  const lists = features.map((column) => ({ column, cells: listOf(column, body[names[positions.get(column.name)!]!]) }))
  const rowCount = assertEqualLengths(lists.map(({ column, cells }) => ({ name: column.name, length: cells.length })))
  const hasTexts = features.some(({ type }) => type === 'text')
  const maxRows = hasTexts ? Math.min(limits.maxSentences, MAX_LISTED_ROWS) : MAX_LISTED_ROWS
  if (rowCount > maxRows) {
    throw new ServiceError(
      'PAYLOAD_TOO_LARGE',
      `Cannot predict: ${rowCount} rows, at most ${maxRows} in one JSON call; CSV (Content-Type: text/csv) has no such bound`
    )
  }
  const faults = new TableFaults('predict')
  const columns = new Map<string, readonly string[] | Float64Array>()
  for (const { column, cells } of lists) {
    for (const [index, cell] of cells.entries()) {
      const problem = problemOf(cell, column, limits)
      if (problem !== undefined) faults.add(column.name, index + 1, problem)
    }
    // Values of a faulty column are never used. A number in a column of texts is one, as in training.
    columns.set(column.name, column.type === 'number' ? Float64Array.from(cells, Number) : cells.map(String))
  }
  faults.throwIfAny()
  return { rowCount, columns }
}

/**
 * Reads one row of CSV.
 * @param cells cells of the signature's features, in its order
 * @returns the values, or what is wrong: a fault of one row does not fail the others
 */
export function readFeatureCells(
  cells: readonly (string | undefined)[],
  { features }: Signature,
  limits: Pick<PredictLimits, 'maxTextCharacters'>
): { readonly values: readonly (string | number)[] } | { readonly problem: string } {
  const values: (string | number)[] = []
  for (const [index, column] of features.entries()) {
    const cell = cells[index]?.trim() ?? ''
    const isNumber = column.type === 'number' && isDecimal(cell)
    const problem = cell === '' ? NO_VALUE : problemOf(isNumber ? Number(cell) : cell, column, limits)
    if (problem !== undefined) return { problem: `column ${column.name}: ${problem}` }
    values.push(isNumber ? Number(cell) : cell)
  }
  return { values }
}

function problemOf(cell: unknown, { type }: Column, limits: Pick<PredictLimits, 'maxTextCharacters'>) {
  if (cell === null || cell === undefined) return NO_VALUE
  const isText = typeof cell === 'string'
  if (type === 'number') {
    if (isText ? !isDecimal(cell.trim()) : typeof cell !== 'number') return NOT_A_NUMBER
    return magnitudeProblem(Number(cell))
  }
  if (isText) return textProblem(cell, limits.maxTextCharacters)
  return typeof cell === 'number' || typeof cell === 'boolean' ? undefined : 'not a text'
}

function listOf({ name }: Column, value: unknown): readonly unknown[] {
  const list = typeof value === 'string' ? parseList(value) : value
  if (Array.isArray(list)) return list
  throw new ServiceError('INVALID_REQUEST', `Cannot predict: ${name}: a list, or the text of one, is wanted`, {
    fields: { [name]: ['a list, or the text of one, is wanted'] }
  })
}

function parseList(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function assertEqualLengths(lists: readonly { readonly name: string; readonly length: number }[]): number {
  const length = lists[0]?.length ?? 0
  if (lists.every((list) => list.length === length)) return length
  const found = lists.map((list) => `${list.name} ${list.length}`).join(', ')
  throw new ServiceError('INVALID_REQUEST', `Cannot predict: columns of different lengths: ${found}`, {
    fields: Object.fromEntries(lists.map((list) => [list.name, [`${list.length} values`]]))
  })
}
