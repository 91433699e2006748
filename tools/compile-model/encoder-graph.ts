/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { DATA_TYPE } from '../../src/onnx/onnx-schema.ts'
import { OnnxGraph, type Value, type WeightsFile } from '../../src/onnx/onnx-graph.ts'
import { activationsOf, attentionOutputBias, attentionWeights, biasOf, placeEmbeddings, weightsOf } from './layers.ts'
import {
  add,
  bestSmoothingFactors,
  divide,
  multiply,
  quantizeWeights,
  scaleInputs,
  smoothingFactors,
  subtract,
  transpose,
  type Accumulation,
  type ActivationStatistics
} from './quantize.ts'
import type { SourceModel } from './source-model.ts'

/** In which numbers the linear layers compute; everything else is float32. */
export type Arithmetic =
  | { readonly kind: 'fp32'; readonly withProbes?: boolean }
  | {
      readonly kind: 'int8'
      readonly accumulation: Accumulation
      /** By the layer's name. */
      readonly activations: ReadonlyMap<string, ActivationStatistics>
      /**
       * Whether what a layer normalisation gives is quantised with one scale for all tokens, found by calibration: its
       * rows are of about one size. That takes fewer passes than a scale for each token row, and is a little less exact.
       */
      readonly hasStaticScales: boolean
    }

/**
 * A finished graph for up to a fixed number of sentences, their tokens one after the other.
 * Inputs: `input_ids` and `positions` (int32, 1 × tokens: each token's id and its place in its sentence) and `lengths`
 * (int64, sentences: the tokens of each, 0 where there is none). Output: `embedding` (float, sentences × hidden size).
 */
export interface EncoderGraph {
  readonly onnx: OnnxGraph
  /** With probes: for each linear layer's name, the outputs that tell of its input in one run. */
  readonly probes: ReadonlyMap<string, Probe>
}

/** Names of outputs with one value for each column: the greatest magnitude, and the sum of the squares of all tokens. */
export interface Probe {
  readonly maxima: string
  readonly squares: string
}

/** Files beside the `.onnx` file that take its great constants: onnxruntime maps them, so sessions share their pages. */
export interface ConstantFiles {
  readonly weights: WeightsFile
  readonly wordEmbeddings: WeightsFile
}

const MICROSOFT = 'com.microsoft'
/** Of 1 × tokens × columns. */
const TOKEN_AXIS = 1
/** For inputs whose rows have each a scale of their own. */
export const SMOOTHING_ALPHA = 0.75
/** GELU's least value, at about −0.75. */
const GELU_MINIMUM = -0.17
/** Zero point of quantised GELU outputs: these steps of 255 are for what is below zero, all others for what is above. */
export const GELU_ZERO_POINT = 24
const GELU_STEPS = 255 - GELU_ZERO_POINT
export const SYMMETRIC_ZERO_POINT = 128
export const SYMMETRIC_STEPS = 127

/** What a product takes: floats in fp32, bytes in int8, where float ≈ (byte − zero point) × scale × row scale. */
interface LayerInput {
  readonly values: Value
  readonly scale: number
  readonly zeroPoint: number
  /** A factor for each token, where there are such; 1 × tokens × 1. */
  readonly rowScales?: Value
}
/**
 * Builds the graph of a BERT sentence encoder: token ids in, L2-normalised sentence embedding out.
 *
 * There is neither padding nor mask: all tokens go through the linear layers as rows of one matrix, and only attention
 * and pooling see each sentence by itself, at its own length. So a sentence's embedding depends on that sentence alone.
 * `int8` keeps that: activations are quantised with a scale that calibration has found, or with each token row's own;
 * integer sums are exact, and what is left in float is computed row by row.
 *
 * Three biases never become a node. The key's is dropped: it adds the same to all scores of a query, and softmax
 * ignores that. The value's goes into the attention output's, since attention weights sum to 1. The feed-forward
 * output's goes into the offset of the layer normalisation before it, whose other reader subtracts it again.
 *
 * @param sentenceCount the most sentences of a run
 */
