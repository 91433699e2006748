/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { addScaled, addScaledAndDot, dot, greatestMagnitude } from './vectors.ts'

/** Value and gradient of a function at one point. */
export interface Evaluation {
  readonly value: number
  readonly gradient: Float64Array
}

export interface MinimizeOptions {
  /** The search stops when no component of the gradient is greater. */
  readonly gradientTolerance: number
  /** Stop only when also no component is greater than this share of the value. */
  readonly relativeTolerance?: number
  /** Maximum number of evaluations of the function; then the best point so far is returned. */
  readonly maxEvaluations: number
}

export interface Minimum {
  readonly point: Float64Array
  readonly value: number
  readonly evaluations: number
  /** Whether the gradient's tolerance was reached. */
  readonly converged: boolean
}

const HISTORY_LENGTH = 6
/**
 * A step is accepted when the value falls by at least this share of the decrease that the slope predicts (Armijo's
 * condition).
 */
const SUFFICIENT_DECREASE = 1e-4
const MAX_HALVINGS = 20
/**
 * Relative error of a value summed in float32. Differences below it do not show whether a step is an improvement, so
 * the slope decides.
 */
const VALUE_PRECISION = 1e-6
/** A step within that error is accepted when at most this share of the slope remains. */
const REMAINING_SLOPE = 0.9

/**
 * Minimises a smooth convex function by L-BFGS with backtracking.
 *
 * Only the first of Wolfe's conditions is enforced: a convex function has positive curvature along any step, and steps
 * without it, because of rounding, are kept out of the history. Where rounding hides the decrease itself, the slope
 * decides.
 * Source: Nocedal and Wright, "Numerical Optimization", 2nd edition, algorithms 7.4, 7.5 and 3.1; Hager and Zhang 2005,
 * "A new conjugate gradient method with guaranteed descent", approximate Wolfe conditions.
 * @param start not changed
 */
export async function minimize(
  evaluate: (point: Float64Array) => Promise<Evaluation>,
  start: Float64Array,
  options: MinimizeOptions
): Promise<Minimum> {
  const { gradientTolerance, relativeTolerance } = options
  const isFlat = (one: Evaluation): boolean => {
    const tolerance = relativeTolerance === undefined ? Infinity : relativeTolerance * one.value
    return greatestMagnitude(one.gradient) <= Math.min(gradientTolerance, tolerance)
  }
  const history: Correction[] = []
  let point = start
  let { value, gradient } = await evaluate(point)
  let evaluations = 1
  let converged = isFlat({ value, gradient })
  while (!converged && evaluations < options.maxEvaluations) {
    const direction = descentDirection(gradient, history)
    const slope = dot(direction, gradient)
    let step = history.length > 0 ? 1 : Math.min(1, 1 / Math.sqrt(-slope))
    let next: Evaluation | undefined
    let nextPoint = point
    for (let halving = 0; halving < MAX_HALVINGS && evaluations < options.maxEvaluations; halving++) {
      nextPoint = point.slice()
      addScaled(nextPoint, step, direction)
      const tried = await evaluate(nextPoint)
      evaluations += 1
      const rise = tried.value - value
      const gains = rise <= SUFFICIENT_DECREASE * step * slope
      const flattens =
        rise <= VALUE_PRECISION * Math.abs(value) &&
        Math.abs(dot(tried.gradient, direction)) <= REMAINING_SLOPE * Math.abs(slope)
      if (gains || flattens) {
        next = tried
        break
      }
      step = interpolatedStep(step, slope, rise)
    }
    // No step is an improvement: the value is as exact as the arithmetic allows.
    if (next === undefined) break
    remember(history, point, gradient, nextPoint, next.gradient)
    point = nextPoint
    value = next.value
    gradient = next.gradient
    converged = isFlat(next)
  }
  return { point, value, evaluations, converged }
}

/** An accepted step and the change of the gradient over it. */
interface Correction {
  readonly step: Float64Array
  readonly change: Float64Array
  /** 1 / (step · change). */
  readonly rho: number
}

function remember(
  history: Correction[],
  point: Float64Array,
  gradient: Float64Array,
  nextPoint: Float64Array,
  nextGradient: Float64Array
): void {
  const step = nextPoint.slice()
  addScaled(step, -1, point)
  const change = nextGradient.slice()
  addScaled(change, -1, gradient)
  const curvature = dot(step, change)
  if (curvature <= 1e-12 * dot(change, change)) return
  history.push({ step, change, rho: 1 / curvature })
  if (history.length > HISTORY_LENGTH) history.shift()
}

/** −H·gradient, H being the inverse Hessian that the history implies: the two-loop recursion. */
function descentDirection(gradient: Float64Array, history: readonly Correction[]): Float64Array {
  const direction = new Float64Array(gradient.length)
  for (let i = 0; i < gradient.length; i++) direction[i] = -gradient[i]!
  const latest = history.at(-1)
  if (latest === undefined) return direction
  // Each pass over the vectors also computes the inner product that the next pass needs: with many classes the vectors
  // do not fit the cache.
  const alphas: number[] = []
  let product = dot(latest.step, direction)
  for (let i = history.length - 1; i >= 0; i--) {
    const { change, rho } = history[i]!
    alphas[i] = rho * product
    product = addScaledAndDot(direction, -alphas[i]!, change, history[i - 1]?.step ?? change)
  }
  const scale = 1 / (latest.rho * dot(latest.change, latest.change))
  for (let i = 0; i < direction.length; i++) direction[i]! *= scale
  product *= scale
  for (const [i, { step, rho }] of history.entries()) {
    product = addScaledAndDot(direction, alphas[i]! - rho * product, step, history[i + 1]?.change ?? step)
  }
  return direction
}

/**
 * Minimum of the parabola through the value, the slope and the value at `step`, limited to between a tenth and a half
 * of `step`.
 */
function interpolatedStep(step: number, slope: number, rise: number): number {
  const parabola = (-slope * step * step) / (2 * (rise - slope * step))
  return Number.isFinite(parabola) ? Math.min(Math.max(parabola, step / 10), step / 2) : step / 10
}
