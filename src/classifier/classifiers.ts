/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Encoder, EncodeTimings } from '../embedding/encoder.ts'
import { nextTurn } from '../embedding/similarity.ts'
import { ServiceError } from '../errors.ts'
import type { OnnxProcessPool } from '../onnx/onnx-process-pool.ts'
import type { ClassifierModel } from '../learning/classifier-model.ts'
import type { Prediction } from '../learning/prediction.ts'
import { addTimings, type Classifier, type PredictOptions, type Predictions } from './classifier.ts'
import { columnsOf, type FeatureTable } from '../table/feature-table.ts'
import { modelKey, type LoadedModels } from '../versions/loaded-models.ts'
import { classifierModelName, mentorModelName } from '../versions/model-name.ts'
import type { ModelStore, ModelVersion } from '../versions/model-store.ts'
import { OnnxClassifier } from './onnx-classifier.ts'
import type { PredictionObserver } from '../versions/prediction-observer.ts'
import { ObservedClassifier } from './observed-classifier.ts'

/** Dependencies of {@link Classifiers}. */
export interface ClassifiersDependencies {
  readonly models: Pick<ModelStore, 'find' | 'liveVersion' | 'read' | 'report'>
  /** Models by keys of `modelKey`. */
  readonly loadedModels: LoadedModels
  readonly encoder: Encoder
  /** Runs models that users uploaded; without it these are unavailable. */
  readonly onnxProcesses?: OnnxProcessPool | undefined
  /** Observes predictions. @default none */
  readonly observer?: PredictionObserver | undefined
}

/** Rows whose texts are encoded in one call. */
const ROWS_A_CALL = 512
/** Number of rows predicted between two yields to the event loop: some milliseconds. */
const ROWS_A_TURN = 32

/**
 * Opens classifiers by name. The live version is looked up each time, so a version that another process trained is used
 * at once.
 */
export class Classifiers {
  readonly #dependencies: ClassifiersDependencies

  constructor(dependencies: ClassifiersDependencies) {
    this.#dependencies = dependencies
  }

  /**
   * Opens a version of a classifier.
   * @param version the live one when left out
   * @throws {ServiceError} NOT_FOUND when there is none, or it was trained with another encoder
   */
  async open(classifier: string, version?: number): Promise<Classifier> {
    return this.#open(classifierModelName(classifier), `classifier ${classifier}`, version)
  }

  /** Opens the classifier of a mentor's questions, as {@link Classifiers.open}. */
  async openMentor(mentorId: string, version?: number): Promise<Classifier> {
    return this.#open(mentorModelName(mentorId), `mentor ${mentorId}`, version)
  }

  async #open(name: string, owner: string, version: number | undefined): Promise<Classifier> {
    const { models, encoder, observer } = this.#dependencies
    const number = version ?? (await models.liveVersion(name))
    const found = number === undefined ? undefined : await models.find(name, number)
    const classifier = found && (await this.#load(name, found))
    if (found === undefined || classifier === undefined) {
      const wanted = version === undefined ? '' : ` of version ${version}`
      throw new ServiceError('NOT_FOUND', `No models found for ${owner}${wanted}.`)
    }
    if (found.encoderRevision !== null && found.encoderRevision !== encoder.revision) {
      throw new ServiceError(
        'NOT_FOUND',
        `No models found for ${owner}. Version ${found.version} was trained with another encoder: train again`
      )
    }
    return observer === undefined ? classifier : new ObservedClassifier(name, classifier, models, observer)
  }

  async #load(name: string, version: ModelVersion): Promise<Classifier | undefined> {
    const { models, loadedModels, encoder, onnxProcesses: pool } = this.#dependencies
    if (version.onnx === undefined) {
      const model = await loadedModels.get(modelKey(name, version.version))
      return model && new VectorClassifier(version, model, encoder)
    }
    if (pool === undefined) {
      throw new ServiceError('UNAVAILABLE', 'Cannot open the model: models that users bring are turned off here')
    }
    const read = async () => {
      const bytes = await models.read(name, version.version)
      if (bytes === undefined) throw new ServiceError('NOT_FOUND', 'Cannot open the model: it was deleted meanwhile')
      return bytes
    }
    return new OnnxClassifier(version, {
      model: { key: version.modelHash, read },
      binding: version.onnx,
      pool,
      encoder
    })
  }
}

/** A model of embeddings and numbers. */
class VectorClassifier implements Classifier {
  readonly version: ModelVersion
  readonly #model: ClassifierModel
  readonly #encoder: Encoder

  constructor(version: ModelVersion, model: ClassifierModel, encoder: Encoder) {
    this.version = version
    this.#model = model
    this.#encoder = encoder
  }

  get classIds(): readonly string[] {
    return this.#model.classIds
  }

  async predict(table: FeatureTable, { topK = 1, ...encodeOptions }: PredictOptions): Promise<Predictions> {
    const columns = columnsOf(table, this.version.signature)
    const texts = columns.flatMap(({ values }) => (values instanceof Float64Array ? [] : [values]))
    const numbers = columns.flatMap(({ values }) => (values instanceof Float64Array ? [values] : []))
    const rows: Prediction[] = []
    let timings: EncodeTimings | undefined
    for (let from = 0; from < table.rowCount; from += ROWS_A_CALL) {
      const to = Math.min(table.rowCount, from + ROWS_A_CALL)
      const embedded: Float32Array[] = []
      for (const column of texts) {
        const embeddings = await this.#encoder.encode(column.slice(from, to), encodeOptions)
        embedded.push(embeddings.values)
        timings = addTimings(timings, embeddings.timings)
      }
      for (let row = from; row < to; row++) {
        if (row % ROWS_A_TURN === ROWS_A_TURN - 1) await nextTurn(encodeOptions.signal)
        const embedding = this.#embeddingOf(embedded, row - from)
        rows.push(
          this.#model.predict(embedding, topK, {
            numbers: Float64Array.from(numbers, (column) => column[row]!),
            text: texts.length === 1 ? texts[0]![row] : undefined
          })
        )
      }
    }
    return { rows, timings }
  }

  /** Concatenates the embeddings of a row's texts. */
  #embeddingOf(columns: readonly Float32Array[], row: number): Float32Array {
    const { dimensions } = this.#encoder
    const partOf = (values: Float32Array) => values.subarray(row * dimensions, (row + 1) * dimensions)
    const [first] = columns
    if (columns.length === 1 && first !== undefined) return partOf(first)
    const embedding = new Float32Array(columns.length * dimensions)
    for (const [index, values] of columns.entries()) embedding.set(partOf(values), index * dimensions)
    return embedding
  }
}
