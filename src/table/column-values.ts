/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Cell, RawColumn, RawTable, TableLimits } from './raw-table.ts'
import type { ColumnType } from './signature.ts'
import {
  NOT_A_NUMBER,
  NO_VALUE,
  hasAmbiguousComma,
  isDecimal,
  isExactNumber,
  isFormattedNumber,
  magnitudeProblem,
  textProblem,
  withDecimalPoint
} from './table-cell.ts'
import type { TableFaults } from './table-faults.ts'

const MAX_LABEL_CHARACTERS = 200

/** Texts that programs write for a missing number. */
const NO_NUMBER = /^(?:[+-]?(?:nan|inf|infinity)|na|n\/a|null|none|#n\/a)$/i

/**
 * Infers a column's type: `number` when more of its cells are numbers than texts. Texts for missing numbers count as
 * neither: among numbers they are faults, but a column of texts may contain "none".
 */
export function inferType({ separator }: RawTable, { cells }: RawColumn): ColumnType {
  let textCount = 0
  let numberCount = 0
  for (const cell of cells) {
    if (cell === undefined) continue
    if (typeof cell === 'number') numberCount += 1
    else if (isDecimal(withDecimalPoint(cell, separator)) || hasAmbiguousComma(cell, separator)) numberCount += 1
    else if (!NO_NUMBER.test(cell)) textCount += 1
  }
  return numberCount > textCount ? 'number' : 'text'
}

/**
 * Infers the type of the labels, which a prediction repeats: `text` where a number would come back as another text,
 * such as `007` and an id of 20 digits. In JSON a text stays one.
 */
export function inferLabelType(raw: RawTable, column: RawColumn): ColumnType {
  const texts = column.cells.filter((cell) => typeof cell === 'string')
  if (raw.source === 'json' ? texts.length > 0 : !texts.every(isExactNumber)) return 'text'
  return inferType(raw, column)
}

/** Reads the numbers of a column; a cell that is not one is a fault. */
export function readNumbers(
  raw: RawTable,
  { name, cells }: RawColumn,
  isInferred: boolean,
  faults: TableFaults
): Float64Array {
  const numbers = new Float64Array(cells.length)
  for (const [index, cell] of cells.entries()) {
    const problem = cell === undefined ? NO_VALUE : numberProblem(raw, cell)
    if (problem === undefined) numbers[index] = numberOf(raw, cell!)
    else {
      const told = problem === NOT_A_NUMBER && isInferred ? `${problem}, as most others are` : problem
      faults.add(name, raw.rowNumbers[index]!, told)
    }
  }
  return numbers
}

function numberOf({ separator }: RawTable, cell: string | number): number {
  return typeof cell === 'number' ? cell : Number(withDecimalPoint(cell, separator))
}

function numberProblem(raw: RawTable, cell: string | number): string | undefined {
  if (typeof cell === 'string') {
    if (hasAmbiguousComma(cell, raw.separator))
      return `${NOT_A_NUMBER} for sure: its comma may be decimal or of thousands`
    if (!isDecimal(withDecimalPoint(cell, raw.separator))) return NOT_A_NUMBER
  }
  return magnitudeProblem(numberOf(raw, cell))
}

/**
 * Adds a fault when a column's type was inferred to be `text`, but each of its cells is a number in a form that is not
 * read: its embedding would mean little.
 */
export function assertNoFormattedNumbers(raw: RawTable, { name, cells }: RawColumn, faults: TableFaults): void {
  const filled = cells.filter((cell) => cell !== undefined)
  if (!filled.every((cell) => typeof cell === 'number' || isDecimal(cell) || isFormattedNumber(cell))) return
  const first = cells.findIndex((cell) => typeof cell === 'string' && !isDecimal(cell))
  if (first < 0) return
  const problem =
    'a number with a decimal comma, separated thousands, a unit or the like: write 1234.5, or give type text'
  faults.add(name, raw.rowNumbers[first]!, problem)
}

/** Reads the texts of a column; a cell that is not one is a fault. */
export function readTexts(
  raw: RawTable,
  { name, cells }: RawColumn,
  limits: TableLimits,
  faults: TableFaults
): string[] {
  return cells.map((cell, index) => {
    const text = cell === undefined ? '' : String(cell)
    const problem = textProblem(text, limits.maxTextCharacters)
    if (problem !== undefined) faults.add(name, raw.rowNumbers[index]!, problem)
    return text
  })
}

/** Whether all values are the same. */
export function isConstant(values: readonly string[] | Float64Array): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false
  return true
}

/** Reads the labels of the rows; a cell that is not one is a fault. */
export function readLabels(
  raw: RawTable,
  column: RawColumn,
  type: ColumnType,
  faults: TableFaults
): { labels: Int32Array; classIds: string[] } {
  const ids = column.cells.map((cell, index) => {
    const problem = labelProblem(raw, cell, type)
    if (problem !== undefined) faults.add(column.name, raw.rowNumbers[index]!, problem)
    return problem === undefined ? classIdOf(raw, cell ?? '', type) : ''
  })
  const classIds = [...new Set(ids)].toSorted(
    type === 'number' ? (a, b) => Number(a) - Number(b) : (a, b) => (a < b ? -1 : 1)
  )
  const position = new Map(classIds.map((id, k) => [id, k]))
  return { labels: Int32Array.from(ids, (id) => position.get(id)!), classIds }
}

/** Why a cell cannot be a label; undefined when it can. */
export function labelProblem(raw: RawTable, cell: Cell, type: ColumnType): string | undefined {
  if (cell === undefined || (typeof cell === 'string' && cell.trim() === '')) return NO_VALUE
  if (type === 'number') {
    const isRounded = typeof cell === 'number' && Number.isInteger(cell) && !Number.isSafeInteger(cell)
    return numberProblem(raw, cell) ?? (isRounded ? 'more digits than a number holds: send it as a text' : undefined)
  }
  return String(cell).length > MAX_LABEL_CHARACTERS
    ? `a label of more than ${MAX_LABEL_CHARACTERS} characters`
    : undefined
}

/** Id of a class: for a number its shortest decimal, so that 1 and 1.0 are one class. */
export function classIdOf(raw: RawTable, cell: string | number, type: ColumnType): string {
  // −0 becomes 0 too.
  return type === 'number' ? String(numberOf(raw, cell)) : String(cell)
}