export function buildEncoderGraph(
  model: SourceModel,
  arithmetic: Arithmetic,
  sentenceCount: number,
  files?: ConstantFiles
): EncoderGraph {
  const graph = new OnnxGraph(files?.weights)
  const { hiddenSize, intermediateSize } = model
  const probes = new Map<string, Probe>()
  const zeroPointsOfTokens = new Map<number, Value>()

  const inputIds = graph.input('input_ids', 'int32', [1, 'tokens'])
  const positions = graph.input('positions', 'int32', [1, 'tokens'])
  const lengths = graph.input('lengths', 'int64', [sentenceCount])

  /** 1 × tokens × columns as 1 × length × columns of each sentence. */
  const split = (tokens: Value): Value[] =>
    graph.nodeWithOutputs('Split', [tokens, lengths], sentenceCount, { axis: { int: TOKEN_AXIS } })
  const join = (sentences: readonly Value[], axis: number): Value =>
    graph.node('Concat', sentences, { axis: { int: axis } })

  const weights = (layer: string): Float32Array => weightsOf(model, layer)
  const bias = (layer: string): Float32Array => biasOf(model, layer)
  const scalar = (value: number): Value => graph.floats(`scalar:${value}`, Float32Array.of(value), [])
  const zeroPoint = (value: number): Value => graph.constant(`zero-point:${value}`, 'uint8', [], Uint8Array.of(value))

  /** One for each token. */
  const zeroPoints = (value: number): Value => {
    const found =
      zeroPointsOfTokens.get(value) ??
      graph.node('Expand', [
        graph.constant(`zero-points:${value}`, 'uint8', [1], Uint8Array.of(value)),
        graph.node('Shape', [positions], { start: { int: TOKEN_AXIS } })
      ])
    zeroPointsOfTokens.set(value, found)
    return found
  }

  const probe = (layer: string, input: Value): void => {
    if (arithmetic.kind !== 'fp32' || arithmetic.withProbes !== true) return
    const axes = graph.int64s('token-axes', [0, 1])
    const maxima = graph.node('ReduceMax', [graph.node('Abs', [input]), axes], { keepdims: { int: 0 } })
    const squares = graph.node('ReduceSumSquare', [input, axes], { keepdims: { int: 0 } })
    for (const output of [maxima, squares]) graph.output(output, 'float', [`columns of ${layer}`])
    probes.set(layer, { maxima, squares })
  }

  const statistics = (layer: string): ActivationStatistics =>
    activationsOf(arithmetic.kind === 'int8' ? arithmetic.activations : new Map(), layer)

  /** What activations are divided by and weights multiplied: see {@link smoothingFactors}. */
  const smoothingOf = (name: string, matrix: Float32Array): Float32Array =>
    arithmetic.kind === 'int8'
      ? smoothingFactors(statistics(name).maxima, matrix, SMOOTHING_ALPHA)
      : new Float32Array(hiddenSize).fill(1)

  const smoothingOfNormalized = (name: string, matrix: Float32Array): Float32Array =>
    arithmetic.kind === 'int8' && arithmetic.hasStaticScales
      ? bestSmoothingFactors(statistics(name), matrix, arithmetic.accumulation)
      : smoothingOf(name, matrix)

  /** A scale for each token: its greatest value comes out as the greatest byte, or the least. */
  const quantizeRows = (values: Value, maxima: Value, zero: number, steps: number): LayerInput => {
    const rowScales = graph.node('Mul', [maxima, scalar(1 / steps)])
    const scales = graph.node('Squeeze', [rowScales, graph.int64s('all-but-token-axis', [0, 2])])
    const bytes = graph.node('QuantizeLinear', [values, scales, zeroPoints(zero)], { axis: { int: TOKEN_AXIS } })
    return { values: bytes, scale: 1, zeroPoint: zero, rowScales }
  }

  const rowMaxima = (values: Value): Value =>
    graph.node('ReduceMax', [values, graph.int64s('last-axis', [-1])], { keepdims: { int: 1 } })

  const quantizeSymmetric = (values: Value): LayerInput => {
    if (arithmetic.kind === 'fp32') return { values, scale: 1, zeroPoint: 0 }
    return quantizeRows(values, rowMaxima(graph.node('Abs', [values])), SYMMETRIC_ZERO_POINT, SYMMETRIC_STEPS)
  }

  // What is above zero has all but a few of the 255 steps. A row's scale is never so small that the least value of GELU
  // would fall below step 0.
  const quantizeGelu = (values: Value): LayerInput => {
    if (arithmetic.kind === 'fp32') return { values, scale: 1, zeroPoint: 0 }
    const leastMaximum = (-GELU_MINIMUM * GELU_STEPS) / GELU_ZERO_POINT
    const maxima = graph.node('Max', [rowMaxima(values), scalar(leastMaximum)])
    return quantizeRows(values, maxima, GELU_ZERO_POINT, GELU_STEPS)
  }

  // The residual connection reads the same values as they are: the smoothing is a node of its own.
  const quantizeNormalized = (name: string, input: Value, factors: Float32Array): LayerInput => {
    probe(name, input)
    if (arithmetic.kind === 'fp32') return { values: input, scale: 1, zeroPoint: 0 }
    const reciprocals = factors.map((factor) => 1 / factor)
    const smoothed = graph.node('Mul', [input, graph.floats(`${name}.smoothing`, reciprocals)])
    if (!arithmetic.hasStaticScales) return quantizeSymmetric(smoothed)
    const scale = Math.max(...divide(statistics(name).maxima, factors)) / SYMMETRIC_STEPS
    const inputs = [smoothed, scalar(scale), zeroPoint(SYMMETRIC_ZERO_POINT)]
    return { values: graph.node('QuantizeLinear', inputs), scale, zeroPoint: SYMMETRIC_ZERO_POINT }
  }

  const product = (
    name: string,
    { values, scale, zeroPoint: zero, rowScales }: LayerInput,
    matrix: Float32Array,
    outputs: number,
    offset?: Float32Array
  ): Value => {
    const inputs = matrix.length / outputs
    const offsetValue = offset === undefined ? undefined : graph.floats(`${name}.bias`, offset)
    const addOffset = (value: Value): Value =>
      offsetValue === undefined ? value : graph.node('Add', [value, offsetValue])
    if (arithmetic.kind === 'fp32') {
      const columns = graph.floats(`${name}.weight`, transpose(matrix, outputs, inputs), [inputs, outputs])
      return addOffset(graph.node('MatMul', [values, columns]))
    }
    const quantized = quantizeWeights(matrix, outputs, inputs, arithmetic.accumulation)
    const operands = [
      values,
      graph.constant(`${name}.weight`, 'int8', [inputs, outputs], quantized.values),
      scalar(scale),
      graph.floats(`${name}.scale`, quantized.scales),
      zeroPoint(zero)
    ]
    if (rowScales !== undefined) {
      const multiplied = graph.node('MatMulIntegerToFloat', operands, {}, MICROSOFT)
      return addOffset(graph.node('Mul', [multiplied, rowScales]))
    }
    const noZeroPoint = ''
    const withOffset = offsetValue === undefined ? operands : [...operands, noZeroPoint, offsetValue]
    return graph.node('MatMulIntegerToFloat', withOffset, {}, MICROSOFT)
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
    const outputFactors = smoothingOf(outputName, outputWeights)
    const size = hiddenSize * hiddenSize
    const stacked = attentionWeights(model, self, outputFactors)

    // Three products of one input: each gives whole rows, so that sentences are cut out of them by plain copies.
    const inputName = `${self}.query+key+value`
    const factors = smoothingOfNormalized(inputName, stacked)
    const rows = quantizeNormalized(inputName, input, factors)
    const scaled = scaleInputs(stacked, factors)
    const [queries, keys, values] = (['query', 'key', 'value'] as const).map((part, index) => {
      const matrix = scaled.subarray(index * size, (index + 1) * size)
      return split(
        product(`${self}.${part}`, rows, matrix, hiddenSize, part === 'query' ? bias(`${self}.query`) : undefined)
      )
    })
    const context = join(
      Array.from({ length: sentenceCount }, (_, index) => {
        const inputs = [queries, keys, values].map((sentences) => sentences?.[index] ?? '')
        return graph.node('MultiHeadAttention', inputs, { num_heads: { int: model.headCount } }, MICROSOFT)
      }),
      TOKEN_AXIS
    )
    probe(outputName, context)
    return product(
      outputName,
      quantizeSymmetric(context),
      scaleInputs(outputWeights, outputFactors),
      hiddenSize,
      attentionOutputBias(model, self, outputName)
    )
  }

  /** @param inputOffset what the layer normalisation before it added to `input` beyond its own offset */
  const feedForward = (layer: string, input: Value, inputOffset: Float32Array): Value => {
    const innerName = `${layer}.intermediate.dense`
    const outputName = `${layer}.output.dense`
    const innerWeights = weights(innerName)
    const outputWeights = weights(outputName)
    const innerBias = subtract(bias(innerName), multiply(innerWeights, inputOffset))
    const factors = smoothingOfNormalized(innerName, innerWeights)
    const inner = product(
      innerName,
      quantizeNormalized(innerName, input, factors),
      scaleInputs(innerWeights, factors),
      intermediateSize,
      innerBias
    )
    // FastGelu is the tanh form: off by less than the quantisation of its result is, and a third quicker.
    const activated = graph.node(arithmetic.kind === 'fp32' ? 'Gelu' : 'FastGelu', [inner], {}, MICROSOFT)
    return product(outputName, quantizeGelu(activated), outputWeights, hiddenSize)
  }

  const noOffset = new Float32Array(hiddenSize)

  const embedded = embed(graph, model, arithmetic, files?.wordEmbeddings, inputIds, positions)
  let hidden = normalize('embeddings.LayerNorm', embedded, noOffset)
  for (let index = 0; index < model.layerCount; index++) {
    const layer = `encoder.layer.${index}`
    const outputBias = bias(`${layer}.output.dense`)
    const attended = graph.node('Add', [attention(layer, hidden), hidden])
    const middle = normalize(`${layer}.attention.output.LayerNorm`, attended, outputBias)
    const fed = graph.node('Add', [feedForward(layer, middle, outputBias), middle])
    hidden = normalize(`${layer}.output.LayerNorm`, fed, noOffset)
  }

  // After the L2 norm, the sum of the tokens is the same as their mean. An empty sentence has a row too: zeros.
  const tokenAxis = graph.int64s('token-axis', [TOKEN_AXIS])
  const pool = (sentence: Value): Value => {
    const pooledTokens =
      model.pooling === 'mean'
        ? sentence
        : graph.node('Slice', [sentence, graph.int64s('first', [0]), graph.int64s('second', [1]), tokenAxis])
    return graph.node('ReduceSum', [pooledTokens, tokenAxis], { keepdims: { int: 0 } })
  }
  const pooled = join(split(hidden).map(pool), 0)
  graph.output(
    graph.node('LpNormalization', [pooled], { axis: { int: -1 }, p: { int: 2 } }, '', 'embedding'),
    'float',
    [sentenceCount, hiddenSize]
  )
  return { onnx: graph, probes }
}

