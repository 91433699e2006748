/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// What the graph and the native encoder's weights are both made of.

import { add, divideOutputs, multiply } from './quantize.ts'
import type { SourceModel } from './source-model.ts'

/** A layer's weights: outputs × inputs, row-major. */
export function weightsOf(model: SourceModel, layer: string): Float32Array {
  return model.tensor(`${layer}.weight`).data
}

/** A layer's bias: one for each output. */
export function biasOf(model: SourceModel, layer: string): Float32Array {
  return model.tensor(`${layer}.bias`).data
}

/** Sums of position and segment embeddings, positions × hidden size; all tokens are of segment 0. */
export function positionEmbeddings(model: SourceModel): Float32Array {
  const { hiddenSize, maxTokens } = model
  const segment = weightsOf(model, 'embeddings.token_type_embeddings').subarray(0, hiddenSize)
  const positions = weightsOf(model, 'embeddings.position_embeddings').slice(0, maxTokens * hiddenSize)
  return positions.map((value, index) => value + (segment[index % hiddenSize] ?? 0))
}

/** Weights (outputs × inputs, row-major) and bias of a linear layer. */
export interface LayerWeights {
  readonly weights: Float32Array
  readonly bias: Float32Array
}

/**
 * Query, key and value as one linear layer of 3 hidden sizes × hidden size.
 *
 * The scores of attention are divided by the root of the head size: so are the queries here, which costs nothing. The
 * key's bias is dropped: it adds the same to all scores of a query, and softmax ignores that. The value's is in
 * {@link attentionOutputBias}.
 *
 * @param outputFactors the smoothing of the attention's output: it mixes rows of values, never columns, so that the value
 *   weights can be divided by it
 */
export function attentionWeights(model: SourceModel, layer: string, outputFactors?: Float32Array): LayerWeights {
  const { hiddenSize, headCount } = model
  const self = `${layer}.attention.self`
  const queryFactor = 1 / Math.sqrt(hiddenSize / headCount)
  const values = weightsOf(model, `${self}.value`)
  const weights = new Float32Array(3 * hiddenSize ** 2)
  weights.set(weightsOf(model, `${self}.query`).map((weight) => weight * queryFactor))
  weights.set(weightsOf(model, `${self}.key`), hiddenSize ** 2)
  weights.set(outputFactors === undefined ? values : divideOutputs(values, outputFactors), 2 * hiddenSize ** 2)
  const bias = new Float32Array(3 * hiddenSize)
  bias.set(biasOf(model, `${self}.query`).map((value) => value * queryFactor))
  return { weights, bias }
}

/** Bias of the attention's output, the value's included: attention weights sum to 1. */
export function attentionOutputBias(model: SourceModel, layer: string): Float32Array {
  const outputName = `${layer}.attention.output.dense`
  const ofValues = multiply(weightsOf(model, outputName), biasOf(model, `${layer}.attention.self.value`))
  return add(biasOf(model, outputName), ofValues)
}
