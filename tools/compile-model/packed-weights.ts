/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { activationsOf, attentionOutputBias, attentionWeights, biasOf, placeEmbeddings, weightsOf } from './layers.ts'
import {
  bestSmoothingFactors,
  divide,
  quantizeWeights,
  scaleInputs,
  smoothingFactors,
  type ActivationStatistics
} from './quantize.ts'
import type { SourceModel } from './source-model.ts'
import { GELU_ZERO_POINT, SMOOTHING_ALPHA, SYMMETRIC_STEPS, SYMMETRIC_ZERO_POINT } from './encoder-graph.ts'

const MAGIC = 'sbertenc'
const VERSION = 1
const HEADER_BYTES = 64
const ALIGNMENT = 64
/** Columns of a panel, and neighbouring inputs of a column that lie together: see encoder.c. */
const PANEL_COLUMNS = 64
const GROUP = 4

/**
 * The weights file of the native encoder (src/embedding/native/encoder.c): 8-bit integers, as the int8 graph has them,
 * in the order in which the kernels read them.
 * @throws RangeError when a size of the model is not a multiple of what the kernels take
 */
export function packWeights(
  model: SourceModel,
  activations: ReadonlyMap<string, ActivationStatistics>,
  vocabularySize: number
): Uint8Array {
  const { hiddenSize, intermediateSize, headCount } = model
  const sizes = {
    'hidden size': hiddenSize,
    'intermediate size': intermediateSize,
    'head size': hiddenSize / headCount
  }
  for (const [name, size] of Object.entries(sizes)) {
    const divisor = name === 'head size' ? 32 : PANEL_COLUMNS
    if (size % divisor !== 0)
      throw new RangeError(`Cannot pack: the ${name} is ${size}, wanted a multiple of ${divisor}`)
  }
  const parts: Uint8Array[] = [headerOf(model, vocabularySize)]
  const put = (array: Float32Array | Int32Array | Int8Array): void => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
    parts.push(bytes, new Uint8Array(-bytes.length & (ALIGNMENT - 1)))
  }
  const weights = (layer: string): Float32Array => weightsOf(model, layer)
  const bias = (layer: string): Float32Array => biasOf(model, layer)
  const statistics = (layer: string): ActivationStatistics => activationsOf(activations, layer)
  const putNormalization = (name: string): void => {
    put(weights(name))
    put(bias(name))
  }
  /** @param inputScale of the inputs, where they have one for all; else the rows have theirs */
  const putProduct = (
    matrix: Float32Array,
    outputs: number,
    inputs: number,
    zeroPoint: number,
    inputScale: number,
    offset: Float32Array,
    outputFactors?: Float32Array
  ): void => {
    const quantized = quantizeWeights(matrix, outputs, inputs, 'exact')
    put(inPanels(quantized.values, inputs, outputs))
    put(offsetsOf(quantized.values, inputs, outputs, zeroPoint))
    put(quantized.scales.map((scale, output) => scale * inputScale * (outputFactors?.[output] ?? 1)))
    put(offset)
  }
  const stepOf = (layer: string, factors: Float32Array): number =>
    Math.max(...divide(statistics(layer).maxima, factors)) / SYMMETRIC_STEPS
  const putSteps = (factors: Float32Array, step: number): void => put(factors.map((factor) => 1 / (factor * step)))

  put(placeEmbeddings(model))
  putNormalization('embeddings.LayerNorm')

  for (let index = 0; index < model.layerCount; index++) {
    const layer = `encoder.layer.${index}`
    const self = `${layer}.attention.self`
    const outputName = `${layer}.attention.output.dense`
    const outputFactors = smoothingFactors(statistics(outputName).maxima, weights(outputName), SMOOTHING_ALPHA)
    const stacked = attentionWeights(model, self, outputFactors)
    const inputName = `${self}.query+key+value`
    const factors = bestSmoothingFactors(statistics(inputName), stacked, 'exact')
    const step = stepOf(inputName, factors)
    // Scores are divided by the root of the head size: so are the queries, which costs nothing.
    const queryFactor = 1 / Math.sqrt(hiddenSize / headCount)
    const projectionBias = new Float32Array(3 * hiddenSize)
    projectionBias.set(bias(`${self}.query`).map((value) => value * queryFactor))
    putSteps(factors, step)
    putProduct(
      scaleInputs(stacked, factors),
      3 * hiddenSize,
      hiddenSize,
      SYMMETRIC_ZERO_POINT,
      step,
      projectionBias,
      Float32Array.from({ length: 3 * hiddenSize }, (_, output) => (output < hiddenSize ? queryFactor : 1))
    )
    // Softmax ignores what is the same for all keys: their bias is dropped.
    putProduct(
      scaleInputs(weights(outputName), outputFactors),
      hiddenSize,
      hiddenSize,
      SYMMETRIC_ZERO_POINT,
      1,
      attentionOutputBias(model, self, outputName)
    )
    putNormalization(`${layer}.attention.output.LayerNorm`)
    const innerName = `${layer}.intermediate.dense`
    const innerFactors = bestSmoothingFactors(statistics(innerName), weights(innerName), 'exact')
    const innerStep = stepOf(innerName, innerFactors)
    putSteps(innerFactors, innerStep)
    putProduct(
      scaleInputs(weights(innerName), innerFactors),
      intermediateSize,
      hiddenSize,
      SYMMETRIC_ZERO_POINT,
      innerStep,
      bias(innerName)
    )
    const outerName = `${layer}.output.dense`
    putProduct(weights(outerName), hiddenSize, intermediateSize, GELU_ZERO_POINT, 1, bias(outerName))
    putNormalization(`${layer}.output.LayerNorm`)
  }
  return Buffer.concat(parts)
}

function headerOf(model: SourceModel, vocabularySize: number): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES)
  header.write(MAGIC, 'latin1')
  const { layerCount, headCount, hiddenSize, intermediateSize, maxTokens, pooling, layerNormEpsilon } = model
  const integers = [VERSION, layerCount, headCount, hiddenSize, intermediateSize, maxTokens, vocabularySize]
  const place = [...integers, pooling === 'cls' ? 1 : 0].reduce(
    (at, value) => header.writeInt32LE(value, at),
    MAGIC.length
  )
  header.writeFloatLE(layerNormEpsilon, place)
  return header
}

/** inputs × outputs, row-major, as panels of columns; in a panel four inputs of a column lie together. */
function inPanels(values: Int8Array, inputs: number, outputs: number): Int8Array {
  const packed = new Int8Array(values.length)
  let place = 0
  for (let panel = 0; panel < outputs; panel += PANEL_COLUMNS) {
    for (let group = 0; group < inputs; group += GROUP) {
      for (let column = panel; column < panel + PANEL_COLUMNS; column++) {
        for (let input = group; input < group + GROUP; input++) packed[place++] = values[input * outputs + column] ?? 0
      }
    }
  }
  return packed
}

/** What takes the inputs' zero point out of an output's sum again. */
function offsetsOf(values: Int8Array, inputs: number, outputs: number, zeroPoint: number): Int32Array {
  const offsets = new Int32Array(outputs)
  for (let input = 0; input < inputs; input++) {
    for (let output = 0; output < outputs; output++) {
      offsets[output] = (offsets[output] ?? 0) - zeroPoint * (values[input * outputs + output] ?? 0)
    }
  }
  return offsets
}
