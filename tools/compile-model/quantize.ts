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

/** Greatest activation: activations are unsigned bytes. */
const MAX_ACTIVATION = 255
const MAX_WEIGHT = 127
/** What the weights of a pair, of one sign, may add up to; rounding adds at most 1. */
const MAX_PAIR = Math.floor(32767 / MAX_ACTIVATION) - 1

/**
 * Rounds a linear layer to signed 8-bit integers, symmetrically, with one scale for each output.
 *
 * CPUs with AVX2 but without VNNI add two products of neighbouring inputs in 16 bits, which saturate (`vpmaddubsw`). An
 * output's scale is just so large that no pair of its weights can overflow them, whatever the activations are. A great
 * weight seldom has a great neighbour of its sign, so that costs far less than a bit; and all CPUs have the same weights.
 *
 * @param weights outputs × inputs, row-major
 */
export function quantizeWeights(weights: Float32Array, outputs: number, inputs: number): QuantizedWeights {
  const scales = new Float32Array(outputs)
  const values = new Int8Array(weights.length)
  for (let output = 0; output < outputs; output++) {
    const row = weights.subarray(output * inputs, (output + 1) * inputs)
    const scale = Math.max(maxAbs(row) / MAX_WEIGHT, maxPair(row) / MAX_PAIR)
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

function maxAbs(values: Float32Array): number {
  let maximum = 0
  for (const value of values) maximum = Math.max(maximum, Math.abs(value))
  return maximum
}

// Within the bounds by construction; the fallback is never taken.
function at(values: Float32Array, index: number): number {
  return values[index] ?? 0
}
