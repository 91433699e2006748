/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { OnnxGraph, type Value, type WeightsFile } from '../../src/onnx/onnx-graph.ts'
import {
  add,
  divideOutputs,
  multiply,
  quantizeWeights,
  scaleInputs,
  smoothingFactors,
  subtract,
  transpose,
  type Accumulation
} from './quantize.ts'
import type { SourceModel } from './source-model.ts'

/** Greatest magnitude of each input column of a linear layer, by the layer's name. */
export type ActivationMaxima = ReadonlyMap<string, Float32Array>

/** In which numbers the linear layers compute; everything else is float32. */
export type Arithmetic =
  | { readonly kind: 'fp32'; readonly withProbes?: boolean }
  | { readonly kind: 'int8'; readonly accumulation: Accumulation; readonly activationMaxima: ActivationMaxima }

/**
 * A finished graph for a fixed number of sentences, their tokens one after the other.
 * Inputs: `input_ids` and `positions` (int32, 1 × tokens: each token's id and its place in its sentence) and, for more
 * than one sentence, `lengths` (int64, sentences). Output: `embedding` (float, sentences × hidden size).
 */
export interface EncoderGraph {
  readonly onnx: OnnxGraph
  /** With probes: for each linear layer's name, the output that holds its activation maxima of one run. */
  readonly probes: ReadonlyMap<string, string>
}

/** Where the word embeddings lie beside the `.onnx` file: onnxruntime maps it, so all sessions share its pages. */
export const WORD_EMBEDDINGS_FILE = 'word-embeddings.f32'

const MICROSOFT = 'com.microsoft'
/** Of 1 × tokens × columns. */
const TOKEN_AXIS = 1
const SMOOTHING_ALPHA = 0.75
/** GELU's least value, at about −0.75. */
const GELU_MINIMUM = -0.17
/** Zero point of quantised GELU outputs: these steps of 255 are for what is below zero, all others for what is above. */
const GELU_ZERO_POINT = 24
const SYMMETRIC_ZERO_POINT = 128

interface QuantizedRows {
  readonly values: Value
  /** The factor that each row was divided by; its last dimension is 1. */
  readonly rowMaxima: Value
  readonly scale: number
  readonly zeroPoint: number
}

/**
 * Builds the graph of a BERT sentence encoder: token ids in, L2-normalised sentence embedding out.
 *
 * There is neither padding nor mask: all tokens go through the linear layers as rows of one matrix, and only attention
 * and pooling see each sentence by itself, at its own length. So a sentence's embedding depends on that sentence alone.
 * In `int8` each token row is quantised with its own scale for the same reason: integer sums are exact, and what is left
 * in float is computed row by row.
 *
 * Three biases never become a node. The key's is dropped: it adds the same to all scores of a query, and softmax
 * ignores that. The value's goes into the attention output's, since attention weights sum to 1. The feed-forward
 * output's goes into the offset of the layer normalisation before it, whose other reader subtracts it again.
 */
