/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { sharedTurn } from '../reading/shared-turn.ts'
import { CsvError, parse as createParser, type CastingContext, type Options } from 'csv-parse'
import { parse } from 'csv-parse/sync'
import { ServiceError } from '../errors.ts'
import { decodeTable, TextReader } from '../reading/text-reader.ts'
import { RowReader, type CsvRow } from './row-reader.ts'

/** Options of reading a table. */
export interface CsvOptions {
  /** Names of expected columns: the separator that finds them is used. */
  readonly wanted: readonly string[]
  /** The declared charset. */
  readonly charset?: string | undefined
  /** What fails when the table cannot be read, as in "Cannot predict". */
  readonly action: string
  /**
   * Whether `NA` without quotes is an empty cell in a table whose header has quotes: R writes texts in quotes, and what is
   * missing as `NA` without.
   */
  readonly hasMissingTexts?: boolean
  /** Maximum length of a record, the header included. @default {@link MAX_RECORD_CHARACTERS} */
  readonly maxRecordCharacters?: number
}

/** A table's header, which is its first row that is not empty, and the separator. */
export interface CsvHeader {
  /** Trimmed names. Empty ones at the end are left out; others may be empty. */
  readonly names: readonly string[]
  /** Number of cells of the header, including empty ones at its end. */
  readonly width: number
  readonly separator: string
}

/** A whole table. */
export interface CsvTable extends CsvHeader {
  /** The rows that are neither empty nor the header again. */
  readonly rows: readonly CsvRow[]
  readonly emptyRowCount: number
  readonly headerRowCount: number
}

/** A table that is read as a stream. */
export interface CsvStream extends CsvHeader {
  readonly rows: AsyncGenerator<CsvRow>
  /** Ends the source too. */
  close(): Promise<void>
}

/** Separators, in order of preference where nothing else decides. */
const SEPARATORS = [',', ';', '\t', '|'] as const
/** Line ends; one file may mix them when several programs wrote it. */
const LINE_ENDS = ['\r\n', '\n', '\r']
const SEPARATOR_CODES: ReadonlySet<number> = new Set(SEPARATORS.map((separator) => separator.charCodeAt(0)))
const LINE_FEED = 10
const CARRIAGE_RETURN = 13
/** Maximum number of separators in a line of a stream, including those in quoted cells. */
const MAX_STREAM_CELLS = 50_000
/** Characters of a stream that are parsed at once: some milliseconds at worst. */
const PIECE_CHARACTERS = 2048
/** Time between two yields to the event loop while rows of a stream are read. */
const TURN_MS = 5
/** Default maximum length of a record. */
const MAX_RECORD_CHARACTERS = 4_194_304
/** A first line that names the separator: spreadsheets write and read it. */
const SEPARATOR_LINE = /^"?sep=([^"\r\n])"?(?:\r\n|\n|\r(?!$))/i
/** The beginning of a {@link SEPARATOR_LINE} whose rest may follow. */
const CUT_SEPARATOR_LINE = /^"?(?:s|se|sep|sep=[^"\r\n]?"?\r?)?$/i

/**
 * Reads a table row by row: CSV as spreadsheets, databases and scripts write it. The separator is a comma, semicolon,
 * tab or bar, found from the header or a line `sep=;` before it. Lines end with CR LF, LF or CR, also mixed. The
 * charset is UTF-8, UTF-16 with a byte order mark, or the declared one. Blank lines are skipped.
 * @param table the bytes, or the decoded text
 * @param onHeader called first, unless the table is empty
 * @param onRow called for each row; may throw to end the reading
 * @throws {ServiceError} INVALID_REQUEST when it cannot be read
 */
export function visitCsv(
  table: Uint8Array | string,
  options: CsvOptions,
  onHeader: (header: CsvHeader) => void,
  onRow: (row: CsvRow) => void
): void {
  const text = typeof table === 'string' ? table.replace(/^\uFEFF/, '') : decodeTable(table, options.charset)
  const { separator, skipped, skippedLines } = dialectOf(text, options)
  const rows = new RowReader(skippedLines)
  try {
    parse(text.slice(skipped), {
      ...parserOptions(separator, options),
      ...(options.hasMissingTexts === true && text[skipped] === '"' && { cast: emptyIfMissing }),
      on_record: (record: string[], { lines }) => {
        const row = rows.read(record, lines)
        if (row === undefined) onHeader({ names: rows.names, width: rows.width, separator })
        else if (row !== 'none') onRow(row)
        return null
      }
    })
  } catch (error) {
    throw unreadable(error, separator, skippedLines, options)
  }
}

