/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { choleskyInPlace, choleskySolveInPlace } from './matrix.ts'

/** Value, gradient and Hessian (lower triangle, row-major) of a convex function of a few parameters. */
export interface Curve {
  readonly value: number
  readonly gradient: Float64Array
  readonly hessian: Float64Array
}

const MAX_STEPS = 50
const MAX_HALVINGS = 30

/**
 * Minimises a strictly convex function of a few parameters by Newton's method with a backtracking line search.
 * Source: Boyd and Vandenberghe, "Convex Optimization", algorithm 9.5.
 */
export function minimizeByNewton(curve: (point: Float64Array) => Curve, start: Float64Array): Float64Array {
  let point = start
  let current = curve(point)
  for (let step = 0; step < MAX_STEPS; step++) {
    const factor = current.hessian.slice()
    choleskyInPlace(factor, point.length)
    const direction = current.gradient.map((g) => -g)
    choleskySolveInPlace(factor, point.length, direction, 1)
    const slope = direction.reduce((sum, x, i) => sum + x * current.gradient[i]!, 0)
    if (-slope / 2 < 1e-10) break
    let length = 1
    let next = point
    for (let halving = 0; halving < MAX_HALVINGS; halving++, length /= 2) {
      next = point.map((x, i) => x + length * direction[i]!)
      const tried = curve(next)
      if (tried.value <= current.value + 0.1 * length * slope) {
        current = tried
        break
      }
    }
    point = next
  }
  return point
}
