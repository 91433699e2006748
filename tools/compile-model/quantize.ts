/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Signed weights of a linear layer, one scale an output: weight ≈ values × scales. */
export interface QuantizedWeights {
  /** inputs × outputs, row-major (the transpose of how PyTorch keeps a linear layer). */
  readonly values: Int8Array
  /** One for each output. */
  readonly scales: Float32Array
}

/**
 * Turns outputs × inputs weights (PyTorch's order) into inputs × outputs (ONNX MatMul's).
 * @throws RangeError when the size is not outputs × inputs
 */
export function transpose(weights: Float32Array, outputs: number, inputs: number): Float32Array {
  if (weights.length !== outputs * inputs) {
    throw new RangeError(`Cannot transpose: found ${weights.length} weights, wanted ${outputs} x ${inputs}`)
  }
  const transposed = new Float32Array(weights.length)
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input++) {
      transposed[input * outputs + output] = at(weights, output * inputs + input)
    }
  }
  return transposed
}

/**
 * How products of bytes are added up: each in 32 bits, or first two of neighbouring inputs in 16 bits, which saturate.
 * The second is how CPUs with AVX2 but without VNNI do it (`vpmaddubsw`).
 */
export type Accumulation = 'exact' | 'saturating-pairs'

/** Greatest activation: activations are unsigned bytes. */
const MAX_ACTIVATION = 255
const MAX_WEIGHT = 127
/** What the weights of a pair, of one sign, may add up to; rounding adds at most 1. */
const MAX_PAIR = Math.floor(32767 / MAX_ACTIVATION) - 1

/**
 * Rounds a linear layer to signed 8-bit integers, symmetrically, with one scale for each output.
 *
 * For `saturating-pairs` an output's scale is just so large that no pair of its weights can overflow 16 bits, whatever
 * the activations are. A great weight seldom has a great neighbour of its sign, so that costs far less than a bit.
 *
 * @param weights outputs × inputs, row-major
 */
export function quantizeWeights(
  weights: Float32Array,
  outputs: number,
  inputs: number,
  accumulation: Accumulation
): QuantizedWeights {
  const scales = new Float32Array(outputs)
  const values = new Int8Array(weights.length)
  for (let output = 0; output < outputs; output++) {
    const row = weights.subarray(output * inputs, (output + 1) * inputs)
    const ofWeights = maxAbs(row) / MAX_WEIGHT
    const scale = accumulation === 'exact' ? ofWeights : Math.max(ofWeights, maxPair(row) / MAX_PAIR)
    scales[output] = scale
    if (scale === 0) continue
    for (let input = 0; input < inputs; input++) values[input * outputs + output] = Math.round(at(row, input) / scale)
  }
  return { values, scales }
}

/** The greatest sum of the positive, or of the negative, weights of inputs 2k and 2k + 1. */
function maxPair(row: Float32Array): number {
  let maximum = 0
  for (let input = 0; input < row.length; input += 2) {
    const first = at(row, input)
    const second = input + 1 < row.length ? at(row, input + 1) : 0
    const positive = Math.max(first, 0) + Math.max(second, 0)
    const negative = Math.max(-first, 0) + Math.max(-second, 0)
    maximum = Math.max(maximum, positive, negative)
  }
  return maximum
}

/**
 * Factors, one for each input column, that move the difficulty of quantising from the activations into the weights:
 * activations are divided by them, weights multiplied. Their geometric mean is 1.
 * Source: SmoothQuant (Xiao et al., 2023), s_j = max|X_j|^α / max|W_j|^(1−α).
 *
 * @param activationMaxima greatest magnitude of each input column over the calibration sentences
 * @param weights outputs × inputs, row-major
 */
