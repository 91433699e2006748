/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { Value } from 'typebox/value'
import { ServiceError } from '../errors.ts'
import { greatest } from './candidates.ts'
import type { DecisionRule } from './decision.ts'
import { PORTABLE_PRODUCTS, type EmbeddingProducts } from './embedding-products.ts'
import { softmaxOf, type LogisticModel } from './logistic.ts'
import { ArrayReader, type NumberArray } from './model-arrays.ts'
import type { AskedBeside, Prediction } from './prediction.ts'
import { ridgeClass, ridgeDecisionValues, type RidgeModel } from './ridge.ts'
import { DamagedFileError, sealFile, unsealFile, type PartReader } from '../storage/sealed-file.ts'
import { SoftmaxHeader, softmaxFileOf } from './softmax-file.ts'
import { softmaxPredictor } from './softmax-predictor.ts'
import type { TrainedSoftmax } from './train-softmax.ts'
import type { TrainingSet } from './training-set.ts'

/**
 * Architecture of a classifier. `softmax` reads one embedding, knows its samples and has an off-topic rule; `ridge` is
 * the architecture of the service that this one replaces; `logistic` reads numbers, several embeddings, or both.
 */
export type Architecture = 'softmax' | 'ridge' | 'logistic'

/** Metadata of a model. */
export interface ModelOrigin {
  /** Id of each class, in the order of the labels; for a mentor, ids of answers. */
  readonly classIds: readonly string[]
  /**
   * Revision of the encoder that made the embeddings; the model works with no other. Null for a model without
   * embeddings.
   */
  readonly encoderRevision: string | null
}

export interface LoadOptions {
  /** Decision score below which a `ridge` model refuses a question as off topic. @default -0.631 */
  readonly ridgeOffTopicThreshold?: number
  /** Computes products of embeddings. @default {@link PORTABLE_PRODUCTS} */
  readonly products?: EmbeddingProducts
}

/** Threshold of the service that this one replaces. */
const DEFAULT_RIDGE_OFF_TOPIC_THRESHOLD = -0.631

const FORMAT_VERSION = 1
const MODEL_FILE = { magic: 'SBCM', format: FORMAT_VERSION }

const Sizes = {
  format: Type.Literal(FORMAT_VERSION),
  classIds: Type.Array(Type.String(), { minItems: 1 }),
  encoderRevision: Type.Union([Type.String(), Type.Null()]),
  dimensions: Type.Integer({ minimum: 0 })
}

const Header = Type.Union([
  Type.Object({ architecture: Type.Literal('ridge'), ...Sizes }),
  Type.Object({ architecture: Type.Literal('softmax'), ...Sizes, ...SoftmaxHeader }),
  Type.Object({ architecture: Type.Literal('logistic'), ...Sizes, numberCount: Type.Integer({ minimum: 0 }) })
])
type Header = Static<typeof Header>

/**
 * A trained model as bytes.
 *
 * A sealed file `SBCM` (`sealFile`), little-endian, with these parts:
 * ridge: coefficients (f64, targets × d), intercepts (f64); softmax: {@link softmaxFileOf};
 * logistic: means (f64, m numbers), scales (f64), coefficients (f32, classes × (d + m)), intercepts (f32).
 */
export type ModelBytes = Uint8Array

/** Packs a ridge model. */
export function packRidgeModel(model: RidgeModel, origin: ModelOrigin): ModelBytes {
  assertClassCount(origin, model.classCount)
  const header: Header = {
    format: FORMAT_VERSION,
    architecture: 'ridge',
    classIds: [...origin.classIds],
    encoderRevision: origin.encoderRevision,
    dimensions: model.dimensions
  }
  return pack(header, [model.coefficients, model.intercepts])
}

/**
 * Packs a logistic model.
 * @param dimensions total dimensions of the embeddings of all text columns; 0 without any
 */