/** Reads a whole table, as {@link visitCsv}. @returns no names when the table is empty */
export function readCsv(table: Uint8Array | string, options: CsvOptions): CsvTable {
  let header: CsvHeader = { names: [], width: 0, separator: ',' }
  const rows: CsvRow[] = []
  let emptyRowCount = 0
  let headerRowCount = 0
  visitCsv(
    table,
    options,
    (found) => (header = found),
    (row) => {
      if (row.isEmpty) emptyRowCount += 1
      else if (row.isHeader) headerRowCount += 1
      else rows.push(row)
    }
  )
  return { ...header, rows, emptyRowCount, headerRowCount }
}

/**
 * Reads a table while it arrives, as {@link visitCsv}; reads no faster than the rows are taken.
 * @returns the header, and the rows; undefined when the table is empty
 */
export async function readCsvStream(
  source: AsyncIterable<Uint8Array>,
  options: CsvOptions
): Promise<CsvStream | undefined> {
  const { maxRecordCharacters = MAX_RECORD_CHARACTERS } = options
  const texts = decodeStream(source, options)
  let head = ''
  let isWhole = false
  while (!isWhole && head.length <= maxRecordCharacters) {
    const next = await texts.next()
    if (next.done === true) break
    head += next.value
    // Checked only at a line break, so that a long header is not scanned again with each piece.
    isWhole = /[\r\n]/.test(next.value) && hasWholeHeader(head)
  }
  const { separator, skipped, skippedLines } = dialectOf(head, options)
  const rows = new RowReader(skippedLines)
  async function* all(): AsyncGenerator<CsvRow | undefined> {
    const parser = createParser({ ...parserOptions(separator, options), info: true })
    // An error or end of one stream ends the others; the reader of the parser gets the error.
    pipeline(Readable.from(withHead(head.slice(skipped), texts)), parser).catch(() => undefined)
    let turnEndMs = performance.now() + TURN_MS
    try {
      for await (const { record, info } of parser) {
        const row = rows.read(record, info.lines)
        if (row !== 'none') yield row
        // Rows that have arrived are read without yielding, and a piece may have thousands.
        if (performance.now() < turnEndMs) continue
        await sharedTurn()
        turnEndMs = performance.now() + TURN_MS
      }
    } catch (error) {
      throw unreadable(error, separator, skippedLines, options)
    }
  }
  const read = all()
  // The first read sets the header.
  if ((await read.next()).done === true) return undefined
  async function* afterHeader(): AsyncGenerator<CsvRow> {
    for await (const row of read) if (row !== undefined) yield row
  }
  const close = async (): Promise<void> => void (await read.return(undefined))
  return { names: rows.names, width: rows.width, separator, rows: afterHeader(), close }
}

async function* withHead(head: string, rest: AsyncGenerator<string>): AsyncGenerator<string> {
  yield head
  yield* rest
}

/**
 * Finds the columns. A name matches exactly, or else regardless of case when only one column matches.
 * @returns the position of each column that was found
 * @throws {ServiceError} INVALID_REQUEST when a name matches several columns
 */
export function positionsOf(
  wanted: readonly string[],
  names: readonly string[],
  action: string
): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (const name of wanted) {
    const position = positionOf(name, names, action)
    if (position !== undefined) found.set(name, position)
  }
  return found
}

/** Finds one column, as {@link positionsOf}; undefined when it is missing. */
export function positionOf(name: string, names: readonly string[], action: string): number | undefined {
  const exact = positionsWhere(names, (other) => other === name)
  if (exact.length > 1) {
    const columns = columnNumbers(exact)
    throw new ServiceError(
      'INVALID_REQUEST',
      `Cannot ${action}: columns ${columns} are both named ${name}: leave out all but one`,
      { fields: { [name]: [`columns ${columns} have the same name`] } }
    )
  }
  if (exact.length === 1) return exact[0]
  const folded = fold(name)
  const alike = positionsWhere(names, (other) => fold(other) === folded)
  if (alike.length < 2) return alike[0]
  const columns = columnNumbers(alike)
  throw new ServiceError(
    'INVALID_REQUEST',
    `Cannot ${action}: columns ${columns} are both named ${name} but for the case: name one of them exactly so`,
    { fields: { [name]: [`columns ${columns} differ only in case`] } }
  )
}

function positionsWhere(names: readonly string[], isIt: (name: string) => boolean): number[] {
  return names.flatMap((name, index) => (isIt(name) ? [index] : []))
}

/** Numbers of columns, counted from 1. */
function columnNumbers(positions: readonly number[]): string {
  return positions.map((index) => index + 1).join(' and ')
}

/** Describes the columns of a header beyond its names. Their cells must be empty, else their rows are faulty. */
export function describeUnnamed({ names, width }: CsvHeader): string[] {
  if (width === names.length) return []
  const first = names.length + 1
  return [first === width ? `column ${first}` : `columns ${first} to ${width}`]
}

