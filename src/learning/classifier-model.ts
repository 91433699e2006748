/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { Value } from 'typebox/value'
import { ServiceError } from '../errors.ts'
import { greatest } from './candidates.ts'
import type { DecisionRule } from './decision.ts'
import { dotFloat32 } from './embedding-products.ts'
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
 * How a classifier decides; the seed's is `ridge`. `softmax` reads one embedding, knows its samples and what is off topic;
 * `logistic` reads numbers, or several embeddings, or both.
 */
export type Architecture = 'softmax' | 'ridge' | 'logistic'

/** What a model is told about itself, beside its numbers. */
export interface ModelOrigin {
  /** Identifier of each class, in the order of the labels: answer ids. */
  readonly classIds: readonly string[]
  /** Revision of the encoder that made the embeddings; a model is of no use with another. Null where none went in. */
  readonly encoderRevision: string | null
}

export interface LoadOptions {
  /** Decision value below which a `ridge` model takes a question as off topic. @default -0.631 */
  readonly ridgeOffTopicThreshold?: number
}

/** The seed's threshold. */
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
 * A trained model as one value of bytes.
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
 * @param dimensions of the embeddings, all text columns together; 0 without any
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
 * @param set what it was trained from
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

/** In standard deviations. Farther ones change no probability, but their products could leave what a number can hold. */
const MAX_DISTANCE = 1e30

const NO_NUMBERS = new Float64Array(0)

/** A trained model, ready to answer. */
export class ClassifierModel {
  readonly architecture: Architecture
  readonly classIds: readonly string[]
  readonly encoderRevision: string | null
  /** Dimensions of the embeddings of all text columns together; 0 for a model without any. */
  readonly dimensions: number
  /** Numbers that {@link ClassifierModel.predict} wants beside the embedding. */
  readonly numberCount: number
  /** Memory that the model holds, in bytes, about: for those who keep several. */
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
   * Reads what {@link packRidgeModel}, {@link packSoftmaxModel} or {@link packLogisticModel} wrote; the bytes are copied.
   * @throws {ServiceError} UNAVAILABLE when they are damaged, cut short or of a format that this version does not know
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
   * @param embedding L2 norm 1; of several text columns one after another
   * @param topK how many classes to rank, at least 1; `softmax` ranks 16 at most
   * @throws RangeError when the embedding has not the model's dimensions, the numbers are too few or many, or topK is below 1
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

function predictorOf(header: Header, reader: ArrayReader, { ridgeOffTopicThreshold }: LoadOptions): Predict {
  if (header.architecture === 'logistic') return logisticPredictor(header, reader)
  if (header.architecture === 'softmax') return softmaxPredictor(header, reader)
  return ridgePredictor(header, reader, ridgeOffTopicThreshold ?? DEFAULT_RIDGE_OFF_TOPIC_THRESHOLD)
}

function logisticPredictor(header: Extract<Header, { architecture: 'logistic' }>, reader: ArrayReader): Predict {
  const { classIds, dimensions, numberCount } = header
  const classCount = classIds.length
  const means = reader.read(Float64Array, numberCount)
  const scales = reader.read(Float64Array, numberCount)
  const columns = dimensions + numberCount
  const coefficients = reader.read(Float32Array, classCount * columns)
  const intercepts = reader.read(Float32Array, classCount)
  return (embedding, topK, { numbers = NO_NUMBERS }) => {
    const logits = Float64Array.from(intercepts, (intercept, k) => {
      let logit = intercept + dotFloat32(embedding, coefficients, k * columns)
      for (let j = 0; j < numberCount; j++) {
        const distance = (numbers[j]! - means[j]!) / scales[j]!
        logit += coefficients[k * columns + dimensions + j]! * Math.max(-MAX_DISTANCE, Math.min(MAX_DISTANCE, distance))
      }
      return logit
    })
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
    // The one value of two classes speaks for the second; for the first it is its opposite.
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
