/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { sharedTurn } from '../reading/shared-turn.ts'
import type { Classifier, PredictOptions } from './classifier.ts'
import type { FeatureTable } from '../table/feature-table.ts'
import type { Prediction } from '../learning/prediction.ts'
import { readFeatureCells } from '../table/feature-columns.ts'
import { withDecimalPoint } from '../table/table-cell.ts'
import { ServiceError } from '../errors.ts'
import { positionsOf, readCsvStream, separatorName, type CsvHeader } from '../table/csv-table.ts'
import type { CsvRow } from '../table/row-reader.ts'
import { predictionCsvHeader, predictionCsvLine, type PredictionDetail } from './prediction-reply.ts'

/** Options of {@link predictCsv}. */
export interface CsvPredictionOptions {
  readonly predict: PredictOptions
  readonly detail: PredictionDetail
  readonly maxTextCharacters: number
  readonly maxBytes: number
  /** The declared charset, as `charsetOf` gives it. */
  readonly charset?: string | undefined
}

/** Number of empty rows between two yields to the event loop: some milliseconds. */
const EMPTY_ROWS_A_TURN = 4096
/** Minimum of the limit on a record's length. A record is parsed on the main thread, which takes some milliseconds. */
const MIN_RECORD_CHARACTERS = 524_288
/** Rows predicted together: enough to fill batches, few enough for a busy service to admit. */
const ROWS_A_BATCH = 64
/** How long to wait for more of the first rows, so that the reply's status can report the faults of a short table. */
const LULL_MS = 200
/** Maximum number of tries to predict a batch while the service is busy. */
const MAX_TRIES = 60
const USUAL_RETRY_SECONDS = 1

const EMPTY_ROW: Row = { problem: 'an empty row' }
const HEADER_ROW: Row = { problem: 'the header again' }

/** The values of a row in the signature's order, or what is wrong with it. */
type Row = ReturnType<typeof readFeatureCells>

/**
 * Predicts CSV while it arrives: one line of CSV for each row, in order. It reads no faster than the caller takes the
 * lines. The header and, if they come soon, the first rows are read before it returns. Empty rows get a line where
 * other rows follow; at the end they are left out.
 * @throws {ServiceError} INVALID_REQUEST when there is no header, it lacks a column, or the first rows are not valid
 *   CSV
 */
export async function predictCsv(
  source: Readable,
  classifier: Classifier,
  options: CsvPredictionOptions
): Promise<AsyncGenerator<string>> {
  const { features } = classifier.version.signature
  const wanted = features.map(({ name }) => name)
  const { charset, maxBytes } = options
  const maxRecordCharacters = Math.max(MIN_RECORD_CHARACTERS, 2 * wanted.length * options.maxTextCharacters)
  const lull = new Lull()
  const table = await readCsvStream(limitBytes(lull.watch(source), maxBytes), {
    wanted,
    charset,
    action: 'predict',
    maxRecordCharacters
  })
  if (table === undefined) throw new ServiceError('INVALID_REQUEST', 'Cannot predict: the CSV has no header line')
  const { names, separator } = table
  let positions: ReadonlyMap<string, number>
  try {
    positions = featurePositions(wanted, table)
  } catch (error) {
    await table.close()
    throw error
  }
  const readRow = ({ cells, isHeader }: CsvRow): Row => {
    if (isHeader) return HEADER_ROW
    if (cells.length > names.length) return { problem: `${cells.length} cells, ${names.length} wanted` }
    const read = features.map(({ name, type }) => {
      const cell = cells[positions.get(name)!]
      return type === 'number' && cell !== undefined ? withDecimalPoint(cell.trim(), separator) : cell
    })
    return readFeatureCells(read, classifier.version.signature, options)
  }
  const rows = readRows(table.rows, readRow)
  const first = readBatch(rows)
  // A client that waits for a line before it sends another row must get its line.
  await Promise.race([first, lull.begun])
  // The stream reports this error when it is read.
  first.catch(() => undefined)
  return linesOf(first, rows, classifier, options)
}

/** Yields a header, then a line for each row. */
async function* linesOf(
  first: Promise<Row[]>,
  rows: AsyncGenerator<Row>,
  classifier: Classifier,
  options: CsvPredictionOptions
): AsyncGenerator<string> {
  const labelType = classifier.version.signature.label.type
  try {
    yield predictionCsvHeader(options.detail)
    let batch = await first
    while (batch.length > 0) {
      yield await predictBatch(classifier, batch, labelType, options)
      batch = await readBatch(rows)
    }
  } finally {
    await rows.return(undefined)
  }
}

/**
 * One row for each row of the table. Empty rows are kept, except at the end, where spreadsheets leave rows that were
 * once edited.
 */
