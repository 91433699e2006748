/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { attentionOutputBias, attentionWeights, biasOf, positionEmbeddings, weightsOf } from './layers.ts'
import { quantizeWeights, scaleInputs, smoothingFactors } from './quantize.ts'
import type { SourceModel } from './source-model.ts'

const MAGIC = 'sbertenc'
const VERSION = 2
const HEADER_BYTES = 64
const ALIGNMENT = 64
/** Columns of a panel, and neighbouring inputs of a column that lie together: see src/embedding/native/kernels.h. */
export const PANEL_COLUMNS = 16
export const GROUP = 4
export const SIZE_MULTIPLE = 64
const HEAD_MULTIPLE = 32
/** Powers of {@link smoothingFactors}, by the quality on validation.txt: of 0.5 to 0.9, the ones of the best mean cosine. */
const SMOOTHING_ALPHA = { attention: 0.75, output: 0.75, inner: 0.65 } as const

/** Greatest magnitudes that calibration has found in each column of a layer's inputs. */
export interface InputMaxima {
  readonly attention: Float32Array
  readonly output: Float32Array
  readonly inner: Float32Array
}

/** The order in which the encoders of src/embedding/native take their arrays. */
class WeightsWriter {
  readonly #parts: Uint8Array[] = []

  constructor(model: SourceModel, isFloat: boolean) {
    const problem = problemOfSizes(model)
    if (problem !== undefined) throw new RangeError(`Cannot pack: ${problem}`)
    this.#parts.push(headerOf(model, isFloat))
  }

  put(...arrays: readonly (Float32Array | Int32Array | Int8Array)[]): void {
    for (const { buffer, byteOffset, byteLength } of arrays) {
      this.#parts.push(new Uint8Array(buffer, byteOffset, byteLength), new Uint8Array(-byteLength & (ALIGNMENT - 1)))
    }
  }

