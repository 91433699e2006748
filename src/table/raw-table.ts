/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'
import type { JsonLimits } from '../reading/bounded-json.ts'
import { describeUnnamed, positionOf, visitCsv } from './csv-table.ts'
import { type TableAction, TableFaults } from './table-faults.ts'

/** A table as it was sent: CSV, as bytes or decoded, or rows of JSON. */
export type TableSource =
  | string
  | { readonly csv: Uint8Array; readonly charset?: string | undefined }
  | readonly unknown[]

/** Limits of a table's size. */
export interface TableLimits extends JsonLimits {
  readonly maxTrainingRows: number
  readonly maxTrainingColumns: number
  readonly maxTextCharacters: number
  /** Number of features that a text becomes. */
  readonly embeddingDimensions: number
}

/** Maximum number of cells in a table; they are kept as texts while the table is checked. */
const MAX_TABLE_CELLS = 5_000_000

const MAX_COLUMN_NAME_CHARACTERS = 100

/**
 * Names of a first column in which programs number the rows: pandas and R leave it without a name, and call it so when they
 * read it back. In a sorted table it would give away the label.
 */
const NUMBERING_NAME = /^(?:|Unnamed: \d+(?:\.\d+)?|\.\.\.\d+)$/

/** A cell as it was sent: in JSON a number or a text, in CSV a text; undefined when it is empty or missing. */
export type Cell = string | number | undefined

/** A column as it was sent. */
export interface RawColumn {
  readonly name: string
  readonly cells: Cell[]
}

/** A table as it was sent, with named columns, without empty rows and repeated headers. */
export interface RawTable {
  readonly source: 'csv' | 'json'
  /** Separator of CSV cells. */
  readonly separator: string
  readonly rowCount: number
  /** The original number of each row, counted from 1, empty rows included. */
  readonly rowNumbers: readonly number[]
  readonly columns: readonly RawColumn[]
  readonly dropped: DroppedRowsAndColumns
}

/**
 * Reads a table's cells; leaves out empty rows and columns.
 * @param wanted names of columns that should be there
 * @param kept names of columns that are kept even when they are empty, so that each row's fault is reported, besides
 *   those wanted
 */
export function readRaw(
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
  const numberingColumns: string[] = []
  const columns = raw.columns.filter(({ name, cells }, index) => {
    if (name !== '' && isKept.has(name)) return true
    if (index === 0 && NUMBERING_NAME.test(name) && isNumbering(cells)) {
      numberingColumns.push(name === '' ? `column ${index + 1}` : name)
      return false
    }
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
  return { ...raw, columns, dropped: { ...raw.dropped, emptyColumns, numberingColumns } }
}

/** Whether cells are distinct whole numbers, as those of rows are. Shuffled rows keep theirs. */
function isNumbering(cells: readonly Cell[]): boolean {
  const texts = cells.map(String)
  return texts.every((text) => /^\d{1,15}$/.test(text)) && new Set(texts).size === texts.length
}

function isRows(source: TableSource): source is readonly unknown[] {
  return Array.isArray(source)
}

/** Finds a column by name; a difference in case is allowed. */
export function columnNamed({ columns }: RawTable, name: string, action: TableAction): RawColumn | undefined {
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
  let headerRowCount = 0
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
      if (row.isHeader) {
        headerRowCount += 1
        return
      }
      rowNumbers.push(row.number)
      if (row.cells.length > columns.length) {
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
  const dropped = { emptyRowCount, headerRowCount, emptyColumns, numberingColumns: [] }
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
  const emptyRowCount = rows.length - rowCount
  const dropped = { emptyRowCount, headerRowCount: 0, emptyColumns: [], numberingColumns: [] }
  return { source: 'json', separator: ',', rowCount, rowNumbers, columns: [...columns.values()], dropped }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function assertRoom(rowCount: number, columnCount: number, limits: TableLimits): void {
  if (rowCount > limits.maxTrainingRows) {
    throw tooLarge(`more than ${limits.maxTrainingRows} rows (MAX_TRAINING_ROWS)`)
  }
  // Plus one for the label, which is not a feature. Ignored columns count, since their cells are held too.
  if (columnCount > limits.maxTrainingColumns + 1) {
    throw tooLarge(`more than ${limits.maxTrainingColumns} columns beside the label (MAX_TRAINING_COLUMNS)`)
  }
  if (rowCount * columnCount > MAX_TABLE_CELLS) throw tooLarge(`more than ${MAX_TABLE_CELLS} cells`)
}

/** The error for a table that exceeds a limit. */
export function tooLarge(found: string): ServiceError {
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

/** Rows and columns that were left out. Columns without a name are told as `column 3` or `columns 3 to 5`. */
export interface DroppedRowsAndColumns {
  readonly emptyRowCount: number
  /** Number of rows that are the header again. */
  readonly headerRowCount: number
  readonly emptyColumns: readonly string[]
  /** Columns in which a program numbered the rows. */
  readonly numberingColumns: readonly string[]
}
