/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { JsonLimits } from '../reading/bounded-json.ts'
import { ServiceError } from '../errors.ts'
import { describeUnnamed, positionOf, separatorName, visitCsv } from './csv-table.ts'
import type { FeatureTable } from './feature-table.ts'
import type { Column, ColumnType, Signature } from './signature.ts'
import {
  hasAmbiguousComma,
  isDecimal,
  magnitudeProblem,
  NO_VALUE,
  NOT_A_NUMBER,
  textProblem,
  withDecimalPoint
} from './table-cell.ts'
import { TableFaults, type TableAction } from './table-faults.ts'

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

/** A {@link TrainingTable}, and what its owner may want to mend. */
export interface ReadTable extends TrainingTable, TableFindings {}

/** What is told of a table that was read. */
export interface TableFindings {
  readonly dropped: DroppedRowsAndColumns
  /** Undefined when there are none. */
  readonly contradictions: Contradictions | undefined
}

/** What of a table says nothing, and was left out. */
export interface DroppedRowsAndColumns {
  readonly emptyRowCount: number
  /** By name, or as `column 3` or `columns 3 to 5` of those that have none. */
  readonly emptyColumns: readonly string[]
}

/** Rows that say the same and are labelled differently: at most one label of each can be learned. */
export interface Contradictions {
  /** Different contents of rows that have more than one label. */
  readonly count: number
  /** The first of them. Rows are counted from 1, after the header. */
  readonly examples: readonly { readonly rows: readonly number[]; readonly labels: readonly string[] }[]
}

/** A table as it came: CSV, as bytes or decoded, or rows of JSON. */
export type TableSource =
  | string
  | { readonly csv: Uint8Array; readonly charset?: string | undefined }
  | readonly unknown[]

/** How large a table may be. */
export interface TableLimits extends JsonLimits {
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
/** Examples of contradictions, and rows of each, that are told. */
const MAX_CONTRADICTIONS_TOLD = 20

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
  /** Between cells of CSV. */
  readonly separator: string
  readonly rowCount: number
  /** Which row each was, counted from 1, empty ones included. */
  readonly rowNumbers: readonly number[]
  readonly columns: readonly RawColumn[]
  readonly dropped: DroppedRowsAndColumns
}

/**
 * Reads a training table: CSV with a header line, or the rows of JSON, each an object by column name.
 * A column is of numbers when most of its cells are; a cell that is none is then a fault, not a reason to take the column for text.
 * @throws {ServiceError} INVALID_REQUEST with each fault by column and row (the first after the header is row 1);
 *   PAYLOAD_TOO_LARGE beyond a limit, which it names
 */
export function readTrainingTable(source: TableSource, options: TableOptions, limits: TableLimits): ReadTable {
  const { label = DEFAULT_LABEL, types = {} } = options
  return checkTable(readRaw(source, [label], Object.keys(types), limits, 'train'), options, limits)
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
  source: TableSource,
  { signature, classIds }: TestedModel,
  limits: TableLimits
): TestTable {
  const wanted = [...signature.features, signature.label].map(({ name }) => name)
  const raw = readRaw(source, wanted, wanted, limits, 'evaluate')
  const faults = new TableFaults('evaluate')
  const columnOf = ({ name }: Column): RawColumn => {
    const found = columnNamed(raw, name, 'evaluate')
    if (found === undefined) faults.addOfColumn(name, 'required field')
    // By the name that the model has for it.
    return { name, cells: found?.cells ?? [] }
  }
  const columns = new Map(
    signature.features.map((feature) => {
      const column = columnOf(feature)
      const isNumber = feature.type === 'number'
      return [
        feature.name,
        isNumber ? readNumbers(raw, column, false, faults) : readTexts(raw, column, limits, faults)
      ] as const
    })
  )
  const labelColumn = columnOf(signature.label)
  const position = new Map(classIds.map((id, k) => [id, k]))
  const labels = Int32Array.from(labelColumn.cells, (cell, index) => {
    const problem = labelProblem(raw, cell, signature.label.type)
    const label = problem === undefined ? position.get(classIdOf(raw, cell ?? '', signature.label.type)) : -1
    if (label === undefined || problem !== undefined) {
      faults.add(labelColumn.name, raw.rowNumbers[index]!, problem ?? 'a label that the version was not trained on')
    }
    return label ?? -1
  })
  faults.throwIfAny()
  return { rowCount: raw.rowCount, columns, labels }
}

