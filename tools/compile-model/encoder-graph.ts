/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { DATA_TYPE } from '../../src/onnx/onnx-schema.ts'
import { OnnxGraph, type Value, type WeightsFile } from '../../src/onnx/onnx-graph.ts'
import { attentionOutputBias, biasOf, positionEmbeddings, weightsOf } from './layers.ts'
import { add, multiply, subtract, transpose } from './quantize.ts'
import type { SourceModel } from './source-model.ts'

/** Files beside the `.onnx` file that take its great constants: onnxruntime maps them, so sessions share their pages. */
export interface ConstantFiles {
  readonly weights: WeightsFile
  readonly wordEmbeddings: WeightsFile
}

const MICROSOFT = 'com.microsoft'
/** Of 1 × tokens × columns. */
const TOKEN_AXIS = 1

/**
 * Builds the graph of a BERT sentence encoder in float32, for up to a fixed number of sentences, their tokens one after
 * the other. Inputs: `input_ids` and `positions` (int32, 1 × tokens: each token's id and its place in its sentence) and
 * `lengths` (int64, sentences: the tokens of each, 0 where there is none). Output: `embedding` (float, sentences × hidden
 * size), each row with L2 norm 1.
 *
 * There is neither padding nor mask: all tokens go through the linear layers as rows of one matrix, and only attention
 * and pooling see each sentence by itself, at its own length. So a sentence's embedding depends on that sentence alone.
 *
 * Three biases never become a node. The key's is dropped: it adds the same to all scores of a query, and softmax
 * ignores that. The value's goes into the attention output's, since attention weights sum to 1. The feed-forward
 * output's goes into the offset of the layer normalisation before it, whose other reader subtracts it again.
 *
 * @param sentenceCount the most sentences of a run
 */
// oxlint-disable-next-line max-lines-per-function -- one graph, told from its inputs to its output: its pieces share the graph and the model
export function buildEncoderGraph(model: SourceModel, sentenceCount: number, files?: ConstantFiles): OnnxGraph {
  const graph = new OnnxGraph(files?.weights)
  const { hiddenSize, intermediateSize } = model

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

  const linear = (name: string, input: Value, outputs: number, offset?: Float32Array): Value => {
    const matrix = weights(name)
    const inputs = matrix.length / outputs
    const columns = graph.floats(`${name}.weight`, transpose(matrix, outputs, inputs), [inputs, outputs])
    const product = graph.node('MatMul', [input, columns])
    return offset === undefined ? product : graph.node('Add', [product, graph.floats(`${name}.bias`, offset)])
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
    // Three products of one input: each gives whole rows, so that sentences are cut out of them by plain copies.
    const [queries, keys, values] = (['query', 'key', 'value'] as const).map((part) =>
      split(linear(`${self}.${part}`, input, hiddenSize, part === 'query' ? bias(`${self}.query`) : undefined))
    )
    const context = join(
      Array.from({ length: sentenceCount }, (_, index) => {
        const inputs = [queries, keys, values].map((sentences) => sentences?.[index] ?? '')
        return graph.node('MultiHeadAttention', inputs, { num_heads: { int: model.headCount } }, MICROSOFT)
      }),
      TOKEN_AXIS
    )
    return linear(`${layer}.attention.output.dense`, context, hiddenSize, attentionOutputBias(model, layer))
  }

  /** @param inputOffset what the layer normalisation before it added to `input` beyond its own offset */
  const feedForward = (layer: string, input: Value, inputOffset: Float32Array): Value => {
    const innerName = `${layer}.intermediate.dense`
    const innerBias = subtract(bias(innerName), multiply(weights(innerName), inputOffset))
    const inner = linear(innerName, input, intermediateSize, innerBias)
    return linear(`${layer}.output.dense`, graph.node('Gelu', [inner], {}, MICROSOFT), hiddenSize)
  }

  const noOffset = new Float32Array(hiddenSize)

  const embedded = embed(graph, model, files?.wordEmbeddings, inputIds, positions)
  let hidden = normalize('embeddings.LayerNorm', embedded, noOffset)
  for (let index = 0; index < model.layerCount; index++) {
    const layer = `encoder.layer.${index}`
    const outputBias = bias(`${layer}.output.dense`)
    const attentionSum = graph.node('Add', [attention(layer, hidden), hidden])
    const middle = normalize(`${layer}.attention.output.LayerNorm`, attentionSum, outputBias)
    const feedForwardSum = graph.node('Add', [feedForward(layer, middle, outputBias), middle])
    hidden = normalize(`${layer}.output.LayerNorm`, feedForwardSum, noOffset)
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
  return graph
}

/** Of float16: what is left of a value once it is rounded is smaller by this. */
const HALF_PRECISION = 2 ** 11

/**
 * Sum of word, position and segment embeddings; all tokens are of segment 0.
 *
 * Words are kept as float16, which is all that int8 takes, in a file that both precisions share. What that rounding leaves
 * is added from a second such table: both together are as exact as float32 to its last bit but one.
 */
function embed(
  graph: OnnxGraph,
  model: SourceModel,
  file: WeightsFile | undefined,
  inputIds: Value,
  positions: Value
): Value {
  const { hiddenSize } = model
  const { data, shape } = model.tensor('embeddings.word_embeddings.weight')
  const halves = Float16Array.from(data)
  const lookUp = (table: Value): Value =>
    graph.node('Cast', [graph.node('Gather', [table, inputIds])], { to: { int: DATA_TYPE.float } })
  const words = lookUp(graph.constant('embeddings.word', 'float16', shape, halves, file))
  const rest = Float16Array.from(data, (value, index) => (value - (halves[index] ?? 0)) * HALF_PRECISION)
  const scale = graph.floats('embeddings.word.rest.scale', Float32Array.of(1 / HALF_PRECISION), [])
  const left = graph.node('Mul', [lookUp(graph.constant('embeddings.word.rest', 'float16', shape, rest)), scale])
  const positionTable = graph.floats('embeddings.position', positionEmbeddings(model), [model.maxTokens, hiddenSize])
  return graph.node('Add', [graph.node('Add', [words, left]), graph.node('Gather', [positionTable, positions])])
}
