/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matrix, matrixRow } from '../../src/learning/matrix.ts'
import { fitRidge, ridgeClass, ridgeDecisionValues } from '../../src/learning/ridge.ts'
import fixture from '../fixtures/ridge/cases.json' with { type: 'json' }

const TOLERANCE = 1e-6

for (const known of fixture.cases) {
  test(`fitRidge() equals ${fixture.madeWith}: ${known.name}`, () => {
    const rows = known.features.length
    const features = matrix(Float64Array.from(known.features.flat()), rows, known.dimensions)
    const classCount = Math.max(...known.labels) + 1
    const model = fitRidge(features, Int32Array.from(known.labels), classCount)
    for (const [q, query] of known.queries.entries()) {
      const values = ridgeDecisionValues(model, query)
      const wanted = known.decisionValues[q]!
      assert.equal(values.length, wanted.length)
      for (const [k, value] of values.entries()) {
        assert.ok(Math.abs(value - wanted[k]!) < TOLERANCE, `query ${q} class ${k}: ${value}, wanted ${wanted[k]}`)
      }
      if (!isTied(wanted)) assert.equal(ridgeClass(values, classCount), known.predictedClasses[q])
    }
  })
}

/** Whether rounding decides the class, in the reference as here. */
function isTied(decisionValues: readonly number[]): boolean {
  const [first = 0, second = 0] = decisionValues.toSorted((a, b) => b - a)
  return first - second < TOLERANCE
}

test('ridgeClass() takes the first of equal classes', () => {
  assert.equal(ridgeClass(Float64Array.of(-0.5, 0.25, 0.25), 3), 1)
})

test('ridgeClass() of two classes takes class 0 at decision value 0', () => {
  assert.equal(ridgeClass(Float64Array.of(0), 2), 0)
  assert.equal(ridgeClass(Float64Array.of(1e-9), 2), 1)
})

test('fitRidge() gives the same coefficients from float32 features as from the same numbers in float64', () => {
  const single = Float32Array.from({ length: 60 }, (_, i) => Math.sin(i * i))
  const labels = Int32Array.from({ length: 15 }, (_, i) => i % 3)
  const a = fitRidge(matrix(single, 15, 4), labels, 3)
  const b = fitRidge(matrix(Float64Array.from(single), 15, 4), labels, 3)
  assert.deepEqual(a, b)
})

test('fitRidge() of samples that agree with their mean answers with the share of each class', () => {
  const features = matrix(new Float64Array(8).fill(0.5), 4, 2)
  const model = fitRidge(features, Int32Array.of(0, 1, 1, 2), 3)
  assert.deepEqual([...ridgeDecisionValues(model, matrixRow(features, 0))], [-0.5, 0, -0.5])
})

const three = matrix(Float64Array.of(1, 0, 0, 1, 1, 1), 3, 2)

test('fitRidge() refuses what it cannot fit', () => {
  const refusals: readonly [RegExp, () => unknown][] = [
    [/3 rows but 2 labels/, () => fitRidge(three, Int32Array.of(0, 1), 2)],
    [/no samples/, () => fitRidge(matrix(new Float64Array(0), 0, 2), new Int32Array(0), 0)],
    [/class 1 has no sample/, () => fitRidge(three, Int32Array.of(0, 2, 2), 3)],
    [/label 3 of 3 classes/, () => fitRidge(three, Int32Array.of(0, 1, 3), 3)],
    [/label -1 of 3 classes/, () => fitRidge(three, Int32Array.of(0, 1, -1), 3)],
    [/alpha is 0/, () => fitRidge(three, Int32Array.of(0, 1, 2), 3, 0)],
    [/alpha is NaN/, () => fitRidge(three, Int32Array.of(0, 1, 2), 3, Number.NaN)],
    [/not a finite number/, () => fitRidge(matrix(Float64Array.of(1, Number.NaN), 1, 2), Int32Array.of(0), 1)]
  ]
  for (const [message, fit] of refusals)
    assert.throws(fit, (error) => error instanceof RangeError && message.test(error.message))
})

test('ridgeDecisionValues() refuses an embedding of other dimensions', () => {
  const model = fitRidge(three, Int32Array.of(0, 1, 2), 3)
  assert.throws(() => ridgeDecisionValues(model, [1, 2, 3]), /3 dimensions, the model 2/)
})