/** Name of a separator in messages. */
export function separatorName(separator: string): string {
  return { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'bar' }[separator] ?? `"${separator}"`
}

function fold(name: string): string {
  return name.trim().toLowerCase()
}

function parserOptions(separator: string, { maxRecordCharacters }: Pick<CsvOptions, 'maxRecordCharacters'>): Options {
  return {
    delimiter: separator,
    record_delimiter: LINE_ENDS,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: maxRecordCharacters ?? MAX_RECORD_CHARACTERS
  }
}

function emptyIfMissing(cell: string, { quoting }: CastingContext): string {
  return cell === 'NA' && !quoting ? '' : cell
}

interface Dialect {
  readonly separator: string
  /** Number of characters before the header. */
  readonly skipped: number
  readonly skippedLines: number
}

/** Detects the separator of a table from its first lines. */
function dialectOf(text: string, options: CsvOptions): Dialect {
  const named = SEPARATOR_LINE.exec(text)
  if (named?.[1] !== undefined) return { separator: named[1], skipped: named[0].length, skippedLines: 1 }
  const header = text.slice(0, headerEnd(text))
  // A header may be long: only separators that it contains are tried.
  const found = SEPARATORS.filter((separator) => header.includes(separator))
  const candidates = (found.length > 0 ? found : SEPARATORS.slice(0, 1)).map((separator) => {
    const names = headerCells(header, separator, options).map(fold)
    const given = new Set(names)
    return { separator, width: names.length, isRight: options.wanted.every((name) => given.has(fold(name))) }
  })
  const right = candidates.filter(({ isRight }) => isRight)
  // Where the names do not decide, the separator with the most columns is used.
  const best = (right.length > 0 ? right : candidates).reduce((most, one) => (one.width > most.width ? one : most))
  return { separator: best.separator, skipped: 0, skippedLines: 0 }
}

/** Cells of the first record that is not empty. Invalid CSV is reported later, when the table is read. */
function headerCells(header: string, separator: string, options: CsvOptions): readonly string[] {
  try {
    const records: string[][] = parse(header, parserOptions(separator, options))
    return records.at(-1) ?? []
  } catch {
    return []
  }
}

function hasWholeHeader(text: string): boolean {
  return !CUT_SEPARATOR_LINE.test(text) && headerEnd(text, SEPARATOR_LINE.exec(text)?.[0].length ?? 0) < text.length
}

/** End of the first record that is not empty; the end of the text when the record is not complete. */
function headerEnd(text: string, from = 0): number {
  let isQuoted = false
  let isFilled = false
  for (let at = from; at < text.length; at += 1) {
    const character = text[at]!
    if (character === '"') isQuoted = !isQuoted
    else if (character === '\n' || character === '\r') {
      if (isFilled && !isQuoted) return at
    } else if (!' ,;\t|'.includes(character)) isFilled = true
  }
  return text.length
}

/**
 * @throws {ServiceError} INVALID_REQUEST when a line has more cells than a table can have: each would become an object
 */
async function* decodeStream(
  source: AsyncIterable<Uint8Array>,
  { charset, action }: CsvOptions
): AsyncGenerator<string> {
  const reader = new TextReader(charset)
  let cellCount = 0
  let turnEndMs = performance.now() + TURN_MS
  for await (const bytes of source) {
    const text = reader.write(bytes)
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at)
      if (code === LINE_FEED || code === CARRIAGE_RETURN) cellCount = 0
      else if (SEPARATOR_CODES.has(code) && (cellCount += 1) > MAX_STREAM_CELLS) {
        throw new ServiceError('INVALID_REQUEST', `Cannot ${action}: a line has more than ${MAX_STREAM_CELLS} cells`)
      }
    }
    // The parser parses a piece without yielding, and is slow for rows that are shorter or longer than the header.
    for (let at = 0; at < text.length; at += PIECE_CHARACTERS) {
      yield text.slice(at, at + PIECE_CHARACTERS)
      if (performance.now() < turnEndMs) continue
      await sharedTurn()
      turnEndMs = performance.now() + TURN_MS
    }
  }
  yield reader.end()
}

function unreadable(error: unknown, separator: string, skippedLines: number, { action }: CsvOptions): unknown {
  if (!(error instanceof CsvError)) return error
  // The error's own message quotes the text.
  const line = (typeof error['lines'] === 'number' ? error['lines'] : 1) + skippedLines
  return new ServiceError(
    'INVALID_REQUEST',
    `Cannot ${action}: line ${line} is not CSV (${error.code}), with ${separatorName(separator)} between cells`
  )
}