  toBytes(): Uint8Array {
    return Buffer.concat(this.#parts)
  }
}

/**
 * The weights file of the encoder in 8-bit integers, src/embedding/native/encoder.c.
 * @param inputMaxima one for each layer
 * @throws RangeError when a size of the model is not a multiple of what the kernels take
 */
export function packWeights(model: SourceModel, inputMaxima: readonly InputMaxima[]): Uint8Array {
  const writer = new WeightsWriter(model, false)
  const putLinear = (matrix: Float32Array, bias: Float32Array): void => {
    const outputs = bias.length
    const inputs = matrix.length / outputs
    const { values, scales } = quantizeWeights(matrix, outputs, inputs)
    writer.put(inPanels(values, inputs, outputs), columnSums(values, inputs, outputs), scales, bias)
  }
  /** @param factors what the inputs' columns are divided by before they are quantised */
  const putSmoothedLinear = (matrix: Float32Array, bias: Float32Array, factors: Float32Array): void => {
    writer.put(factors.map((factor) => 1 / factor))
    putLinear(scaleInputs(matrix, factors), bias)
  }
  writer.put(positionEmbeddings(model), ...normalization(model, 'embeddings.LayerNorm'))
  for (const [index, maxima] of inputMaxima.entries()) {
    const layer = `encoder.layer.${index}`
    const outputName = `${layer}.attention.output.dense`
    const outputFactors = smoothingFactors(maxima.output, weightsOf(model, outputName), SMOOTHING_ALPHA.output)
    const projections = attentionWeights(model, layer, outputFactors)
    putSmoothedLinear(
      projections.weights,
      projections.bias,
      smoothingFactors(maxima.attention, projections.weights, SMOOTHING_ALPHA.attention)
    )
    putLinear(scaleInputs(weightsOf(model, outputName), outputFactors), attentionOutputBias(model, layer))
    writer.put(...normalization(model, `${layer}.attention.output.LayerNorm`))
    const innerName = `${layer}.intermediate.dense`
    const innerWeights = weightsOf(model, innerName)
    putSmoothedLinear(
      innerWeights,
      biasOf(model, innerName),
      smoothingFactors(maxima.inner, innerWeights, SMOOTHING_ALPHA.inner)
    )
    const outerName = `${layer}.output.dense`
    putLinear(weightsOf(model, outerName), biasOf(model, outerName))
    writer.put(...normalization(model, `${layer}.output.LayerNorm`))
  }
  return writer.toBytes()
}

/**
 * The weights file of the encoder in float32, src/embedding/native/float-encoder.c.
 * @throws RangeError when a size of the model is not a multiple of what the kernels take
 */
export function packFloatWeights(model: SourceModel): Uint8Array {
  const writer = new WeightsWriter(model, true)
  const putLinear = (matrix: Float32Array, bias: Float32Array): void =>
    writer.put(inFloatPanels(matrix, matrix.length / bias.length, bias.length), bias)
  writer.put(
    weightsOf(model, 'embeddings.word_embeddings'),
    positionEmbeddings(model),
    ...normalization(model, 'embeddings.LayerNorm')
  )
  for (let index = 0; index < model.layerCount; index++) {
    const layer = `encoder.layer.${index}`
    const projections = attentionWeights(model, layer)
    putLinear(projections.weights, projections.bias)
    putLinear(weightsOf(model, `${layer}.attention.output.dense`), attentionOutputBias(model, layer))
    writer.put(...normalization(model, `${layer}.attention.output.LayerNorm`))
    for (const name of [`${layer}.intermediate.dense`, `${layer}.output.dense`]) {
      putLinear(weightsOf(model, name), biasOf(model, name))
    }
    writer.put(...normalization(model, `${layer}.output.LayerNorm`))
  }
  return writer.toBytes()
}

function normalization(model: SourceModel, name: string): [Float32Array, Float32Array] {
  return [weightsOf(model, name), biasOf(model, name)]
}

/** What of a model's sizes the kernels do not take, in words; undefined when they take them. */
export function problemOfSizes({ hiddenSize, intermediateSize, headCount }: SourceModel): string | undefined {
  const problems = (
    [
      ['hidden size', hiddenSize, SIZE_MULTIPLE],
      ['intermediate size', intermediateSize, SIZE_MULTIPLE],
      ['head size', hiddenSize / headCount, HEAD_MULTIPLE]
    ] as const
  ).filter(([, size, multiple]) => size % multiple !== 0)
  if (problems.length === 0) return undefined
  return problems.map(([name, size, multiple]) => `the ${name} is ${size}, wanted a multiple of ${multiple}`).join('; ')
}

function headerOf(model: SourceModel, isFloat: boolean): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES)
  header.write(MAGIC, 'latin1')
  const { layerCount, headCount, hiddenSize, intermediateSize, maxTokens, pooling, layerNormEpsilon } = model
  const vocabularySize = model.tensor('embeddings.word_embeddings.weight').shape[0] ?? 0
  const integers = [VERSION, layerCount, headCount, hiddenSize, intermediateSize, maxTokens, vocabularySize]
  const place = [...integers, pooling === 'cls' ? 1 : 0].reduce(
    (at, value) => header.writeInt32LE(value, at),
    MAGIC.length
  )
  header.writeInt32LE(isFloat ? 1 : 0, header.writeFloatLE(layerNormEpsilon, place))
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

/** outputs × inputs, row-major, as panels of columns, each inputs × 16. */
function inFloatPanels(matrix: Float32Array, inputs: number, outputs: number): Float32Array {
  const packed = new Float32Array(matrix.length)
  let place = 0
  for (let panel = 0; panel < outputs; panel += PANEL_COLUMNS) {
    for (let input = 0; input < inputs; input++) {
      for (let column = panel; column < panel + PANEL_COLUMNS; column++) {
        packed[place++] = matrix[column * inputs + input] ?? 0
      }
    }
  }
  return packed
}

/** Sum of each column of inputs × outputs: the kernels take the inputs' zero point out of the products with them. */
function columnSums(values: Int8Array, inputs: number, outputs: number): Int32Array {
  const sums = new Int32Array(outputs)
  for (let input = 0; input < inputs; input++) {
    for (let output = 0; output < outputs; output++) {
      sums[output] = (sums[output] ?? 0) + (values[input * outputs + output] ?? 0)
    }
  }
  return sums
}
