/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { CsvError, parse } from 'csv-parse/sync'
import { ServiceError } from '../errors.ts'
import type { FeatureTable } from './classifier.ts'
import type { Column, ColumnType, Signature } from './signature.ts'
import { isDecimal, magnitudeProblem, NO_VALUE, NOT_A_NUMBER, textProblem } from './table-cell.ts'
import { TableFaults } from './table-faults.ts'

/** A table to train or to test a classifier with, checked. */
export interface TrainingTable extends FeatureTable {
  readonly signature: Signature
  /** Position in {@link TrainingTable.classIds} of each row's class. */
  readonly labels: Int32Array
  /** Numbers ascending, texts by their characters. */
  readonly classIds: readonly string[]
  /** Rows whose features are all the same have the same number. */
  readonly groups: Int32Array
}

/** How large a table may be. */
export interface TableLimits {
  readonly maxTrainingRows: number
  readonly maxTrainingColumns: number
  readonly maxTextCharacters: number
  /** Numbers that a text becomes. */
  readonly embeddingDimensions: number
}

/** What is said about a table beside its cells. */
export interface TableOptions {
  /** Name of the column with the classes. @default 'label' */
  readonly label?: string
  /** Types that are not to be inferred; an `ignore`d column is left out. */
  readonly types?: Readonly<Record<string, ColumnType | 'ignore'>>
}

const DEFAULT_LABEL = 'label'
/** Numbers of all rows and columns together: 80 MB as float32, of which a fit holds several copies. */
const MAX_FEATURE_VALUES = 20_000_000
/** Cells of all rows and columns together, which are held as texts while they are looked at. */
const MAX_TABLE_CELLS = 5_000_000
const MAX_CLASSES = 10_000
/** Each is 384 columns of a fit, whose time grows with the cube of them. */
const MAX_TEXT_COLUMNS = 4
const MAX_LABEL_CHARACTERS = 200
const MAX_COLUMN_NAME_CHARACTERS = 100
const MIN_ROWS = 2