/** Of float16: what is left of a value once it is rounded is smaller by this. */
const HALF_PRECISION = 2 ** 11

/**
 * Sum of word, position and segment embeddings; all tokens are of segment 0.
 *
 * Words are kept as float16, far finer than what int8 products take of them, which halves the memory that their table is
 * mapped into. `fp32` adds what that rounding leaves, from a second such table: both together are as exact as float32 to
 * its last bit but one.
 */
function embed(
  graph: OnnxGraph,
  model: SourceModel,
  { kind }: Arithmetic,
  file: WeightsFile | undefined,
  inputIds: Value,
  positions: Value
): Value {
  const { hiddenSize } = model
  const { data, shape } = model.tensor('embeddings.word_embeddings.weight')
  const halves = Float16Array.from(data)
  const lookUp = (table: Value): Value =>
    graph.node('Cast', [graph.node('Gather', [table, inputIds])], { to: { int: DATA_TYPE.float } })
  let words = lookUp(graph.constant('embeddings.word', 'float16', shape, halves, file))
  if (kind === 'fp32') {
    const rest = Float16Array.from(data, (value, index) => (value - (halves[index] ?? 0)) * HALF_PRECISION)
    const scale = graph.floats('embeddings.word.rest.scale', Float32Array.of(1 / HALF_PRECISION), [])
    const left = graph.node('Mul', [lookUp(graph.constant('embeddings.word.rest', 'float16', shape, rest)), scale])
    words = graph.node('Add', [words, left])
  }
  const placeTable = graph.floats('embeddings.position', placeEmbeddings(model), [model.maxTokens, hiddenSize])
  return graph.node('Add', [words, graph.node('Gather', [placeTable, positions])])
}
