/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Encoder, Truncate } from '../embedding/encoder.ts'
import { ServiceError } from '../errors.ts'
import type { Inference, InferenceModel, InferenceResult, ModelCatalogue } from './inference-model.ts'
import type { TensorSpec } from './tensor.ts'

/** Limits of the texts of one request; they are settings of {@link Config}. */
export interface TextLimits {
  readonly maxSentences: number
  readonly maxTextCharacters: number
}

const TRUNCATE_VALUES: readonly Truncate[] = ['end', 'start', 'none']

/** Name of the input that holds texts. */
const TEXT_INPUT = 'text'

/**
 * The encoder as tensors: input `text`, n texts; output `embedding`, n × dimensions. The version is the encoder's
 * revision.
 */
class EncoderModel implements InferenceModel {
  readonly name: string
  readonly version: string
  readonly platform = 'onnxruntime_onnx'
  readonly inputs: readonly TensorSpec[] = [{ name: TEXT_INPUT, datatype: 'BYTES', shape: [-1] }]
  readonly outputs: readonly TensorSpec[]
  readonly #encoder: Encoder
  readonly #limits: TextLimits

  /** @throws {ServiceError} UNAVAILABLE while the encoder has not loaded its model */
  constructor(name: string, encoder: Encoder, limits: TextLimits) {
    this.name = name
    this.version = encoder.revision
    this.#encoder = encoder
    this.#limits = limits
    this.outputs = [
      { name: 'embedding', datatype: 'FP32', shape: [-1, encoder.dimensions] },
      { name: 'token_count', datatype: 'INT32', shape: [-1] },
      { name: 'truncated', datatype: 'BOOL', shape: [-1] }
    ]
  }

  async infer({ inputs, parameters, options }: Inference): Promise<InferenceResult> {
    const texts = textsOf(inputs, this.#limits)
    const truncate = TRUNCATE_VALUES.find((value) => value === (parameters['truncate'] ?? 'end'))
    if (truncate === undefined) {
      const found = 'parameter "truncate" is none of'
      throw new ServiceError('INVALID_REQUEST', `Cannot infer: ${found} ${TRUNCATE_VALUES.join(', ')}`)
    }
    const embeddings = await this.#encoder.encode(texts, { ...options, truncate })
    const { values, dimensions, tokenCounts, isTruncated, timings } = embeddings
    const count = texts.length
    return {
      outputs: [
        { name: 'embedding', datatype: 'FP32', shape: [count, dimensions], data: values },
        { name: 'token_count', datatype: 'INT32', shape: [count], data: tokenCounts },
        { name: 'truncated', datatype: 'BOOL', shape: [count], data: Uint8Array.from(isTruncated, Number) }
      ],
      timings
    }
  }
}

/**
 * Reads the texts of the input `text`.
 * @throws {ServiceError} INVALID_REQUEST when there are too many or one is too long
 */
function textsOf(inputs: Inference['inputs'], limits: TextLimits): readonly string[] {
  const tensor = inputs.get(TEXT_INPUT)
  if (tensor?.datatype !== 'BYTES') throw new Error('Cannot infer: the input was not read as texts: this is a bug')
  const { data: texts } = tensor
  if (texts.length > limits.maxSentences) throw tooMany(`${texts.length} texts`, `${limits.maxSentences}`)
  const tooLong = texts.findIndex((text) => text.length > limits.maxTextCharacters)
  if (tooLong >= 0) throw tooMany(`text ${tooLong} has more characters`, `${limits.maxTextCharacters}`)
  return texts
}

function tooMany(found: string, most: string): ServiceError {
  return new ServiceError('INVALID_REQUEST', `Cannot infer: ${found}, at most ${most} are taken`)
}

/** Catalogue of the encoder alone, in its one version. */
export function encoderCatalogue(name: string, encoder: Encoder, limits: TextLimits): ModelCatalogue {
  let model: EncoderModel | undefined
  // The revision is known only once the model is loaded; from then on it stays.
  const open = (): EncoderModel => (model ??= new EncoderModel(name, encoder, limits))
  return {
    find: async (asked) =>
      asked === name
        ? {
            name,
            access: { kind: 'everyone' },
            versions: async () => [open().version],
            open: async (version) => (version === undefined || version === open().version ? open() : undefined)
          }
        : undefined,
    names: async () => [name]
  }
}