export function buildEncoderGraph(
  model: SourceModel,
  arithmetic: Arithmetic,
  sentenceCount: number,
  weightsFile?: WeightsFile
): EncoderGraph {
  const graph = new OnnxGraph(weightsFile)
  const { hiddenSize, intermediateSize } = model
  const probes = new Map<string, string>()

  const inputIds = graph.input('input_ids', 'int32', [1, 'tokens'])
  const positions = graph.input('positions', 'int32', [1, 'tokens'])
  const lengths = sentenceCount === 1 ? undefined : graph.input('lengths', 'int64', [sentenceCount])

  /** 1 × tokens × columns as 1 × length × columns of each sentence. */
  const split = (tokens: Value): Value[] =>
    lengths === undefined
      ? [tokens]
      : graph.nodeWithOutputs('Split', [tokens, lengths], sentenceCount, { axis: { int: TOKEN_AXIS } })
  const join = (sentences: readonly Value[], axis: number): Value =>
    sentences.length === 1 ? (sentences[0] ?? '') : graph.node('Concat', sentences, { axis: { int: axis } })

  const weights = (layer: string): Float32Array => model.tensor(`${layer}.weight`).data
  const bias = (layer: string): Float32Array => model.tensor(`${layer}.bias`).data
  const scalar = (value: number): Value => graph.floats(`scalar:${value}`, Float32Array.of(value), [])
  const zeroPoint = (value: number): Value => graph.constant(`zero-point:${value}`, 'uint8', [], Uint8Array.of(value))

  const probe = (layer: string, input: Value): void => {
    if (arithmetic.kind !== 'fp32' || arithmetic.withProbes !== true) return
    const axes = graph.int64s('token-axes', [0, 1])
    const maxima = graph.node('ReduceMax', [graph.node('Abs', [input]), axes], { keepdims: { int: 0 } })
    graph.output(maxima, 'float', [`columns of ${layer}`])
    probes.set(layer, maxima)
  }

  const maximaOf = (layer: string): Float32Array => {
    const maxima = arithmetic.kind === 'int8' ? arithmetic.activationMaxima.get(layer) : undefined
    if (maxima === undefined) throw new Error(`Cannot quantise ${layer}: it was not calibrated`)
    return maxima
  }

  const rowMaxima = (values: Value): Value =>
    graph.node('ReduceMax', [values, graph.int64s('last-axis', [-1])], { keepdims: { int: 1 } })

  const quantizeRows = (values: Value, divisors: Value, zero: number, steps: number): QuantizedRows => ({
    values: graph.node('QuantizeLinear', [graph.node('Div', [values, divisors]), scalar(1 / steps), zeroPoint(zero)]),
    rowMaxima: divisors,
    scale: 1 / steps,
    zeroPoint: zero
  })

  const quantizeSymmetric = (values: Value): QuantizedRows =>
    quantizeRows(values, rowMaxima(graph.node('Abs', [values])), SYMMETRIC_ZERO_POINT, 127)

  // What is above zero has all but a few of the 255 steps. The divisor is never so small that the least value of GELU
  // would fall below step 0.
  const quantizeGelu = (values: Value): QuantizedRows => {
    const steps = 255 - GELU_ZERO_POINT
    const leastDivisor = (-GELU_MINIMUM * steps) / GELU_ZERO_POINT
    return quantizeRows(values, graph.node('Max', [rowMaxima(values), scalar(leastDivisor)]), GELU_ZERO_POINT, steps)
  }

  const integerProduct = (name: string, rows: QuantizedRows, matrix: Float32Array, outputs: number): Value => {
    if (arithmetic.kind !== 'int8') throw new Error(`Cannot multiply ${name} in integers: this is a bug`)
    const inputs = matrix.length / outputs
    const quantized = quantizeWeights(matrix, outputs, inputs, arithmetic.accumulation)
    const product = graph.node(
      'MatMulIntegerToFloat',
      [
        rows.values,
        graph.constant(`${name}.weight`, 'int8', [inputs, outputs], quantized.values),
        scalar(rows.scale),
        graph.floats(`${name}.scale`, quantized.scales),
        zeroPoint(rows.zeroPoint)
      ],
      {},
      MICROSOFT
    )
    return graph.node('Mul', [product, rows.rowMaxima])
  }

  const floatProduct = (name: string, input: Value, matrix: Float32Array, outputs: number): Value => {
    const inputs = matrix.length / outputs
    const constant = graph.floats(`${name}.weight`, transpose(matrix, outputs, inputs), [inputs, outputs])
    return graph.node('MatMul', [input, constant])
  }

  // A linear layer without its bias, fed by a layer normalisation: the smoothing is a product of its own, since the
  // residual connection reads the same values.
  const linearOfNormalized = (name: string, input: Value, matrix: Float32Array, outputs: number): Value => {
    probe(name, input)
    if (arithmetic.kind === 'fp32') return floatProduct(name, input, matrix, outputs)
    const factors = smoothingFactors(maximaOf(name), matrix, SMOOTHING_ALPHA)
    const smoothed = graph.node('Mul', [
      input,
      graph.floats(
        `${name}.smoothing`,
        factors.map((factor) => 1 / factor)
      )
    ])
    return integerProduct(name, quantizeSymmetric(smoothed), scaleInputs(matrix, factors), outputs)
  }

  const normalize = (name: string, input: Value, extraOffset: Float32Array): Value =>
    graph.node(
      'LayerNormalization',
      [
        input,
        graph.floats(`${name}.weight`, weights(name)),
        graph.floats(`${name}.bias`, add(bias(name), extraOffset))
      ],
      { axis: { int: -1 }, epsilon: model.layerNormEpsilon }
    )

  const attention = (layer: string, input: Value): Value => {
    const self = `${layer}.attention.self`
    const outputName = `${layer}.attention.output.dense`
    const outputWeights = weights(outputName)
    // Attention mixes rows of values, never columns: the smoothing of its output can be folded into the value weights.
    const outputFactors =
      arithmetic.kind === 'int8'
        ? smoothingFactors(maximaOf(outputName), outputWeights, SMOOTHING_ALPHA)
        : new Float32Array(hiddenSize).fill(1)
    const stacked = new Float32Array(3 * hiddenSize * hiddenSize)
    stacked.set(weights(`${self}.query`), 0)
    stacked.set(weights(`${self}.key`), hiddenSize * hiddenSize)
    stacked.set(divideOutputs(weights(`${self}.value`), outputFactors), 2 * hiddenSize * hiddenSize)

    const projected = linearOfNormalized(`${self}.query+key+value`, input, stacked, 3 * hiddenSize)
    const queryBias = graph.floats(`${self}.query.bias`, bias(`${self}.query`))
    const context = join(
      split(projected).map((sentence) => {
        const [query = '', key = '', value = ''] = graph.nodeWithOutputs('Split', [sentence], 3, {
          axis: { int: -1 },
          num_outputs: { int: 3 }
        })
        const inputs = [graph.node('Add', [query, queryBias]), key, value]
        return graph.node('MultiHeadAttention', inputs, { num_heads: { int: model.headCount } }, MICROSOFT)
      }),
      TOKEN_AXIS
    )
    probe(outputName, context)
    const product =
      arithmetic.kind === 'fp32'
        ? floatProduct(outputName, context, outputWeights, hiddenSize)
        : integerProduct(outputName, quantizeSymmetric(context), scaleInputs(outputWeights, outputFactors), hiddenSize)
    const outputBias = add(bias(outputName), multiply(outputWeights, bias(`${self}.value`)))
    return graph.node('Add', [product, graph.floats(`${outputName}.bias`, outputBias)])
  }

  /** @param inputOffset what the layer normalisation before it added to `input` beyond its own offset */
  const feedForward = (layer: string, input: Value, inputOffset: Float32Array): Value => {
    const innerName = `${layer}.intermediate.dense`
    const outputName = `${layer}.output.dense`
    const innerWeights = weights(innerName)
    const inner = linearOfNormalized(innerName, input, innerWeights, intermediateSize)
    const innerBias = graph.floats(`${innerName}.bias`, subtract(bias(innerName), multiply(innerWeights, inputOffset)))
    // FastGelu is the tanh form: off by less than the quantisation of its result is, and a third quicker.
    const activated = graph.node(
      arithmetic.kind === 'fp32' ? 'BiasGelu' : 'FastGelu',
      [inner, innerBias],
      {},
      MICROSOFT
    )
    return arithmetic.kind === 'fp32'
      ? floatProduct(outputName, activated, weights(outputName), hiddenSize)
      : integerProduct(outputName, quantizeGelu(activated), weights(outputName), hiddenSize)
  }

  const noOffset = new Float32Array(hiddenSize)

  let hidden = normalize('embeddings.LayerNorm', embed(graph, model, inputIds, positions), noOffset)
  for (let index = 0; index < model.layerCount; index++) {
    const layer = `encoder.layer.${index}`
    const outputBias = bias(`${layer}.output.dense`)
    const attended = graph.node('Add', [attention(layer, hidden), hidden])
    const middle = normalize(`${layer}.attention.output.LayerNorm`, attended, outputBias)
    const fed = graph.node('Add', [feedForward(layer, middle, outputBias), middle])
    hidden = normalize(`${layer}.output.LayerNorm`, fed, noOffset)
  }

  // After the L2 norm, the sum of the tokens is the same as their mean.
  const pool = (sentence: Value): Value =>
    model.pooling === 'mean'
      ? graph.node('ReduceSum', [sentence, graph.int64s('token-axis', [TOKEN_AXIS])], { keepdims: { int: 0 } })
      : graph.node('Gather', [sentence, graph.constant('first-token', 'int64', [], BigInt64Array.of(0n))], {
          axis: { int: TOKEN_AXIS }
        })
  const pooled = join(split(hidden).map(pool), 0)
  graph.output(
    graph.node('LpNormalization', [pooled], { axis: { int: -1 }, p: { int: 2 } }, '', 'embedding'),
    'float',
    [sentenceCount, hiddenSize]
  )
  return { onnx: graph, probes }
}

/** Sum of word, position and segment embeddings; all tokens are of segment 0. */
function embed(graph: OnnxGraph, model: SourceModel, inputIds: Value, positions: Value): Value {
  const { hiddenSize } = model
  const words = model.tensor('embeddings.word_embeddings.weight')
  const segment = model.tensor('embeddings.token_type_embeddings.weight').data.subarray(0, hiddenSize)
  const places = model.tensor('embeddings.position_embeddings.weight').data.slice(0, model.maxTokens * hiddenSize)
  const offsets = places.map((value, index) => value + (segment[index % hiddenSize] ?? 0))
  const table = graph.externalFloats('embeddings.word', words.shape, WORD_EMBEDDINGS_FILE, words.data.byteLength)
  const placeTable = graph.floats('embeddings.position', offsets, [model.maxTokens, hiddenSize])
  return graph.node('Add', [graph.node('Gather', [table, inputIds]), graph.node('Gather', [placeTable, positions])])
}
