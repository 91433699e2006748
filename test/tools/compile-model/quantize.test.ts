/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bestSmoothingFactors,
  divideOutputs,
  multiply,
  quantizeWeights,
  scaleInputs,
  smoothingFactors,
  transpose
} from '../../../tools/compile-model/quantize.ts'

/** Deterministic weights with a few great ones among many small, as real layers have. */
function heavyTailed(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, index) => Math.sin(index * 12.9898) ** 9 + Math.cos(index) / 20)
}

/** Deterministic values between -1 and 1 that have nothing to do with one another. */
function scattered(index: number): number {
  const value = Math.sin(index + 1) * 43_758.5453
  return 2 * (value - Math.floor(value)) - 1
}

test('transpose() turns outputs x inputs into inputs x outputs, and refuses another size', () => {
  assert.deepEqual(transpose(Float32Array.of(1, 2, 3, 4, 5, 6), 2, 3), Float32Array.of(1, 4, 2, 5, 3, 6))
  assert.throws(() => transpose(new Float32Array(5), 2, 3), /found 5 weights, wanted 2 x 3/)
})

for (const accumulation of ['exact', 'saturating-pairs'] as const) {
  test(`quantizeWeights(${accumulation}) is within half a step of the weights`, () => {
    const [outputs, inputs] = [7, 33]
    const weights = heavyTailed(outputs * inputs)
    const { values, scales } = quantizeWeights(weights, outputs, inputs, accumulation)
    for (let output = 0; output < outputs; output++) {
      const scale = scales[output] ?? Number.NaN
      for (let input = 0; input < inputs; input++) {
        const restored = (values[input * outputs + output] ?? Number.NaN) * scale
        assert.ok(Math.abs(restored - (weights[output * inputs + input] ?? 0)) <= scale * 0.5001)
      }
    }
  })
}

test('quantizeWeights(exact) uses all 8 bits of each output', () => {
  const { values, scales } = quantizeWeights(Float32Array.of(1, -2, 0.5, 0.25), 2, 2, 'exact')
  assert.deepEqual([...values], [64, 127, -127, 64])
  assert.deepEqual(scales, Float32Array.of(2 / 127, 0.5 / 127))
})

test('quantizeWeights(saturating-pairs) lets no pair of products overflow 16 bits', () => {
  const [outputs, inputs] = [16, 384]
  const weights = heavyTailed(outputs * inputs)
  weights[1] = weights[0] = 3 // A pair that would overflow.
  const { values } = quantizeWeights(weights, outputs, inputs, 'saturating-pairs')
  const exact = quantizeWeights(weights, outputs, inputs, 'exact').values
  const greatest = (quantized: Int8Array): number => {
    let maximum = 0
    for (let output = 0; output < outputs; output++) {
      for (let input = 0; input < inputs; input += 2) {
        const pair = [quantized[input * outputs + output] ?? 0, quantized[(input + 1) * outputs + output] ?? 0]
        const positive = pair.reduce((sum, value) => sum + 255 * Math.max(value, 0), 0)
        const negative = pair.reduce((sum, value) => sum + 255 * Math.max(-value, 0), 0)
        maximum = Math.max(maximum, positive, negative)
      }
    }
    return maximum
  }
  assert.ok(greatest(exact) > 32_767)
  assert.ok(greatest(values) <= 32_767)
})

test('quantizeWeights() keeps an output of zeros at zero', () => {
  const { values, scales } = quantizeWeights(new Float32Array(4), 2, 2, 'exact')
  assert.deepEqual(
    [[...values], [...scales]],
    [
      [0, 0, 0, 0],
      [0, 0]
    ]
  )
})

test('smoothingFactors() even out columns, with a geometric mean of 1', () => {
  const maxima = Float32Array.of(100, 1, 0)
  const factors = smoothingFactors(maxima, Float32Array.of(1, 1, 1, -1, 0.5, 1), 0.5)
  assert.ok((factors[0] ?? 0) > 5 * (factors[1] ?? 0))
  assert.ok((factors[2] ?? 0) > 0)
  assert.ok(Math.abs(factors.reduce((product, factor) => product * factor, 1) - 1) < 1e-5)
})

for (const accumulation of ['exact', 'saturating-pairs'] as const) {
  test(`bestSmoothingFactors(${accumulation}) leave less error than too little or too much smoothing`, () => {
    const [rowCount, inputs, outputs] = [300, 24, 16]
    const weights = Float32Array.from(
      { length: outputs * inputs },
      (_, index) => scattered(-index) * 1.1 ** (index % inputs)
    )
    const rows = Array.from({ length: rowCount }, (_, row) =>
      Float32Array.from(
        { length: inputs },
        (_unused, input) => Math.sin(row * 7.3 + input) * (input % 5 === 0 ? 40 : 1)
      )
    )
    const byInput = (combine: (values: readonly number[]) => number): Float32Array =>
      Float32Array.from({ length: inputs }, (_, input) => combine(rows.map((row) => row[input] ?? Number.NaN)))
    const maxima = byInput((values) => Math.max(...values.map(Math.abs)))
    const meanSquares = byInput((values) => values.reduce((sum, value) => sum + value ** 2, 0) / rowCount)

    /** Squared error of the outputs when both factors of the products are rounded. */
    const errorOf = (factors: Float32Array): number => {
      const { values, scales } = quantizeWeights(scaleInputs(weights, factors), outputs, inputs, accumulation)
      const step = Math.max(...maxima.map((maximum, input) => maximum / (factors[input] ?? 1))) / 127
      let error = 0
      for (const row of rows) {
        const rounded = row.map((value, input) => Math.round(value / (factors[input] ?? 1) / step) * step)
        multiply(weights, row).forEach((wanted, output) => {
          const found = rounded.reduce((sum, value, input) => sum + value * (values[input * outputs + output] ?? 0), 0)
          error += (found * (scales[output] ?? 0) - wanted) ** 2
        })
      }
      return error
    }
    const error = errorOf(bestSmoothingFactors({ maxima, meanSquares }, weights, accumulation))
    const errorOfAlpha = (alpha: number): number => errorOf(smoothingFactors(maxima, weights, alpha))
    assert.ok(error < Math.min(errorOfAlpha(0), errorOfAlpha(1)) / 1.5)
    assert.ok(error < 1.1 * Math.min(...[0.5, 0.6, 0.7, 0.8, 0.9].map(errorOfAlpha)))
  })
}

test('what smoothing divides out of the activations it multiplies into the weights', () => {
  const weights = Float32Array.of(1, 2, 3, 4, 5, 6)
  const factors = Float32Array.of(2, 0.5, 4)
  const activations = Float32Array.of(1, 10, 100)
  const smoothed = activations.map((value, index) => value / (factors[index] ?? 1))
  assert.deepEqual(multiply(scaleInputs(weights, factors), smoothed), multiply(weights, activations))
  assert.deepEqual(divideOutputs(weights, Float32Array.of(1, 2)), Float32Array.of(1, 2, 3, 2, 2.5, 3))
})
