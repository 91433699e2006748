/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Transform, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { CsvError, parse, type Parser } from 'csv-parse'
import type { Classifier, FeatureTable, PredictOptions } from '../classifier/classifier.ts'
import type { Prediction } from '../classifier/classifier-model.ts'
import { readFeatureCells } from '../classifier/feature-columns.ts'
import { ServiceError } from '../errors.ts'
import { predictionCsvHeader, predictionCsvLine, type PredictionDetail } from './prediction-reply.ts'

/** How to predict a stream of CSV. */
export interface CsvPredictionOptions {
  readonly predict: PredictOptions
  readonly detail: PredictionDetail
  readonly maxTextCharacters: number
  readonly maxBytes: number
}

/** Rows predicted together: many enough to fill batches, few enough to be taken by a busy service. */
const ROWS_A_BATCH = 64
/** Lines joined to one chunk of the reply. */
const MAX_LINE_CHARACTERS = 4_194_304
/** How often a batch is handed in again that a busy service had no room for. */
const MAX_TRIES = 60
const USUAL_RETRY_SECONDS = 1

/** The values of a row in the signature's order, or what is wrong with it. */
type Row = ReturnType<typeof readFeatureCells>

/**
 * Predicts CSV as it comes in: a line of CSV for each row, in order. No more is read than has been predicted and taken away.
 * Reads the header before it gives anything.
 * @throws {ServiceError} INVALID_REQUEST when there is no header, or it lacks a column
 */
export async function predictCsv(
  source: Readable,
  classifier: Classifier,
  options: CsvPredictionOptions
): Promise<AsyncGenerator<string>> {
  const parser = parse({
    bom: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: MAX_LINE_CHARACTERS
  })
  // What ends one end of it ends all; whoever reads from the parser hears of it there.
  pipeline(source, limitBytes(options.maxBytes), parser).catch(() => undefined)
  const records = recordsOf(parser)
  const header = await records.next()
  if (header.done === true) throw new ServiceError('INVALID_REQUEST', 'Cannot predict: the CSV has no header line')
  const names = header.value.map((name) => name.trim())
  const { features, label } = classifier.version.signature
  const missing = features.filter(({ name }) => !names.includes(name))
  if (missing.length > 0) {
    parser.destroy()
    throw new ServiceError('INVALID_REQUEST', `Cannot predict: the header lacks ${missing.length} columns`, {
      fields: Object.fromEntries(missing.map(({ name }) => [name, ['required field']]))
    })
  }
  const positions = features.map(({ name }) => names.indexOf(name))
  async function* lines(): AsyncGenerator<string> {
    yield predictionCsvHeader(options.detail)
    let batch: Row[] = []
    for await (const record of records) {
      const cells = positions.map((position) => record[position])
      batch.push(
        record.length === names.length
          ? readFeatureCells(cells, classifier.version.signature, options)
          : { problem: `${record.length} cells, ${names.length} wanted` }
      )
      if (batch.length < ROWS_A_BATCH) continue
      yield await predictBatch(classifier, batch, label.type, options)
      batch = []
    }
    if (batch.length > 0) yield await predictBatch(classifier, batch, label.type, options)
  }
  return lines()
}

async function* recordsOf(parser: Parser): AsyncGenerator<readonly string[]> {
  try {
    for await (const record of parser) yield record
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    // The error's own message quotes the text.
    const line = typeof error['lines'] === 'number' ? error['lines'] : 1
    throw new ServiceError('INVALID_REQUEST', `Cannot predict: line ${line} is no CSV (${error.code})`)
  }
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
function limitBytes(maxBytes: number): Transform {
  let byteCount = 0
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      byteCount += chunk.byteLength
      if (byteCount <= maxBytes) done(null, chunk)
      else done(new ServiceError('PAYLOAD_TOO_LARGE', `Cannot predict: the CSV is longer than ${maxBytes} bytes`))
    }
  })
}
