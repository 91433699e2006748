/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// What the graphs and the native encoder's weights make of a source model's tensors alike.

import { add, divideOutputs, multiply, type ActivationStatistics } from './quantize.ts'
import type { SourceModel } from './source-model.ts'

/** A layer's weights: outputs × inputs, row-major. */
export function weightsOf(model: SourceModel, layer: string): Float32Array {
  return model.tensor(`${layer}.weight`).data
}

/** A layer's bias: one for each output. */
export function biasOf(model: SourceModel, layer: string): Float32Array {
  return model.tensor(`${layer}.bias`).data
}

/**
 * What calibration has found of a layer's inputs.
 * @throws Error when it was not calibrated
 */
export function activationsOf(
  activations: ReadonlyMap<string, ActivationStatistics>,
  layer: string
): ActivationStatistics {
  const found = activations.get(layer)
  if (found === undefined) throw new Error(`Cannot quantise ${layer}: it was not calibrated`)
  return found
}

/** Sums of position and segment embeddings, places × hidden size; all tokens are of segment 0. */
export function placeEmbeddings(model: SourceModel): Float32Array {
  const { hiddenSize, maxTokens } = model
  const segment = weightsOf(model, 'embeddings.token_type_embeddings').subarray(0, hiddenSize)
  const places = weightsOf(model, 'embeddings.position_embeddings').slice(0, maxTokens * hiddenSize)
  return places.map((value, index) => value + (segment[index % hiddenSize] ?? 0))
}

/**
 * Weights of query, key and value, one after the other: 3 hidden sizes × hidden size.
 * @param self the layer's name up to `.query`
 * @param outputFactors the smoothing of the attention's output: it mixes rows of values, never columns, so that the value
 *   weights can be divided by it
 */
export function attentionWeights(model: SourceModel, self: string, outputFactors: Float32Array): Float32Array {
  const size = model.hiddenSize ** 2
  const stacked = new Float32Array(3 * size)
  stacked.set(weightsOf(model, `${self}.query`), 0)
  stacked.set(weightsOf(model, `${self}.key`), size)
  stacked.set(divideOutputs(weightsOf(model, `${self}.value`), outputFactors), 2 * size)
  return stacked
}

/** Bias of the attention's output, the value's included: attention weights sum to 1. */
export function attentionOutputBias(model: SourceModel, self: string, outputName: string): Float32Array {
  const ofValues = multiply(weightsOf(model, outputName), biasOf(model, `${self}.value`))
  return add(biasOf(model, outputName), ofValues)
}
