/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { EncodeOptions, EncodeTimings } from '../embedding/encoder.ts'
import { ServiceError } from '../errors.ts'
import { readTensor, type SentTensor, type Tensor, type TensorSpec } from './tensor.ts'

/** Parameters of a request beside its tensors. */
export type Parameters = Readonly<Record<string, string | number | boolean>>

/** A request to a model. */
export interface Inference {
  /** Input tensors by name: exactly the model's `inputs`. */
  readonly inputs: ReadonlyMap<string, Tensor>
  readonly parameters: Parameters
  /** The caller, its signal and its deadline. */
  readonly options: EncodeOptions
}

/** Result of a request to a model. */
export interface InferenceResult {
  /** One tensor for each of the model's `outputs`. */
  readonly outputs: readonly Tensor[]
  /** Undefined when nothing had to be encoded. */
  readonly timings?: EncodeTimings
}

/** One version of a model: named tensors in, named tensors out. */
export interface InferenceModel {
  readonly name: string
  readonly version: string
  /** Name of its runtime, such as `onnxruntime_onnx`. */
  readonly platform: string
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
  /** @throws {ServiceError} INVALID_REQUEST when the model cannot take the inputs; what encoding throws */
  infer(inference: Inference): Promise<InferenceResult>
}

/** A model by its name. */
export interface ServedModel {
  readonly name: string
  /** Callers that may see the model and send it requests. */
  readonly access: ModelAccess
  /** Versions that can be requested. */
  versions(): Promise<readonly string[]>
  /**
   * Opens a version for inference; undefined when there is none.
   * @param version the live one when left out
   * @throws {ServiceError} UNAVAILABLE while it cannot be loaded
   */
  open(version?: string): Promise<InferenceModel | undefined>
}

/**
 * Access to a model: everyone with a key or token; callers that may use classifiers; callers that may read a mentor.
 */
export type ModelAccess =
  | { readonly kind: 'everyone' }
  | { readonly kind: 'classifier' }
  | { readonly kind: 'mentor'; readonly mentorId: string }

/** Models by name. */
export interface ModelCatalogue {
  /** Finds a model; undefined when there is none of that name. */
  find(name: string): Promise<ServedModel | undefined>
  /** All names, in order. */
  names(): Promise<readonly string[]>
}

/** Joins catalogues; where names are equal the first catalogue wins. */
export function joinCatalogues(catalogues: readonly ModelCatalogue[]): ModelCatalogue {
  return {
    async find(name) {
      for (const catalogue of catalogues) {
        const found = await catalogue.find(name)
        if (found !== undefined) return found
      }
      return undefined
    },
    async names() {
      const names = await Promise.all(catalogues.map(async (catalogue) => catalogue.names()))
      return [...new Set(names.flat())]
    }
  }
}

/**
 * Reads the tensors of a request and converts them to the model's datatypes. A column may be sent as `[n]` or as `[n,
 * 1]`. Numbers of another datatype are accepted where all of them fit.
 * @throws {ServiceError} INVALID_REQUEST that says what was found and what is expected
 */
export function readInputs(specs: readonly TensorSpec[], sent: readonly SentTensor[]): Map<string, Tensor> {
  const wanted = new Map(specs.map((spec) => [spec.name, spec]))
  const inputs = new Map<string, Tensor>()
  for (const tensor of sent) {
    const spec = wanted.get(tensor.name)
    const names = specs.map(({ name }) => name).join(', ')
    if (spec === undefined) throw invalid(`there is no input of one of the names sent; the model takes ${names}`)
    if (inputs.has(spec.name)) throw invalid(`input "${spec.name}" was sent twice`)
    if (!fits(tensor.shape, spec.shape)) {
      throw invalid(`input "${spec.name}" has shape [${tensor.shape.join(',')}], wanted is [${spec.shape.join(',')}]`)
    }
    inputs.set(spec.name, convert(readTensor(tensor), spec))
  }
  const missing = specs.filter(({ name }) => !inputs.has(name)).map(({ name }) => name)
  if (missing.length > 0) throw invalid(`input ${missing.join(', ')} is missing`)
  return inputs
}

function fits(shape: readonly number[], wanted: readonly number[]): boolean {
  const isColumn = wanted.length === 1 && shape.length === 2 && shape[1] === 1
  if (shape.length !== wanted.length && !isColumn) return false
  return wanted.every((size, axis) => size === -1 || size === shape[axis])
}

/** Converts a tensor to the model's datatype. */
function convert(tensor: Tensor, { name, datatype, shape }: TensorSpec): Tensor {
  const flat = shape.length === 1 ? { ...tensor, shape: [tensor.shape[0]!] } : tensor
  if (tensor.datatype === datatype) return flat
  if (tensor.datatype === 'BYTES' || datatype === 'BYTES') {
    throw invalid(`input "${name}" has datatype ${tensor.datatype}, wanted is ${datatype}`)
  }
  const data = Array.from<number | bigint, number>(tensor.data, Number)
  return readTensor({ name, datatype, shape: flat.shape, data })
}

function invalid(found: string): ServiceError {
  return new ServiceError('INVALID_REQUEST', `Cannot infer: ${found}`)
}
