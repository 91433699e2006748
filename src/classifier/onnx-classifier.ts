/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Encoder, EncodeOptions, EncodeTimings } from '../embedding/encoder.ts'
import { ServiceError } from '../errors.ts'
import type { OnnxProcessPool, OnnxTensor, RunnableModel } from '../onnx/onnx-process-pool.ts'
import type { Prediction } from '../learning/prediction.ts'
import { addTimings, type Classifier, type PredictOptions, type Predictions } from './classifier.ts'
import { columnsOf, type FeatureTable, type ValuedColumn } from '../table/feature-table.ts'
import { greatest } from '../learning/candidates.ts'
import type { ModelVersion } from '../versions/model-store.ts'
import type { OnnxBinding } from '../versions/onnx-binding.ts'
import type { Column } from '../table/signature.ts'

/** Rows of one run of a model; the time limit applies to a run. */
const ROWS_A_RUN = 256
/** Allowed difference of a row's sum of probabilities from 1: float32 with many classes, and rounding in the model. */
const SUM_TOLERANCE = 0.01

/** Options of {@link runOnnx}. */
export interface OnnxRunOptions {
  readonly model: RunnableModel
  readonly binding: OnnxBinding
  readonly pool: OnnxProcessPool
  readonly encoder: Encoder
}

/** A classifier that runs a model that a user uploaded, in a separate process. */
export class OnnxClassifier implements Classifier {
  readonly version: ModelVersion
  readonly #options: OnnxRunOptions

  constructor(version: ModelVersion, options: OnnxRunOptions) {
    this.version = version
    this.#options = options
  }

  get classIds(): readonly string[] {
    return this.#options.binding.classIds
  }