/**
 * @param wanted names of columns that should be there
 * @param kept names of columns that are kept even when they are empty, so that each row is told, beside those wanted
 */
function readRaw(
  source: TableSource,
  wanted: readonly string[],
  kept: readonly string[],
  limits: TableLimits,
  action: TableAction
): RawTable {
  const raw = isRows(source)
    ? readRows(source, limits, action)
    : readCsv(typeof source === 'string' ? { csv: source } : source, wanted, limits, action)
  const isKept = new Set([...wanted, ...kept].flatMap((name) => columnNamed(raw, name, action)?.name ?? []))
  const emptyColumns: string[] = [...raw.dropped.emptyColumns]
  const columns = raw.columns.filter(({ name, cells }, index) => {
    if (name !== '' && isKept.has(name)) return true
    const filled = cells.findIndex((cell) => !isBlank(cell))
    if (filled < 0) {
      emptyColumns.push(name === '' ? `column ${index + 1}` : name)
      return false
    }
    if (name !== '') return true
    throw new ServiceError(
      'INVALID_REQUEST',
      `Cannot read the table: column ${index + 1} has no name, but a value in row ${raw.rowNumbers[filled]}: ` +
        'name it in the header, or leave it out'
    )
  })
  return { ...raw, columns, dropped: { ...raw.dropped, emptyColumns } }
}

function isRows(source: TableSource): source is readonly unknown[] {
  return Array.isArray(source)
}

/** By its name, also where that differs in case. */
function columnNamed({ columns }: RawTable, name: string, action: TableAction): RawColumn | undefined {
  const position = positionOf(
    name,
    columns.map((column) => column.name),
    action
  )
  return position === undefined ? undefined : columns[position]
}

function isBlank(cell: unknown): boolean {
  return cell === undefined || cell === null || (typeof cell === 'string' && cell.trim() === '')
}

function readCsv(
  { csv, charset }: { readonly csv: Uint8Array | string; readonly charset?: string | undefined },
  wanted: readonly string[],
  limits: TableLimits,
  action: TableAction
): RawTable {
  const faults = new TableFaults(action)
  let columns: RawColumn[] = []
  let separator = ','
  let emptyRowCount = 0
  let emptyColumns: string[] = []
  const rowNumbers: number[] = []
  visitCsv(
    csv,
    { wanted, charset, action: 'read the table' },
    (header) => {
      separator = header.separator
      emptyColumns = describeUnnamed(header)
      columns = header.names.map((name) => ({ name, cells: [] }))
      checkColumnNames(columns, limits)
    },
    (row) => {
      if (row.isEmpty) {
        emptyRowCount += 1
        return
      }
      rowNumbers.push(row.number)
      if (row.cells.length !== columns.length) {
        faults.add('table', row.number, `${row.cells.length} cells, ${columns.length} wanted`)
      }
      assertRoom(rowNumbers.length, columns.length, limits)
      for (const [j, { cells }] of columns.entries()) {
        const cell = row.cells[j]?.trim()
        cells.push(cell === '' ? undefined : cell)
      }
    }
  )
  faults.throwIfAny()
  const dropped = { emptyRowCount, emptyColumns }
  return { source: 'csv', separator, rowCount: rowNumbers.length, rowNumbers, columns, dropped }
}

function readRows(rows: readonly unknown[], limits: TableLimits, action: TableAction): RawTable {
  const faults = new TableFaults(action)
  const columns = new Map<string, RawColumn>()
  const rowNumbers: number[] = []
  for (const [index, row] of rows.entries()) {
    if (!isRecord(row)) {
      faults.add('table', index + 1, 'not an object of columns')
      continue
    }
    if (Object.values(row).every(isBlank)) continue
    const filledCount = rowNumbers.length
    rowNumbers.push(index + 1)
    for (const [name, value] of Object.entries(row)) {
      let column = columns.get(name)
      if (column === undefined) {
        assertRoom(1, columns.size + 1, limits)
        column = { name, cells: Array.from({ length: filledCount }) }
        checkColumnNames([column], limits)
        columns.set(name, column)
      }
      if (typeof value === 'string' || typeof value === 'number') column.cells.push(value)
      else if (typeof value === 'boolean') column.cells.push(String(value))
      else if (value === null) column.cells.push(undefined)
      else faults.add(name, index + 1, 'neither a text nor a number')
    }
    assertRoom(rowNumbers.length, columns.size, limits)
    for (const { cells } of columns.values()) if (cells.length < rowNumbers.length) cells.push(undefined)
  }
  faults.throwIfAny()
  const rowCount = rowNumbers.length
  const dropped = { emptyRowCount: rows.length - rowCount, emptyColumns: [] }
  return { source: 'json', separator: ',', rowCount, rowNumbers, columns: [...columns.values()], dropped }
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
  if (rowCount * columnCount > MAX_TABLE_CELLS) throw tooLarge(`more than ${MAX_TABLE_CELLS} cells`)
}

