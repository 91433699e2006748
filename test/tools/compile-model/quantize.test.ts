/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
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

test('transpose() turns outputs x inputs into inputs x outputs, and refuses another size', () => {
  assert.deepEqual(transpose(Float32Array.of(1, 2, 3, 4, 5, 6), 2, 3), Float32Array.of(1, 4, 2, 5, 3, 6))
  assert.throws(() => transpose(new Float32Array(5), 2, 3), /found 5 weights, wanted 2 x 3/)
})

test('quantizeWeights() is within half a step of the weights', () => {
  const [outputs, inputs] = [7, 33]
  const weights = heavyTailed(outputs * inputs)
  const { values, scales } = quantizeWeights(weights, outputs, inputs)
  for (let output = 0; output < outputs; output++) {
    const scale = scales[output] ?? Number.NaN
    for (let input = 0; input < inputs; input++) {
      const restored = (values[input * outputs + output] ?? Number.NaN) * scale
      assert.ok(Math.abs(restored - (weights[output * inputs + input] ?? 0)) <= scale * 0.5001)
    }
  }
})

test('quantizeWeights() uses all 8 bits of an output of which no pair is great', () => {
  const { values, scales } = quantizeWeights(Float32Array.of(1, -2, 0.5, -0.25), 2, 2)
  assert.deepEqual([...values], [64, 127, -127, -63])
  assert.deepEqual(scales, Float32Array.of(2 / 127, 0.5 / 127))
})

test('quantizeWeights() lets no pair of products overflow 16 bits', () => {
  const [outputs, inputs] = [16, 384]
  const weights = heavyTailed(outputs * inputs)
  weights[1] = weights[0] = 3 // With the scale of its greatest weight, this pair would overflow.
  const { values, scales } = quantizeWeights(weights, outputs, inputs)
  assert.ok((scales[0] ?? 0) > 1.9 * (3 / 127))
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input += 2) {
      const pair = [values[input * outputs + output] ?? 0, values[(input + 1) * outputs + output] ?? 0]
      const positive = pair.reduce((sum, value) => sum + 255 * Math.max(value, 0), 0)
      const negative = pair.reduce((sum, value) => sum + 255 * Math.max(-value, 0), 0)
      assert.ok(Math.max(positive, negative) <= 32_767)
    }
  }
})

test('quantizeWeights() keeps an output of zeros at zero', () => {
  const { values, scales } = quantizeWeights(new Float32Array(4), 2, 2)
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

test('what smoothing divides out of the activations it multiplies into the weights', () => {
  const weights = Float32Array.of(1, 2, 3, 4, 5, 6)
  const factors = Float32Array.of(2, 0.5, 4)
  const activations = Float32Array.of(1, 10, 100)
  const smoothed = activations.map((value, index) => value / (factors[index] ?? 1))
  assert.deepEqual(multiply(scaleInputs(weights, factors), smoothed), multiply(weights, activations))
  assert.deepEqual(divideOutputs(weights, Float32Array.of(1, 2)), Float32Array.of(1, 2, 3, 2, 2.5, 3))
})
