/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { OnnxGraph, type Value } from './onnx.ts'
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

/** A finished graph: input `input_ids` (int32, batch × length), output `embedding` (float, batch × hidden size). */
export interface EncoderGraph {
  readonly onnx: OnnxGraph
  /** With probes: for each linear layer's name, the output that holds its activation maxima of one run. */
  readonly probes: ReadonlyMap<string, string>
}

/** Where the word embeddings lie beside the `.onnx` file: onnxruntime maps it, so all sessions share its pages. */
export const WORD_EMBEDDINGS_FILE = 'word-embeddings.f32'

const MICROSOFT = 'com.microsoft'
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
 * There is no attention mask: every sentence of a batch has the same length, without padding, so that a sentence's
 * embedding depends on that sentence alone. In `int8` each token row is quantised with its own scale for the same
 * reason: integer sums are exact, and what is left in float is computed row by row.
 *
 * Three biases never become a node. The key's is dropped: it adds the same to all scores of a query, and softmax
 * ignores that. The value's goes into the attention output's, since attention weights sum to 1. The feed-forward
 * output's goes into the offset of the layer normalisation before it, whose other reader subtracts it again.
 */
export function buildEncoderGraph(model: SourceModel, arithmetic: Arithmetic): EncoderGraph {
  const graph = new OnnxGraph()
  const { hiddenSize, intermediateSize } = model
  const probes = new Map<string, string>()

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
    const [query = '', key = '', value = ''] = graph.nodeWithOutputs('Split', [projected], 3, {
      axis: { int: -1 },
      num_outputs: { int: 3 }
    })
    const biasedQuery = graph.node('Add', [query, graph.floats(`${self}.query.bias`, bias(`${self}.query`))])
    const context = graph.node(
      'MultiHeadAttention',
      [biasedQuery, key, value],
      { num_heads: { int: model.headCount } },
      MICROSOFT
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

  const inputIds = graph.input('input_ids', 'int32', ['batch', 'length'])
  const noOffset = new Float32Array(hiddenSize)

  let hidden = normalize('embeddings.LayerNorm', embed(graph, model, inputIds), noOffset)
  for (let index = 0; index < model.layerCount; index++) {
    const layer = `encoder.layer.${index}`
    const outputBias = bias(`${layer}.output.dense`)
    const attended = graph.node('Add', [attention(layer, hidden), hidden])
    const middle = normalize(`${layer}.attention.output.LayerNorm`, attended, outputBias)
    const fed = graph.node('Add', [feedForward(layer, middle, outputBias), middle])
    hidden = normalize(`${layer}.output.LayerNorm`, fed, noOffset)
  }

  const pooled = model.pooling === 'mean' ? sumTokens(graph, model, inputIds, hidden) : firstToken(graph, hidden)
  graph.output(
    graph.node('LpNormalization', [pooled], { axis: { int: -1 }, p: { int: 2 } }, '', 'embedding'),
    'float',
    ['batch', hiddenSize]
  )
  return { onnx: graph, probes }
}

/**
 * Sum over the tokens of each sentence: after the L2 norm, the same as their mean.
 * A product with a row of ones, since ReduceSum and ReduceMean add up in another order when a batch has one row.
 */
function sumTokens(graph: OnnxGraph, model: SourceModel, inputIds: Value, hidden: Value): Value {
  const ones = graph.floats('ones', new Float32Array(model.maxTokens).fill(1), [1, model.maxTokens])
  const sums = graph.node('MatMul', [firstAlong(graph, ones, 1, inputIds), hidden])
  return graph.node('Squeeze', [sums, graph.int64s('length-axis', [1])])
}

function firstToken(graph: OnnxGraph, hidden: Value): Value {
  return graph.node('Gather', [hidden, graph.constant('first-token', 'int64', [], BigInt64Array.of(0n))], {
    axis: { int: 1 }
  })
}

/** The part of a constant that is as long, along an axis, as the sentences are. */
function firstAlong(graph: OnnxGraph, constant: Value, axis: number, inputIds: Value): Value {
  return graph.node('Slice', [
    constant,
    graph.int64s('zero', [0]),
    graph.node('Shape', [inputIds], { start: { int: 1 } }),
    graph.int64s(`axis:${axis}`, [axis])
  ])
}

/** Sum of word, position and segment embeddings; all tokens are of segment 0. */
function embed(graph: OnnxGraph, model: SourceModel, inputIds: Value): Value {
  const { hiddenSize } = model
  const words = model.tensor('embeddings.word_embeddings.weight')
  const segment = model.tensor('embeddings.token_type_embeddings.weight').data.subarray(0, hiddenSize)
  const positions = model.tensor('embeddings.position_embeddings.weight').data.slice(0, model.maxTokens * hiddenSize)
  const offsets = positions.map((value, index) => value + (segment[index % hiddenSize] ?? 0))
  const table = graph.externalFloats('embeddings.word', words.shape, WORD_EMBEDDINGS_FILE, words.data.byteLength)
  const positionTable = graph.floats('embeddings.position', offsets, [model.maxTokens, hiddenSize])
  return graph.node('Add', [graph.node('Gather', [table, inputIds]), firstAlong(graph, positionTable, 0, inputIds)])
}