  /** @throws {ServiceError} also UNPROCESSABLE when the model fails, exceeds its limits or gives no probabilities */
  async predict(table: FeatureTable, { topK = 1, ...encodeOptions }: PredictOptions): Promise<Predictions> {
    const columns = columnsOf(table, this.version.signature)
    const rows: Prediction[] = []
    let timings: EncodeTimings | undefined
    for (let from = 0; from < table.rowCount; from += ROWS_A_RUN) {
      const count = Math.min(ROWS_A_RUN, table.rowCount - from)
      const some = columns.map((column) => ({ ...column, values: column.values.slice(from, from + count) }))
      const run = await runOnnx(this.#options, some, count, encodeOptions)
      for (let row = 0; row < count; row++) rows.push(predictionOf(run.probabilities[row]!, this.classIds, topK))
      if (run.timings !== undefined) timings = addTimings(timings, run.timings)
    }
    return { rows, timings }
  }
}

/**
 * Runs a model on rows.
 * @returns probabilities of each row, in the order of the classes
 * @throws {ServiceError} UNPROCESSABLE when the output is not such probabilities
 */
export async function runOnnx(
  { model, binding, pool, encoder }: OnnxRunOptions,
  columns: readonly ValuedColumn[],
  rowCount: number,
  options: EncodeOptions
): Promise<{ probabilities: readonly Float64Array[]; timings: EncodeTimings | undefined }> {
  let timings: EncodeTimings | undefined
  const embeddings = new Map<string, Float32Array>()
  for (const { name, values } of columns) {
    if (values instanceof Float64Array || !wantsEmbedding(binding, name)) continue
    const encoded = await encoder.encode(values, options)
    embeddings.set(name, encoded.values)
    timings = addTimings(timings, encoded.timings)
  }
  const inputs =
    binding.inputs.kind === 'matrix'
      ? [matrixOf(binding.inputs, columns, embeddings, rowCount)]
      : binding.inputs.columns.map((bound) => {
          const column = columns.find(({ name }) => name === bound.name)
          if (column === undefined) throw new Error('A model is bound to a column that it does not have: this is a bug')
          return columnTensor(bound, column.values, embeddings.get(bound.name), rowCount)
        })
  const [output] = await pool.run(model, inputs, [binding.output])
  return { probabilities: probabilitiesOf(output, rowCount, binding.classIds.length), timings }
}

function wantsEmbedding({ inputs }: OnnxBinding, name: string): boolean {
  return inputs.kind === 'matrix' || inputs.columns.some((bound) => bound.name === name && bound.type !== 'string')
}

/** Makes the input matrix: the embeddings, then the numbers of each row. */
function matrixOf(
  { name, type }: Extract<OnnxBinding['inputs'], { kind: 'matrix' }>,
  columns: readonly ValuedColumn[],
  embeddings: ReadonlyMap<string, Float32Array>,
  rowCount: number
): OnnxTensor {
  const parts = columns.map((column) => {
    const values = embeddings.get(column.name) ?? Float64Array.from(column.values, Number)
    return { values, width: rowCount === 0 ? 0 : values.length / rowCount }
  })
  const width = parts.reduce((sum, part) => sum + part.width, 0)
  const matrix = new Float64Array(rowCount * width)
  for (let row = 0, at = 0; row < rowCount; row++) {
    for (const part of parts) {
      matrix.set(part.values.subarray(row * part.width, (row + 1) * part.width), at)
      at += part.width
    }
  }
  const shape = [rowCount, width]
  if (type === 'float64') return { name, type, shape, data: matrix }
  if (type === 'float32') return { name, type, shape, data: Float32Array.from(matrix) }
  for (const { name: column, values } of columns) checkWhole(column, Float64Array.from(values, Number))
  return { name, type, shape, data: BigInt64Array.from(matrix, BigInt) }
}

/** @throws {ServiceError} INVALID_REQUEST */
function checkWhole(name: string, numbers: Float32Array | Float64Array): void {
  if (numbers.every((number) => Number.isSafeInteger(number))) return
  throw new ServiceError('INVALID_REQUEST', 'Cannot predict: the model accepts only whole numbers in a column', {
    fields: { [name]: ['whole numbers wanted'] }
  })
}

function columnTensor(
  { name, type, isFlat }: Extract<OnnxBinding['inputs'], { kind: 'columns' }>['columns'][number],
  values: readonly string[] | Float64Array,
  embedding: Float32Array | undefined,
  rowCount: number
): OnnxTensor {
  const shape = isFlat ? [rowCount] : [rowCount, embedding === undefined ? 1 : embedding.length / rowCount]
  if (type === 'string') return { name, type, shape, data: Array.from(values, String) }
  const numbers = embedding ?? Float64Array.from(values, Number)
  if (type === 'float32') return { name, type, shape, data: Float32Array.from(numbers) }
  if (type === 'float64') return { name, type, shape, data: Float64Array.from(numbers) }
  checkWhole(name, numbers)
  return { name, type, shape, data: BigInt64Array.from(numbers, BigInt) }
}

function probabilitiesOf(output: OnnxTensor | undefined, rowCount: number, classCount: number): Float64Array[] {
  const isMatrix = output?.shape.length === 2 && output.shape[0] === rowCount && output.shape[1] === classCount
  if (!isMatrix || (output.type !== 'float32' && output.type !== 'float64')) {
    const found = output === undefined ? 'nothing' : `${output.type}[${output.shape.join(',')}]`
    throw noProbabilities(`it gave ${found}, a float [${rowCount},${classCount}] is wanted`)
  }
  return Array.from({ length: rowCount }, (_, row) => {
    const probabilities = Float64Array.from(output.data.subarray(row * classCount, (row + 1) * classCount))
    const sum = probabilities.reduce((total, probability) => total + probability, 0)
    // False for NaN too.
    const isShare = (probability: number): boolean => probability >= -SUM_TOLERANCE && probability <= 1 + SUM_TOLERANCE
    if (!(Math.abs(sum - 1) <= SUM_TOLERANCE && probabilities.every(isShare))) {
      throw noProbabilities('what it gave is below 0 or does not add up to 1: end it with Softmax')
    }
    return probabilities.map((probability) => Math.min(1, Math.max(0, probability)))
  })
}

function predictionOf(probabilities: Float64Array, classIds: readonly string[], topK: number): Prediction {
  const ranked = greatest(probabilities, Math.min(topK, classIds.length)).map((k) => ({
    classId: classIds[k]!,
    confidence: probabilities[k]!
  }))
  const best = ranked[0]!
  return { ...best, isOffTopic: false, topicScore: best.confidence, ranked }
}

function noProbabilities(found: string): ServiceError {
  return new ServiceError('UNPROCESSABLE', `Cannot use the model: ${found}`)
}

/** Columns of the trial rows: zeros and short texts. */
export function trialColumns(features: readonly Column[], rowCount: number): ValuedColumn[] {
  return features.map(({ name, type }) => ({
    name,
    values: type === 'number' ? new Float64Array(rowCount) : Array.from({ length: rowCount }, () => 'text')
  }))
}
