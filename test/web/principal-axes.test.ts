/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { principalAxes } from '../../web/src/sentences/principal-axes.ts'

/** Distances between points, which do not depend on how the axes are turned. */
function distancesOf(points: readonly (readonly number[])[]): number[] {
  return points.flatMap((a) => points.map((b) => Math.hypot(...a.map((value, index) => value - (b[index] ?? 0)))))
}

test('principalAxes() keeps the distances of vectors that lie on a plane', () => {
  const u = [0.6, 0.8, 0, 0, 0]
  const v = [0, 0, 0.28, 0.96, 0]
  const onPlane = [
    [3, 1],
    [-2, 0.5],
    [0, -4],
    [1, 1]
  ].map(([a = 0, b = 0]) => u.map((value, index) => a * value + b * (v[index] ?? 0) + 7))
  const { points, explained } = principalAxes(onPlane)
  const expected = distancesOf(onPlane)
  for (const [index, distance] of distancesOf(points).entries()) {
    assert.ok(Math.abs(distance - (expected[index] ?? 0)) < 1e-6, `${distance} for ${expected[index]}`)
  }
  assert.ok(explained > 1 - 1e-9)
})

test('principalAxes() puts the direction of the greatest variance on the first axis', () => {
  const vectors = Array.from({ length: 9 }, (_, index) => [index - 4, ((index * 7) % 5) / 10, 0.01 * (index % 2)])
  const { points, explained } = principalAxes(vectors)
  const [first, last] = [points[0]?.[0] ?? 0, points[8]?.[0] ?? 0]
  assert.ok(Math.abs(Math.abs(last - first) - 8) < 0.05)
  assert.ok(explained > 0.99 && explained < 1)
})

test('principalAxes() takes no vector, one, and equal ones', () => {
  assert.deepEqual(principalAxes([]).points, [])
  assert.deepEqual(principalAxes([[1, 2, 3]]).points, [[0, 0]])
  const equal = principalAxes([
    [1, 0],
    [1, 0],
    [1, 0]
  ])
  assert.ok(equal.points.every(([x, y]) => x === 0 && y === 0))
})
