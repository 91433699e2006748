/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Encoder } from '../embedding/encoder.ts'
import type { Reader, ReadingLine } from '../reading/reading-line.ts'
import { packTraining, readTest, type PackedTraining, type TableFormat } from './training-request.ts'
import type { TestedModel, TestTable } from './training-table.ts'
import type { TableLimits } from './raw-table.ts'
import type { TableTrainingOptions } from './training-options.ts'

/** Worker data of the thread. */
export interface ReadOrder {
  readonly bytes: Uint8Array
  readonly format: TableFormat
  readonly options: TableTrainingOptions
  readonly limits: TableLimits
}

/** Up to this size, reading takes less time than starting a thread. */
const MAX_BYTES_READ_HERE = 65_536

const THREAD = new URL('training-reader-worker.ts', import.meta.url)

/**
 * Reads tables to train on. A large table waits in the line of large bodies and is read in a thread, so that it holds
 * up no reply.
 */
export class TrainingReader {
  readonly #limits: Omit<TableLimits, 'embeddingDimensions'>
  readonly #encoder: Pick<Encoder, 'dimensions'>
  readonly #line: ReadingLine

  constructor(
    limits: Omit<TableLimits, 'embeddingDimensions'>,
    encoder: Pick<Encoder, 'dimensions'>,
    line: ReadingLine
  ) {
    this.#limits = limits
    this.#encoder = encoder
    this.#line = line
  }

  /**
   * Runs `readTest` on this thread: for tables of the size of a usual request.
   * @throws {ServiceError} what `readTest` throws
   */
  readTest(body: Uint8Array, format: TableFormat, model: TestedModel): TestTable {
    return readTest(body, format, model, { ...this.#limits, embeddingDimensions: this.#encoder.dimensions })
  }

  /**
   * Runs `packTraining`, in a thread for a large table.
   * @param body must not be used by the caller afterwards
   * @throws {ServiceError} what `packTraining` throws; what the line throws when it is full; UNAVAILABLE before the
   *   encoder is loaded
   */
  async read(
    body: Uint8Array,
    format: TableFormat,
    options: TableTrainingOptions,
    reader: Reader
  ): Promise<PackedTraining> {
    const limits = { ...this.#limits, embeddingDimensions: this.#encoder.dimensions }
    if (body.byteLength <= MAX_BYTES_READ_HERE) return packTraining(body, format, options, limits)
    const ofThread = { ...limits, maxJsonHeapBytes: this.#line.maxJsonHeapBytes }
    const order = { bytes: body, format, options, limits: ofThread } satisfies ReadOrder
    return this.#line.read<PackedTraining>(THREAD, order, reader)
  }
}