export function packLogisticModel(model: LogisticModel, dimensions: number, origin: ModelOrigin): ModelBytes {
  const { softmax, standardisation } = model
  const numberCount = standardisation.means.length
  assertClassCount(origin, softmax.classCount)
  if (softmax.dimensions !== dimensions + numberCount) {
    throw new RangeError(`Cannot pack the model: ${softmax.dimensions} features, ${dimensions} + ${numberCount} wanted`)
  }
  const header: Header = {
    format: FORMAT_VERSION,
    architecture: 'logistic',
    classIds: [...origin.classIds],
    encoderRevision: origin.encoderRevision,
    dimensions,
    numberCount
  }
  const { means, scales } = standardisation
  return pack(header, [means, scales, softmax.coefficients, softmax.intercepts])
}

/**
 * Packs a softmax model: {@link softmaxFileOf}.
 * @param set the samples that it was trained on
 */
export function packSoftmaxModel(
  trained: DecisionRule & Pick<TrainedSoftmax, 'softmax'>,
  set: TrainingSet,
  origin: ModelOrigin
): ModelBytes {
  assertClassCount(origin, set.classCount)
  const { header, arrays } = softmaxFileOf(trained, set)
  return pack(
    {
      format: FORMAT_VERSION,
      architecture: 'softmax',
      classIds: [...origin.classIds],
      encoderRevision: origin.encoderRevision,
      dimensions: trained.softmax.dimensions,
      ...header
    },
    arrays
  )
}

type Predict = (embedding: Float32Array, topK: number, beside: AskedBeside) => Prediction

/**
 * Limit of standardized numbers, in standard deviations. Larger ones change no probability, but their products could
 * overflow.
 */
const MAX_DISTANCE = 1e30

const NO_NUMBERS = new Float64Array(0)

/** A trained model, ready to answer. */
export class ClassifierModel {
  readonly architecture: Architecture
  readonly classIds: readonly string[]
  readonly encoderRevision: string | null
  /** Total dimensions of the embeddings of all text columns; 0 for a model without any. */
  readonly dimensions: number
  /** Number of numeric features that {@link ClassifierModel.predict} needs besides the embedding. */
  readonly numberCount: number
  /** Approximate memory of the model, in bytes, for caches. */
  readonly byteLength: number
  readonly #predict: Predict

  private constructor(header: Header, byteLength: number, predict: Predict) {
    this.architecture = header.architecture
    this.classIds = header.classIds
    this.encoderRevision = header.encoderRevision
    this.dimensions = header.dimensions
    this.numberCount = header.architecture === 'logistic' ? header.numberCount : 0
    this.byteLength = byteLength
    this.#predict = predict
  }

  /**
   * Loads a model of {@link packRidgeModel}, {@link packSoftmaxModel} or {@link packLogisticModel}; the bytes are
   * copied.
   * @throws {ServiceError} UNAVAILABLE when the bytes are damaged, truncated or of an unknown format
   */
  static load(bytes: ModelBytes, options: LoadOptions = {}): ClassifierModel {
    try {
      const { header, body } = unpack(bytes)
      const predict = predictorOf(header, new ArrayReader(body), options)
      body.assertEnd()
      return new ClassifierModel(header, bytes.byteLength, predict)
    } catch (error) {
      if (!(error instanceof DamagedFileError)) throw error
      throw new ServiceError('UNAVAILABLE', `Cannot load the model: ${error.message}`, { cause: error })
    }
  }

  /**
   * Predicts the class of a question, or of a row of a table.
   * @param embedding L2 norm 1; embeddings of several text columns are concatenated
   * @param topK number of classes to rank, at least 1; `softmax` ranks at most 16
   * @throws RangeError when the embedding does not have the model's dimensions, the number of numbers is wrong, or topK
   *   is below 1
   */
  predict(embedding: Float32Array, topK = 1, beside: AskedBeside = {}): Prediction {
    const { numbers = NO_NUMBERS } = beside
    if (embedding.length !== this.dimensions) {
      throw new RangeError(
        `Cannot classify: the embedding has ${embedding.length} dimensions, the model ${this.dimensions}`
      )
    }
    if (numbers.length !== this.numberCount) {
      throw new RangeError(`Cannot classify: ${numbers.length} numbers, the model wants ${this.numberCount}`)
    }
    if (!(topK >= 1)) throw new RangeError(`Cannot rank ${topK} classes: at least 1 wanted`)
    return this.#predict(embedding, topK, beside)
  }
}