async function* readRows(rows: AsyncIterable<CsvRow>, read: (row: CsvRow) => Row): AsyncGenerator<Row> {
  let emptyCount = 0
  for await (const row of rows) {
    if (row.isEmpty) {
      emptyCount += 1
      continue
    }
    for (; emptyCount > 0; emptyCount -= 1) {
      yield EMPTY_ROW
      // There may be millions of empty rows: yield to others.
      if (emptyCount % EMPTY_ROWS_A_TURN === 0) await sharedTurn()
    }
    yield read(row)
  }
}

/** Detects the first pause of {@link LULL_MS} in a source; the time that its consumer takes does not count. */
class Lull {
  readonly #begun = Promise.withResolvers<void>()
  #hasBegun = false
  #timer: NodeJS.Timeout | undefined
  #look: NodeJS.Immediate | undefined

  get begun(): Promise<void> {
    return this.#begun.promise
  }

  /** Passes on the pieces of the source. */
  async *watch<Piece>(source: AsyncIterable<Piece>): AsyncGenerator<Piece> {
    try {
      this.#wait()
      for await (const piece of source) {
        this.#stop()
        yield piece
        this.#wait()
      }
    } finally {
      this.#stop()
    }
  }

  #wait(): void {
    if (this.#hasBegun) return
    this.#timer = setTimeout(() => {
      // After a long turn of the event loop, timers fire before data that has arrived meanwhile is read.
      this.#look = setImmediate(() => {
        this.#hasBegun = true
        this.#begun.resolve()
      })
    }, LULL_MS)
  }

  #stop(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#look)
  }
}

/** Reads the next batch of rows; fewer at the end. */
async function readBatch(rows: AsyncGenerator<Row>): Promise<Row[]> {
  const batch: Row[] = []
  while (batch.length < ROWS_A_BATCH) {
    const { value, done } = await rows.next()
    if (done === true) break
    batch.push(value)
  }
  return batch
}

/**
 * Finds the columns of the features.
 * @throws {ServiceError} INVALID_REQUEST when the header lacks some, or names one twice
 */
export function featurePositions(
  wanted: readonly string[],
  { names, separator }: CsvHeader
): ReadonlyMap<string, number> {
  const positions = positionsOf(wanted, names, 'predict')
  const missing = wanted.filter((name) => !positions.has(name))
  if (missing.length === 0) return positions
  const found = `it has ${names.length}, separated by ${separatorName(separator)}`
  throw new ServiceError('INVALID_REQUEST', `Cannot predict: the header lacks ${missing.length} columns; ${found}`, {
    fields: Object.fromEntries(missing.map((name) => [name, ['required field']]))
  })
}

async function predictBatch(
  classifier: Classifier,
  batch: readonly Row[],
  labelType: 'text' | 'number',
  { predict, detail }: CsvPredictionOptions
): Promise<string> {
  const read = batch.flatMap((row) => ('values' in row ? [row.values] : []))
  const { features } = classifier.version.signature
  const columns = new Map(
    features.map(({ name, type }, index) => [
      name,
      type === 'number'
        ? Float64Array.from(read, (values) => Number(values[index]))
        : read.map((values) => String(values[index]))
    ])
  )
  const predictions = (await predictPatiently(classifier, { rowCount: read.length, columns }, predict)).values()
  return batch
    .map((row) => predictionCsvLine('problem' in row ? row : predictions.next().value!, labelType, detail))
    .join('')
}

/** Predicts, and waits while the service is busy: an error would discard the lines that were already sent. */
async function predictPatiently(
  classifier: Classifier,
  table: FeatureTable,
  options: PredictOptions
): Promise<readonly Prediction[]> {
  for (let tries = 1; ; tries++) {
    try {
      return (await classifier.predict(table, options)).rows
    } catch (error) {
      const isBusy = error instanceof ServiceError && ['OVERLOADED', 'TOO_MANY_REQUESTS'].includes(error.code)
      if (!isBusy || tries === MAX_TRIES) throw error
      await sleep((error.retryAfterSeconds ?? USUAL_RETRY_SECONDS) * 1000, undefined, { signal: options.signal })
    }
  }
}

/** Passes on at most `maxBytes` bytes, then fails. */
async function* limitBytes(source: AsyncIterable<Uint8Array | string>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let byteCount = 0
  for await (const piece of source) {
    // A request that arrives as an event, not over a socket, is text.
    const chunk = typeof piece === 'string' ? Buffer.from(piece) : piece
    byteCount += chunk.byteLength
    if (byteCount > maxBytes) {
      throw new ServiceError('PAYLOAD_TOO_LARGE', `Cannot predict: the CSV is longer than ${maxBytes} bytes`)
    }
    yield chunk
  }
}
