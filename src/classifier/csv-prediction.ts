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
import { positionsOf, readCsvStream, separatorName, type CsvHeader, type CsvRow } from '../table/csv-table.ts'
import { predictionCsvHeader, predictionCsvLine, type PredictionDetail } from './prediction-reply.ts'

/** How to predict a stream of CSV. */
export interface CsvPredictionOptions {
  readonly predict: PredictOptions
  readonly detail: PredictionDetail
  readonly maxTextCharacters: number
  readonly maxBytes: number
  /** That was declared, as `charsetOf` gives it. */
  readonly charset?: string | undefined
}

/** Empty rows told in one turn of the event loop: some milliseconds. */
const EMPTY_ROWS_A_TURN = 4096
/** A record may be as long at least: it is read on the main thread, some milliseconds. */
const MIN_RECORD_CHARACTERS = 524_288
/** Rows predicted together: many enough to fill batches, few enough to be taken by a busy service. */
const ROWS_A_BATCH = 64
/** For so long more of the first rows is waited for, so that what is wrong with a short table is told by the status of its reply. */
const LULL_MS = 200
/** How often a batch is sent again when a busy service had no room for it. */
const MAX_TRIES = 60
const USUAL_RETRY_SECONDS = 1

const EMPTY_ROW: Row = { problem: 'an empty row' }

/** The values of a row in the signature's order, or what is wrong with it. */
type Row = ReturnType<typeof readFeatureCells>

/**
 * Predicts CSV while it arrives: a line of CSV for each row, in order. No more is read than has been predicted and taken away.
 * Reads the header and, if they come soon, the first rows before it gives anything. Rows that are wholly empty are told where others follow; at the end they are left out.
 * @throws {ServiceError} INVALID_REQUEST when there is no header, it lacks a column, or the first rows are no CSV
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
  const readRow = ({ cells }: CsvRow): Row => {
    if (cells.length !== names.length) return { problem: `${cells.length} cells, ${names.length} wanted` }
    const read = features.map(({ name, type }) => {
      const cell = cells[positions.get(name)!]
      return type === 'number' && cell !== undefined ? withDecimalPoint(cell.trim(), separator) : cell
    })
    return readFeatureCells(read, classifier.version.signature, options)
  }
  const rows = readRows(table.rows, readRow)
  const first = readBatch(rows)
  // Whoever waits for a line before sending another row is not kept waiting.
  await Promise.race([first, lull.begun])
  // Told by the stream, once that is read.
  first.catch(() => undefined)
  return linesOf(first, rows, classifier, options)
}

/** A line for each row, after a header. */
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

/** Rows in step with those that came: empty ones keep their place, but for those at the end, which a spreadsheet once touched. */
async function* readRows(rows: AsyncIterable<CsvRow>, read: (row: CsvRow) => Row): AsyncGenerator<Row> {
  let emptyCount = 0
  for await (const row of rows) {
    if (row.isEmpty) {
      emptyCount += 1
      continue
    }
    for (; emptyCount > 0; emptyCount -= 1) {
      yield EMPTY_ROW
      // Millions may have been read before this row: others get their turn.
      if (emptyCount % EMPTY_ROWS_A_TURN === 0) await sharedTurn()
    }
    yield read(row)
  }
}

/** The first time that nothing comes from a source for {@link LULL_MS}, whatever time is taken for what has come. */
class Lull {
  readonly #begun = Promise.withResolvers<void>()
  #hasBegun = false
  #timer: NodeJS.Timeout | undefined
  #look: NodeJS.Immediate | undefined

  get begun(): Promise<void> {
    return this.#begun.promise
  }

  /** Gives what the source gives. */
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
      // After a long turn of the event loop a timer is told before what has arrived in the meantime.
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

/** The next rows, as many as are predicted together; fewer at the end. */
async function readBatch(rows: AsyncGenerator<Row>): Promise<Row[]> {
  const batch: Row[] = []
  while (batch.length < ROWS_A_BATCH) {
    const { value, done } = await rows.next()
    if (done === true) break
    batch.push(value)
  }
  return batch
}

/** Where the features are. @throws {ServiceError} INVALID_REQUEST when the header lacks some, or names one twice */
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

/** A stream that is under way waits for its turn: an error would throw away what has been done. */
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

/** Lets so many bytes through and then fails. */
async function* limitBytes(source: AsyncIterable<Uint8Array | string>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let byteCount = 0
  for await (const piece of source) {
    // A request that came by an event, not a socket, is text.
    const chunk = typeof piece === 'string' ? Buffer.from(piece) : piece
    byteCount += chunk.byteLength
    if (byteCount > maxBytes) {
      throw new ServiceError('PAYLOAD_TOO_LARGE', `Cannot predict: the CSV is longer than ${maxBytes} bytes`)
    }
    yield chunk
  }
}