export function smoothingFactors(activationMaxima: Float32Array, weights: Float32Array, alpha: number): Float32Array {
  const inputs = activationMaxima.length
  const weightMaxima = new Float32Array(inputs)
  for (let index = 0; index < weights.length; index++) {
    const input = index % inputs
    weightMaxima[input] = Math.max(at(weightMaxima, input), Math.abs(at(weights, index)))
  }
  const smallest = 1e-4 // A column that is always zero must not get a factor of zero.
  const factors = activationMaxima.map(
    (maximum, input) =>
      Math.max(maximum, smallest) ** alpha / Math.max(at(weightMaxima, input), smallest) ** (1 - alpha)
  )
  const geometricMean = Math.exp(factors.reduce((sum, factor) => sum + Math.log(factor), 0) / inputs)
  return factors.map((factor) => factor / geometricMean)
}

/** What calibration sentences show of each input column of a linear layer. */
export interface ActivationStatistics {
  /** Greatest magnitudes. */
  readonly maxima: Float32Array
  readonly meanSquares: Float32Array
}

/** Powers that are tried where the inputs have one scale for all tokens. */
const ALPHAS = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]

/**
 * The {@link smoothingFactors} of least error for a layer whose inputs are quantised with one scale for all tokens.
 * Expected of each rounding is the square of its step / 12, as of values spread evenly over the step.
 *
 * @param weights outputs × inputs, row-major
 */
export function bestSmoothingFactors(
  activations: ActivationStatistics,
  weights: Float32Array,
  accumulation: Accumulation
): Float32Array {
  const candidates = ALPHAS.map((alpha) => {
    const factors = smoothingFactors(activations.maxima, weights, alpha)
    return { factors, error: expectedError(activations, weights, factors, accumulation) }
  })
  return candidates.reduce((best, candidate) => (candidate.error < best.error ? candidate : best)).factors
}

/** Mean of the squares of all outputs' errors, added up; without the constant factor that all candidates share. */
function expectedError(
  { maxima, meanSquares }: ActivationStatistics,
  weights: Float32Array,
  factors: Float32Array,
  accumulation: Accumulation
): number {
  const smoothed = scaleInputs(weights, factors)
  const inputs = factors.length
  const activationStep = Math.max(...divide(maxima, factors)) / MAX_WEIGHT
  const { scales } = quantizeWeights(smoothed, weights.length / inputs, inputs, accumulation)
  const squaredInputs = meanSquares.reduce((sum, square, input) => sum + square / at(factors, input) ** 2, 0)
  return activationStep ** 2 * sumOfSquares(smoothed) + sumOfSquares(scales) * squaredInputs
}

/** Multiplies each input column of outputs × inputs weights by its factor. */
export function scaleInputs(weights: Float32Array, factors: Float32Array): Float32Array {
  return weights.map((weight, index) => weight * at(factors, index % factors.length))
}

/** Divides each output row of outputs × inputs weights by its divisor. */
export function divideOutputs(weights: Float32Array, divisors: Float32Array): Float32Array {
  const inputs = weights.length / divisors.length
  return weights.map((weight, index) => weight / at(divisors, Math.floor(index / inputs)))
}

/** outputs × inputs weights times a vector of inputs. */
export function multiply(weights: Float32Array, vector: Float32Array): Float32Array {
  const inputs = vector.length
  const product = new Float32Array(weights.length / inputs)
  for (let output = 0; output < product.length; output++) {
    let sum = 0
    for (let input = 0; input < inputs; input++) sum += at(weights, output * inputs + input) * at(vector, input)
    product[output] = sum
  }
  return product
}

/** Sum of two vectors of one length. */
export function add(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, index) => value + at(b, index))
}

/** Difference of two vectors of one length. */
export function subtract(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, index) => value - at(b, index))
}

/** Quotient of two vectors of one length. */
export function divide(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, index) => value / at(b, index))
}

function sumOfSquares(values: Float32Array): number {
  let sum = 0
  for (const value of values) sum += value * value
  return sum
}

function maxAbs(values: Float32Array): number {
  let maximum = 0
  for (const value of values) maximum = Math.max(maximum, Math.abs(value))
  return maximum
}

// Within the bounds by construction; the fallback is never taken.
function at(values: Float32Array, index: number): number {
  return values[index] ?? 0
}
