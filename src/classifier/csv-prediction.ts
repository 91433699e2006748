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
/** How often a batch is sent again when a busy service had no room for it. */
const MAX_TRIES = 60
const USUAL_RETRY_SECONDS = 1

const EMPTY_ROW: Row = { problem: 'an empty row' }

/** The values of a row in the signature's order, or what is wrong with it. */
type Row = ReturnType<typeof readFeatureCells>

/**
 * Predicts CSV while it arrives: a line of CSV for each row, in order. No more is read than has been predicted and taken away.
 * Reads the header before it gives anything. Rows that are wholly empty are told where others follow; at the end they are left out.
 * @throws {ServiceError} INVALID_REQUEST when there is no header, or it lacks a column
 */
export async function predictCsv(
  source: Readable,
  classifier: Classifier,
  options: CsvPredictionOptions
): Promise<AsyncGenerator<string>> {
  const { features, label } = classifier.version.signature
  const wanted = features.map(({ name }) => name)
  const { charset, maxBytes } = options
  const maxRecordCharacters = Math.max(MIN_RECORD_CHARACTERS, 2 * wanted.length * options.maxTextCharacters)
  const table = await readCsvStream(limitBytes(source, maxBytes), {
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
  async function* lines(): AsyncGenerator<string> {
    yield predictionCsvHeader(options.detail)
    let batch: Row[] = []
    for await (const row of readRows(table!.rows, readRow)) {
      batch.push(row)
      if (batch.length < ROWS_A_BATCH) continue
      yield await predictBatch(classifier, batch, label.type, options)
      batch = []
    }
    if (batch.length > 0) yield await predictBatch(classifier, batch, label.type, options)
  }
  return lines()
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