/** How programs write what is no number, or not there, in a column of numbers. */
const NO_NUMBER = /^(?:[+-]?(?:nan|inf|infinity)|na|n\/a|null|none|#n\/a)$/i

/** A cell as it came: of JSON a number or a text, of CSV a text; undefined when there is none. */
type Cell = string | number | undefined

interface RawColumn {
  readonly name: string
  readonly cells: Cell[]
}

interface RawTable {
  readonly source: 'csv' | 'json'
  readonly rowCount: number
  readonly columns: readonly RawColumn[]
}

/**
 * Reads a training table: CSV with a header line, or the rows of JSON, each an object by column name.
 * A column is of numbers when most of its cells are; a cell that is none is then a fault, not a reason to take the column for text.
 * @throws {ServiceError} INVALID_REQUEST with each fault by column and row (the first after the header is row 1);
 *   PAYLOAD_TOO_LARGE beyond a limit, which it names
 */
export function readTrainingTable(
  source: string | readonly unknown[],
  options: TableOptions,
  limits: TableLimits
): TrainingTable {
  const raw = typeof source === 'string' ? readCsv(source, limits) : readRows(source, limits)
  return checkTable(raw, options, limits)
}

/** A table to judge a model by: rows whose classes are known. */
export interface TestTable extends FeatureTable {
  /** Position in the model's classes of each row's class. */
  readonly labels: Int32Array
}

/** What a table must fit to be asked of a model. */
export interface TestedModel {
  readonly signature: Signature
  readonly classIds: readonly string[]
}

/**
 * Reads a table as {@link readTrainingTable} does, for a model that there is: its columns have the types of the signature, others
 * do not matter, and each label is one that the model was trained on.
 * @throws {ServiceError} as {@link readTrainingTable}
 */
export function readTestTable(
  source: string | readonly unknown[],
  { signature, classIds }: TestedModel,
  limits: TableLimits
): TestTable {
  const raw = typeof source === 'string' ? readCsv(source, limits) : readRows(source, limits)
  const faults = new TableFaults('evaluate')
  const columnOf = ({ name }: Column): RawColumn => {
    const found = raw.columns.find((column) => column.name === name)
    if (found === undefined) faults.addOfColumn(name, 'required field')
    return found ?? { name, cells: [] }
  }
  const columns = new Map(
    signature.features.map((feature) => {
      const column = columnOf(feature)
      const isNumber = feature.type === 'number'
      return [
        feature.name,
        isNumber ? readNumbers(raw, column, false, faults) : readTexts(column, limits, faults)
      ] as const
    })
  )
  const labelColumn = columnOf(signature.label)
  const position = new Map(classIds.map((id, k) => [id, k]))
  const labels = Int32Array.from(labelColumn.cells, (cell, index) => {
    const problem = labelProblem(raw, cell, signature.label.type)
    const label = problem === undefined ? position.get(classIdOf(cell ?? '', signature.label.type)) : -1
    if (label === undefined || problem !== undefined) {
      faults.add(labelColumn.name, index + 1, problem ?? 'a label that the version was not trained on')
    }
    return label ?? -1
  })
  faults.throwIfAny()
  return { rowCount: raw.rowCount, columns, labels }
}

function readCsv(text: string, limits: TableLimits): RawTable {
  const faults = new TableFaults('train')
  let columns: RawColumn[] | undefined
  let rowCount = 0
  try {
    parse(text, {
      relax_column_count: true,
      skip_empty_lines: true,
      // One more than allowed tells that there are too many, without reading the rest.
      to: limits.maxTrainingRows + 2,
      on_record: (record: string[]) => {
        if (columns === undefined) {
          columns = record.map((name) => ({ name: name.trim(), cells: [] }))
          checkColumnNames(columns, limits)
          return null
        }
        rowCount += 1
        if (record.length !== columns.length) {
          faults.add('table', rowCount, `${record.length} cells, ${columns.length} wanted`)
        }
        assertRoom(rowCount, columns.length, limits)
        for (const [j, { cells }] of columns.entries()) {
          const cell = record[j]?.trim()
          cells.push(cell === '' ? undefined : cell)
        }
        return null
      }
    })
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    // The error's own message quotes the text.
    const line = typeof error['lines'] === 'number' ? error['lines'] : 1
    throw new ServiceError('INVALID_REQUEST', `Cannot read the table: line ${line} is no CSV (${error.code})`)
  }
  faults.throwIfAny()
  return { source: 'csv', rowCount, columns: columns ?? [] }
}

function readRows(rows: readonly unknown[], limits: TableLimits): RawTable {
  const faults = new TableFaults('train')
  const columns = new Map<string, RawColumn>()
  for (const [index, row] of rows.entries()) {
    if (!isRecord(row)) {
      faults.add('table', index + 1, 'not an object of columns')
      continue
    }
    for (const [name, value] of Object.entries(row)) {
      let column = columns.get(name)
      if (column === undefined) {
        assertRoom(1, columns.size + 1, limits)
        column = { name, cells: Array.from({ length: index }) }
        checkColumnNames([column], limits)
        columns.set(name, column)
      }
      if (typeof value === 'string' || typeof value === 'number') column.cells.push(value)
      else if (typeof value === 'boolean') column.cells.push(String(value))
      else if (value === null) column.cells.push(undefined)
      else faults.add(name, index + 1, 'neither a text nor a number')
    }
    assertRoom(index + 1, columns.size, limits)
    for (const { cells } of columns.values()) if (cells.length <= index) cells.push(undefined)
  }
  faults.throwIfAny()
  return { source: 'json', rowCount: rows.length, columns: [...columns.values()] }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function assertRoom(rowCount: number, columnCount: number, limits: TableLimits): void {
  if (rowCount > limits.maxTrainingRows) {
    throw tooLarge(`more than ${limits.maxTrainingRows} rows (MAX_TRAINING_ROWS)`)
  }
  // The label is no feature; an ignored column is counted all the same, since its cells are held too.
  if (columnCount > limits.maxTrainingColumns + 1) {
    throw tooLarge(`more than ${limits.maxTrainingColumns} columns beside the label (MAX_TRAINING_COLUMNS)`)
  }
  if (rowCount * columnCount > MAX_TABLE_CELLS) throw tooLarge(`more than ${MAX_TABLE_CELLS} cells (MAX_TABLE_CELLS)`)
}

function tooLarge(found: string): ServiceError {
  return new ServiceError('PAYLOAD_TOO_LARGE', `Cannot read the table: it has ${found}`)
}

function checkColumnNames(columns: readonly RawColumn[], limits: TableLimits): void {
  assertRoom(1, columns.length, limits)
  const names = columns.map(({ name }) => name)
  const empty = names.indexOf('')
  if (empty >= 0) throw new ServiceError('INVALID_REQUEST', `Cannot read the table: column ${empty + 1} has no name`)
  const repeated = names.findIndex((name, index) => names.indexOf(name) !== index)
  if (repeated >= 0) {
    throw new ServiceError('INVALID_REQUEST', `Cannot read the table: column ${repeated + 1} has the name of another`)
  }
  if (names.some((name) => name.length > MAX_COLUMN_NAME_CHARACTERS)) {
    throw new ServiceError(
      'INVALID_REQUEST',
      `Cannot read the table: a column's name is longer than ${MAX_COLUMN_NAME_CHARACTERS} characters`
    )
  }
}

function checkTable(raw: RawTable, options: TableOptions, limits: TableLimits): TrainingTable {
  const { label: labelName = DEFAULT_LABEL, types = {} } = options
  const faults = new TableFaults('train')
  const labelColumn = raw.columns.find(({ name }) => name === labelName)
  if (labelColumn === undefined) {
    throw new ServiceError('INVALID_REQUEST', 'Cannot train: the table lacks the column of labels', {
      fields: { [labelName]: ['required field'] }
    })
  }
  if (raw.rowCount < MIN_ROWS) {
    throw new ServiceError('INVALID_REQUEST', `Cannot train: ${raw.rowCount} rows, at least ${MIN_ROWS} wanted`)
  }
  for (const name of Object.keys(types)) {
    if (!raw.columns.some((column) => column.name === name)) {
      faults.addOfColumn(name, 'its type is given, but there is no such column')
    }
  }
  const features = raw.columns.filter((column) => column !== labelColumn && types[column.name] !== 'ignore')
  if (features.length === 0) throw new ServiceError('INVALID_REQUEST', 'Cannot train: no column beside the label')
  const typed = features.map((column) => ({ column, type: givenType(types, column.name) ?? inferType(raw, column) }))
  const columns = new Map<string, readonly string[] | Float64Array>()
  for (const { column, type } of typed) {
    const isInferred = givenType(types, column.name) === undefined
    const values = type === 'number' ? readNumbers(raw, column, isInferred, faults) : readTexts(column, limits, faults)
    columns.set(column.name, values)
    if (!faults.has(column.name) && isConstant(values)) {
      faults.addOfColumn(
        column.name,
        'the same in every row, which tells nothing: leave it out, or give it type ignore'
      )
    }
  }
  const label = { name: labelName, type: givenType(types, labelName) ?? inferType(raw, labelColumn) }
  const { labels, classIds } = readLabels(raw, labelColumn, label.type, faults)
  if (!faults.has(labelName) && classIds.length < 2) {
    faults.addOfColumn(labelName, 'one class only, at least 2 wanted')
  }
  if (classIds.length > MAX_CLASSES) {
    throw tooLarge(`${classIds.length} classes, at most ${MAX_CLASSES} are allowed (MAX_CLASSES)`)
  }
  faults.throwIfAny()
  const textCount = typed.filter(({ type }) => type === 'text').length
  if (textCount > MAX_TEXT_COLUMNS) {
    throw tooLarge(
      `${textCount} columns of texts, at most ${MAX_TEXT_COLUMNS} are allowed (MAX_TEXT_COLUMNS): join some, or give them type ignore`
    )
  }
  const width = typed.reduce((sum, { type }) => sum + (type === 'text' ? limits.embeddingDimensions : 1), 0)
  if (width * raw.rowCount > MAX_FEATURE_VALUES) {
    throw tooLarge(
      `${raw.rowCount} rows of ${width} numbers, a text being ${limits.embeddingDimensions}: ` +
        `at most ${MAX_FEATURE_VALUES} numbers in all are allowed (MAX_FEATURE_VALUES)`
    )
  }
  const ofType = (wanted: ColumnType): Column[] =>
    typed.filter(({ type }) => type === wanted).map(({ column, type }) => ({ name: column.name, type }))
  return {
    signature: { features: [...ofType('text'), ...ofType('number')], label },
    rowCount: raw.rowCount,
    columns,
    labels,
    classIds,
    groups: groupRows([...columns.values()], raw.rowCount)
  }
}

function givenType(types: NonNullable<TableOptions['types']>, name: string): ColumnType | undefined {
  const type = Object.hasOwn(types, name) ? types[name] : undefined
  return type === 'ignore' ? undefined : type
}

/** Numbers when most of the cells that are not empty are meant as such. */
function inferType({ source }: RawTable, { cells }: RawColumn): ColumnType {
  let filledCount = 0
  let numberCount = 0
  for (const cell of cells) {
    if (cell === undefined) continue
    filledCount += 1
    const isNumber = typeof cell === 'number' || (source === 'csv' && (isDecimal(cell) || NO_NUMBER.test(cell)))
    if (isNumber) numberCount += 1
  }
  return numberCount * 2 > filledCount ? 'number' : 'text'
}

function readNumbers(
  raw: RawTable,
  { name, cells }: RawColumn,
  isInferred: boolean,
  faults: TableFaults
): Float64Array {
  const numbers = new Float64Array(cells.length)
  for (const [index, cell] of cells.entries()) {
    const problem = cell === undefined ? NO_VALUE : numberProblem(raw.source, cell)
    if (problem === undefined) numbers[index] = Number(cell)
    else
      faults.add(name, index + 1, problem === NOT_A_NUMBER && isInferred ? `${problem}, as most others are` : problem)
  }
  return numbers
}

function numberProblem(source: RawTable['source'], cell: string | number): string | undefined {
  if (typeof cell === 'string' && (source === 'json' || !isDecimal(cell))) return NOT_A_NUMBER
  return magnitudeProblem(Number(cell))
}

function readTexts({ name, cells }: RawColumn, limits: TableLimits, faults: TableFaults): string[] {
  return cells.map((cell, index) => {
    const text = cell === undefined ? '' : String(cell)
    const problem = textProblem(text, limits.maxTextCharacters)
    if (problem !== undefined) faults.add(name, index + 1, problem)
    return text
  })
}

function isConstant(values: readonly string[] | Float64Array): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false
  return true
}

function readLabels(
  raw: RawTable,
  column: RawColumn,
  type: ColumnType,
  faults: TableFaults
): { labels: Int32Array; classIds: string[] } {
  const ids = column.cells.map((cell, index) => {
    const problem = labelProblem(raw, cell, type)
    if (problem !== undefined) faults.add(column.name, index + 1, problem)
    return problem === undefined ? classIdOf(cell ?? '', type) : ''
  })
  const classIds = [...new Set(ids)].toSorted(
    type === 'number' ? (a, b) => Number(a) - Number(b) : (a, b) => (a < b ? -1 : 1)
  )
  const position = new Map(classIds.map((id, k) => [id, k]))
  return { labels: Int32Array.from(ids, (id) => position.get(id)!), classIds }
}

function labelProblem(raw: RawTable, cell: Cell, type: ColumnType): string | undefined {
  if (cell === undefined || (typeof cell === 'string' && cell.trim() === '')) return NO_VALUE
  if (type === 'number') return numberProblem(raw.source, cell)
  return String(cell).length > MAX_LABEL_CHARACTERS
    ? `a label of more than ${MAX_LABEL_CHARACTERS} characters`
    : undefined
}

/** A class as it is kept: of a number its shortest decimal, so that 1 and 1.0 are one class. */
function classIdOf(cell: string | number, type: ColumnType): string {
  // Of −0 too it is 0.
  return type === 'number' ? String(Number(cell)) : String(cell)
}

function groupRows(columns: readonly (readonly string[] | Float64Array)[], rowCount: number): Int32Array {
  const groupOf = new Map<string, number>()
  return Int32Array.from({ length: rowCount }, (_, row) => {
    const key = columns.length === 1 ? String(columns[0]![row]) : JSON.stringify(columns.map((column) => column[row]))
    const group = groupOf.get(key) ?? groupOf.size
    groupOf.set(key, group)
    return group
  })
}
