/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minimize, type Differentiable } from '../../src/learning/minimize.ts'

const options = { gradientTolerance: 1e-8, maxEvaluations: 500 }

interface Evaluation {
  readonly value: number
  readonly gradient: Float64Array
}

/** The function as minimize() takes it. */
function differentiable(evaluate: (point: Float64Array) => Evaluation): Differentiable {
  return async (point, gradient) => {
    const evaluation = evaluate(point)
    gradient.set(evaluation.gradient)
    return evaluation.value
  }
}

/** Σ scale·(x − target)², a bowl that is `scales` times steeper along one axis than along another. */
function bowl(scales: readonly number[], target: readonly number[]) {
  return differentiable((point) => ({
    value: point.reduce((sum, x, i) => sum + scales[i]! * (x - target[i]!) ** 2, 0),
    gradient: point.map((x, i) => 2 * scales[i]! * (x - target[i]!))
  }))
}

const rosenbrock = differentiable(([x = 0, y = 0]) => ({
  value: (1 - x) ** 2 + 100 * (y - x * x) ** 2,
  gradient: Float64Array.of(-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x))
}))

/** A bowl whose value is exact to 24 bits only, as that of a float32 computation. */
const noisy = differentiable(([x = 0]) => ({
  value: Math.fround(1 + (x - 1) ** 2),
  gradient: Float64Array.of(2 * (x - 1))
}))

/** A bowl with a small value, and so with a small slope everywhere. */
const flat = differentiable(([x = 0]) => ({
  value: 1e-4 * (1 + x * x),
  gradient: Float64Array.of(2e-4 * x)
}))

/** Straight but for a bowl at the bottom, as Huber's loss is. */
const huber = differentiable(([x = 0]) =>
  Math.abs(x) < 1
    ? { value: (x * x) / 2, gradient: Float64Array.of(x) }
    : { value: Math.abs(x) - 0.5, gradient: Float64Array.of(Math.sign(x)) }
)

test('minimize() finds the bottom of a narrow bowl', async () => {
  const target = [3, -2, 0.5]
  const found = await minimize(bowl([1, 1000, 0.01], target), new Float64Array(3), options)
  assert.ok(found.converged)
  for (const [i, x] of found.point.entries()) assert.ok(Math.abs(x - target[i]!) < 1e-5)
})

test('minimize() finds the bottom of the curved valley of Rosenbrock', async () => {
  const found = await minimize(rosenbrock, Float64Array.of(-1.2, 1), options)
  assert.ok(found.converged)
  assert.ok(Math.abs(found.point[0]! - 1) < 1e-6 && Math.abs(found.point[1]! - 1) < 1e-6)
})

test('minimize() goes on until the slope is small beside the value, where that is asked', async () => {
  const loose = { gradientTolerance: 1e-2, maxEvaluations: 500 }
  assert.equal((await minimize(flat, Float64Array.of(3), loose)).evaluations, 1)
  const { point, converged } = await minimize(flat, Float64Array.of(3), { ...loose, relativeTolerance: 0.01 })
  assert.ok(converged && Math.abs(point[0]!) < 0.006, `${point[0]}`)
})

test('minimize() at the bottom evaluates once and leaves the start as it was', async () => {
  const start = Float64Array.of(1, 2)
  const found = await minimize(bowl([1, 1], [1, 2]), start, options)
  assert.equal(found.evaluations, 1)
  assert.ok(found.converged)
  assert.deepEqual([...start], [1, 2])
})

test('minimize() gives the best point when its evaluations run out', async () => {
  const start = Float64Array.of(50, 50)
  const found = await minimize(bowl([1, 1000], [0, 0]), start, { ...options, maxEvaluations: 4 })
  assert.equal(found.evaluations, 4)
  assert.equal(found.converged, false)
  assert.ok(found.value < 50 * 50 * 1001)
})

test('minimize() stops where rounding hides any further gain', async () => {
  const found = await minimize(noisy, Float64Array.of(0), { gradientTolerance: 0, maxEvaluations: 10_000 })
  assert.ok(found.evaluations < 200)
  assert.ok(Math.abs(found.point[0]! - 1) < 1e-3)
})

test('minimize() comes down a straight slope, where a step shows no curvature', async () => {
  const found = await minimize(huber, Float64Array.of(20), options)
  assert.ok(found.converged)
  assert.ok(Math.abs(found.point[0]!) < 1e-6)
  assert.ok(found.evaluations < 50, `${found.evaluations} evaluations`)
})
