/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Worker } from 'node:worker_threads'
import type { Encoder } from '../embedding/encoder.ts'
import { ServiceError, type ErrorCode } from '../errors.ts'
import {
  packTraining,
  readTest,
  type PackedTraining,
  type TableFormat,
  type TrainingOptions
} from './training-request.ts'
import type { TableLimits, TestedModel, TestTable } from './training-table.ts'

/** What the thread is given. */
export interface ReadOrder {
  readonly body: Uint8Array<ArrayBuffer>
  readonly format: TableFormat
  readonly options: TrainingOptions
  readonly limits: TableLimits
}

/** What the thread says. */
export type ReadOutcome =
  | { readonly packed: PackedTraining }
  | { readonly refused: { code: ErrorCode; message: string; fields: ServiceError['fields'] } }

/** Below it, reading takes less than to begin a thread. */
const MAX_BYTES_READ_HERE = 65_536
/** Bodies held while another is read. */
const MAX_WAITING = 4
const MAX_THREAD_MEMORY_MB = 1536
const RETRY_AFTER_SECONDS = 5

/** Reads tables to train on. A large one is read in a thread, one at a time, so that it holds up no reply. */
export class TrainingReader {
  readonly #limits: Omit<TableLimits, 'embeddingDimensions'>
  readonly #encoder: Pick<Encoder, 'dimensions'>
  #latest: Promise<unknown> = Promise.resolve()
  #waitingCount = 0

  constructor(limits: Omit<TableLimits, 'embeddingDimensions'>, encoder: Pick<Encoder, 'dimensions'>) {
    this.#limits = limits
    this.#encoder = encoder
  }

  /**
   * As `readTest`, here: for tables of the size of a usual request.
   * @throws {ServiceError} what `readTest` throws
   */
  readTest(body: Uint8Array, format: TableFormat, model: TestedModel): TestTable {
    return readTest(body, format, model, { ...this.#limits, embeddingDimensions: this.#encoder.dimensions })
  }

  /**
   * As `packTraining`.
   * @param body not to be used any more by the caller
   * @throws {ServiceError} what `packTraining` throws; OVERLOADED when others wait already; UNAVAILABLE before the encoder is loaded
   */
  async read(body: Uint8Array, format: TableFormat, options: TrainingOptions): Promise<PackedTraining> {
    const limits = { ...this.#limits, embeddingDimensions: this.#encoder.dimensions }
    if (body.byteLength <= MAX_BYTES_READ_HERE) return packTraining(body, format, options, limits)
    if (this.#waitingCount >= MAX_WAITING) {
      throw new ServiceError('OVERLOADED', 'Cannot read the table: others are being read, come back in a moment', {
        retryAfterSeconds: RETRY_AFTER_SECONDS
      })
    }
    this.#waitingCount += 1
    const order = { body: new Uint8Array(body), format, options, limits }
    const reading = this.#latest.then(() => readInThread(order)).finally(() => (this.#waitingCount -= 1))
    this.#latest = reading.catch(() => undefined)
    return reading
  }
}

async function readInThread(order: ReadOrder): Promise<PackedTraining> {
  const thread = new Worker(new URL('training-reader-worker.ts', import.meta.url), {
    name: 'table',
    workerData: order,
    transferList: [order.body.buffer],
    resourceLimits: { maxOldGenerationSizeMb: MAX_THREAD_MEMORY_MB }
  })
  const { promise, resolve, reject } = Promise.withResolvers<ReadOutcome>()
  thread.once('message', resolve)
  thread.once('error', (error) => {
    const isFull = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    const tooLarge = 'Cannot read the table: it takes more memory than there is for one'
    reject(isFull ? new ServiceError('PAYLOAD_TOO_LARGE', tooLarge) : error)
  })
  thread.once('exit', () => reject(new Error('Cannot read the table: the thread ended without a word')))
  const outcome = await promise
  if ('packed' in outcome) return outcome.packed
  const { code, message, fields } = outcome.refused
  throw new ServiceError(code, message, fields === undefined ? {} : { fields })
}