function tooLarge(found: string): ServiceError {
  return new ServiceError('PAYLOAD_TOO_LARGE', `Cannot read the table: it has ${found}`)
}

function checkColumnNames(columns: readonly RawColumn[], limits: TableLimits): void {
  assertRoom(1, columns.length, limits)
  const names = columns.map(({ name }) => name)
  const repeated = names.findIndex((name, index) => name !== '' && names.indexOf(name) !== index)
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

function checkTable(raw: RawTable, options: TableOptions, limits: TableLimits): ReadTable {
  const { label: wantedLabel = DEFAULT_LABEL } = options
  const faults = new TableFaults('train')
  const labelColumn = columnNamed(raw, wantedLabel, 'train')
  if (labelColumn === undefined) {
    const found = `${raw.columns.length} columns${raw.source === 'csv' ? `, separated by ${separatorName(raw.separator)}` : ''}`
    throw new ServiceError('INVALID_REQUEST', `Cannot train: the table lacks the column of labels; it has ${found}`, {
      fields: { [wantedLabel]: ['required field'] }
    })
  }
  const labelName = labelColumn.name
  if (raw.rowCount < MIN_ROWS) {
    throw new ServiceError('INVALID_REQUEST', `Cannot train: ${raw.rowCount} rows, at least ${MIN_ROWS} wanted`)
  }
  const types: Record<string, ColumnType | 'ignore'> = {}
  for (const [name, type] of Object.entries(options.types ?? {})) {
    const column = columnNamed(raw, name, 'train')
    if (column === undefined) faults.addOfColumn(name, 'its type is given, but there is no such column')
    else types[column.name] = type
  }
  const features = raw.columns.filter((column) => column !== labelColumn && types[column.name] !== 'ignore')
  if (features.length === 0) throw new ServiceError('INVALID_REQUEST', 'Cannot train: no column beside the label')
  const typed = features.map((column) => ({ column, type: givenType(types, column.name) ?? inferType(raw, column) }))
  const columns = new Map<string, readonly string[] | Float64Array>()
  for (const { column, type } of typed) {
    const isInferred = givenType(types, column.name) === undefined
    const values =
      type === 'number' ? readNumbers(raw, column, isInferred, faults) : readTexts(raw, column, limits, faults)
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
    throw tooLarge(`${classIds.length} classes, at most ${MAX_CLASSES} are allowed`)
  }
  faults.throwIfAny()
  const textCount = typed.filter(({ type }) => type === 'text').length
  if (textCount > MAX_TEXT_COLUMNS) {
    throw tooLarge(
      `${textCount} columns of texts, at most ${MAX_TEXT_COLUMNS} are allowed: join some, or give them type ignore`
    )
  }
  const width = typed.reduce((sum, { type }) => sum + (type === 'text' ? limits.embeddingDimensions : 1), 0)
  if (width * raw.rowCount > MAX_FEATURE_VALUES) {
    throw tooLarge(
      `${raw.rowCount} rows of ${width} numbers, a text being ${limits.embeddingDimensions}: ` +
        `at most ${MAX_FEATURE_VALUES} numbers in all are allowed`
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
    groups: groupRows([...columns.values()], raw.rowCount),
    dropped: raw.dropped,
    contradictions: contradictionsOf(raw, [...columns.values()], labels, classIds)
  }
}

function givenType(types: NonNullable<TableOptions['types']>, name: string): ColumnType | undefined {
  const type = Object.hasOwn(types, name) ? types[name] : undefined
  return type === 'ignore' ? undefined : type
}

/**
 * Numbers when most of the cells that say something are. How programs write that there is no number says nothing: beside numbers
 * it is a fault, but a column of texts may well hold "none".
 */
function inferType({ source, separator }: RawTable, { cells }: RawColumn): ColumnType {
  let textCount = 0
  let numberCount = 0
  for (const cell of cells) {
    if (cell === undefined) continue
    if (typeof cell === 'number') numberCount += 1
    else if (source === 'json') textCount += 1
    else if (isDecimal(withDecimalPoint(cell, separator)) || hasAmbiguousComma(cell, separator)) numberCount += 1
    else if (!NO_NUMBER.test(cell)) textCount += 1
  }
  return numberCount > textCount ? 'number' : 'text'
}

function readNumbers(
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
    if (raw.source === 'json') return NOT_A_NUMBER
    if (hasAmbiguousComma(cell, raw.separator))
      return `${NOT_A_NUMBER} for sure: its comma may be decimal or of thousands`
    if (!isDecimal(withDecimalPoint(cell, raw.separator))) return NOT_A_NUMBER
  }
  return magnitudeProblem(numberOf(raw, cell))
}

function readTexts(raw: RawTable, { name, cells }: RawColumn, limits: TableLimits, faults: TableFaults): string[] {
  return cells.map((cell, index) => {
    const text = cell === undefined ? '' : String(cell)
    const problem = textProblem(text, limits.maxTextCharacters)
    if (problem !== undefined) faults.add(name, raw.rowNumbers[index]!, problem)
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
    if (problem !== undefined) faults.add(column.name, raw.rowNumbers[index]!, problem)
    return problem === undefined ? classIdOf(raw, cell ?? '', type) : ''
  })
  const classIds = [...new Set(ids)].toSorted(
    type === 'number' ? (a, b) => Number(a) - Number(b) : (a, b) => (a < b ? -1 : 1)
  )
  const position = new Map(classIds.map((id, k) => [id, k]))
  return { labels: Int32Array.from(ids, (id) => position.get(id)!), classIds }
}

function labelProblem(raw: RawTable, cell: Cell, type: ColumnType): string | undefined {
  if (cell === undefined || (typeof cell === 'string' && cell.trim() === '')) return NO_VALUE
  if (type === 'number') return numberProblem(raw, cell)
  return String(cell).length > MAX_LABEL_CHARACTERS
    ? `a label of more than ${MAX_LABEL_CHARACTERS} characters`
    : undefined
}

/** A class as it is kept: of a number its shortest decimal, so that 1 and 1.0 are one class. */
function classIdOf(raw: RawTable, cell: string | number, type: ColumnType): string {
  // Of −0 too it is 0.
  return type === 'number' ? String(numberOf(raw, cell)) : String(cell)
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

/** Texts are compared without regard to case and white space, as the model reads them. */
function contradictionsOf(
  { rowNumbers }: RawTable,
  columns: readonly (readonly string[] | Float64Array)[],
  labels: Int32Array,
  classIds: readonly string[]
): Contradictions | undefined {
  const folded = columns.map((column) =>
    column instanceof Float64Array ? column : column.map((text) => text.trim().replaceAll(/\s+/g, ' ').toLowerCase())
  )
  const groups = groupRows(folded, rowNumbers.length)
  const firstLabels = new Map<number, number>()
  const contradicted = new Set<number>()
  for (const [index, group] of groups.entries()) {
    const first = firstLabels.get(group)
    if (first === undefined) firstLabels.set(group, labels[index]!)
    else if (first !== labels[index]) contradicted.add(group)
  }
  if (contradicted.size === 0) return undefined
  const told = new Map(
    [...contradicted]
      .slice(0, MAX_CONTRADICTIONS_TOLD)
      .map((group) => [group, { rows: [] as number[], labels: new Set<string>() }])
  )
  for (const [index, group] of groups.entries()) {
    const example = told.get(group)
    if (example === undefined) continue
    if (example.rows.length < MAX_CONTRADICTIONS_TOLD) example.rows.push(rowNumbers[index]!)
    example.labels.add(classIds[labels[index]!]!)
  }
  return {
    count: contradicted.size,
    examples: [...told.values()].map((example) => ({ rows: example.rows, labels: [...example.labels] }))
  }
}