function predictorOf(header: Header, reader: ArrayReader, options: LoadOptions): Predict {
  const { ridgeOffTopicThreshold = DEFAULT_RIDGE_OFF_TOPIC_THRESHOLD, products = PORTABLE_PRODUCTS } = options
  if (header.architecture === 'logistic') return logisticPredictor(header, reader, products)
  if (header.architecture === 'softmax') return softmaxPredictor(header, reader, products)
  return ridgePredictor(header, reader, ridgeOffTopicThreshold)
}

function logisticPredictor(
  header: Extract<Header, { architecture: 'logistic' }>,
  reader: ArrayReader,
  products: EmbeddingProducts
): Predict {
  const { classIds, dimensions, numberCount } = header
  const classCount = classIds.length
  const means = reader.read(Float64Array, numberCount)
  const scales = reader.read(Float64Array, numberCount)
  const columns = dimensions + numberCount
  const coefficients = reader.read(Float32Array, classCount * columns)
  const intercepts = reader.read(Float32Array, classCount)
  return (embedding, topK, { numbers = NO_NUMBERS }) => {
    const logits = Float64Array.from(intercepts, (intercept, k) => {
      let logit = intercept
      for (let j = 0; j < numberCount; j++) {
        const distance = (numbers[j]! - means[j]!) / scales[j]!
        logit += coefficients[k * columns + dimensions + j]! * Math.max(-MAX_DISTANCE, Math.min(MAX_DISTANCE, distance))
      }
      return logit
    })
    if (dimensions > 0) products.addProducts(embedding, coefficients, columns, logits)
    const probabilities = softmaxOf(logits)
    const ranked = greatest(probabilities, topK).map((k) => ({ classId: classIds[k]!, confidence: probabilities[k]! }))
    return { ...ranked[0]!, isOffTopic: false, topicScore: ranked[0]!.confidence, ranked }
  }
}

function ridgePredictor(header: Header, reader: ArrayReader, threshold: number) {
  const { classIds, dimensions } = header
  const classCount = classIds.length
  const targetCount = classCount > 2 ? classCount : 1
  const coefficients = reader.read(Float64Array, targetCount * dimensions)
  const intercepts = reader.read(Float64Array, targetCount)
  const model: RidgeModel = { classCount, dimensions, coefficients, intercepts }
  return (embedding: Float32Array, topK: number): Prediction => {
    const values = ridgeDecisionValues(model, embedding)
    const predicted = ridgeClass(values, classCount)
    const confidence = values[classCount > 2 ? predicted : 0]!
    // The single score of two classes is that of the second; the first has its negative.
    const byClass = classCount === 2 ? Float64Array.of(-confidence, confidence) : values
    return {
      classId: classIds[predicted]!,
      confidence,
      isOffTopic: confidence < threshold,
      topicScore: confidence,
      ranked: greatest(byClass, topK).map((k) => ({ classId: classIds[k]!, confidence: byClass[k]! }))
    }
  }
}

function pack(header: Header, arrays: readonly NumberArray[]): ModelBytes {
  const bytes = arrays.map((array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
  return sealFile(MODEL_FILE, header, bytes)
}

function unpack(bytes: ModelBytes): { header: Header; body: PartReader } {
  const { header, body } = unsealFile(MODEL_FILE, bytes)
  if (!Value.Check(Header, header)) throw new DamagedFileError('the header lacks a field')
  return { header, body }
}

function assertClassCount({ classIds }: ModelOrigin, classCount: number): void {
  if (classIds.length !== classCount) {
    throw new RangeError(`Cannot pack the model: ${classIds.length} class ids for ${classCount} classes`)
  }
}
