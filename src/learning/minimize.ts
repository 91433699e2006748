/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { addScaledAndDot, dot, greatestMagnitude, negateAndDot, setToSum } from './vectors.ts'

/**
 * A function and its gradient.
 * @param gradient receives the gradient at the point
 * @returns the value at the point
 */
export type Differentiable = (point: Float64Array, gradient: Float64Array) => Promise<number>

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
 * Vectors are reused from step to step: with many classes each is a megabyte.
 * @param start not changed
 */
export async function minimize(
  evaluate: Differentiable,
  start: Float64Array,
  options: MinimizeOptions
): Promise<Minimum> {
  const { gradientTolerance, relativeTolerance } = options
  const isFlat = (gradient: Float64Array, value: number): boolean => {
    const tolerance = relativeTolerance === undefined ? Infinity : relativeTolerance * value
    return greatestMagnitude(gradient) <= Math.min(gradientTolerance, tolerance)
  }
  const history = new History()
  let at: Place = { point: start.slice(), gradient: new Float64Array(start.length) }
  let next: Place = { point: new Float64Array(start.length), gradient: new Float64Array(start.length) }
  const direction = new Float64Array(start.length)
  let value = await evaluate(at.point, at.gradient)
  let evaluations = 1
  let converged = isFlat(at.gradient, value)
  while (!converged && evaluations < options.maxEvaluations) {
    const slope = history.descend(direction, at.gradient)
    let step = history.isEmpty ? Math.min(1, 1 / Math.sqrt(-slope)) : 1
    let accepted: number | undefined
    for (let halving = 0; halving < MAX_HALVINGS && evaluations < options.maxEvaluations; halving++) {
      setToSum(next.point, at.point, step, direction)
      const tried = await evaluate(next.point, next.gradient)
      evaluations += 1
      const rise = tried - value
      const gains = rise <= SUFFICIENT_DECREASE * step * slope
      const isFlatter = () => Math.abs(dot(next.gradient, direction)) <= REMAINING_SLOPE * Math.abs(slope)
      if (gains || (rise <= VALUE_PRECISION * Math.abs(value) && isFlatter())) {
        accepted = tried
        break
      }
      step = interpolatedStep(step, slope, rise)
    }
    // No step is an improvement: the value is as exact as the arithmetic allows.
    if (accepted === undefined) break
    history.remember(at, next)
    ;[at, next] = [next, at]
    value = accepted
    converged = isFlat(at.gradient, value)
  }
  return { point: at.point, value, evaluations, converged }
}

/** A point and the gradient at it. */
interface Place {
  readonly point: Float64Array
  readonly gradient: Float64Array
}

/** An accepted step and the change of the gradient over it. */
interface Correction {
  readonly step: Float64Array
  readonly change: Float64Array
  /** 1 / (step · change). */
  rho: number
  /** Ratio of step · change to change · change. */
  scale: number
}

/** The latest corrections, which imply an inverse Hessian. */
class History {
  readonly #corrections: Correction[] = []
  /** The correction that was dropped last. */
  #dropped: Correction | undefined

  get isEmpty(): boolean {
    return this.#corrections.length === 0
  }

  remember(from: Place, to: Place): void {
    const { length } = from.point
    const correction = this.#dropped ?? {
      step: new Float64Array(length),
      change: new Float64Array(length),
      rho: 0,
      scale: 0
    }
    const { step, change } = correction
    setToSum(step, to.point, -1, from.point)
    setToSum(change, to.gradient, -1, from.gradient)
    const curvature = dot(step, change)
    const squares = dot(change, change)
    this.#dropped = correction
    if (curvature <= 1e-12 * squares) return
    correction.rho = 1 / curvature
    correction.scale = 1 / (correction.rho * squares)
    this.#corrections.push(correction)
    this.#dropped = this.#corrections.length > HISTORY_LENGTH ? this.#corrections.shift() : undefined
  }

  /**
   * Sets `direction` to −H·gradient, H being the inverse Hessian: the two-loop recursion.
   * @returns the inner product of direction and gradient
   */
  descend(direction: Float64Array, gradient: Float64Array): number {
    const corrections = this.#corrections
    const latest = corrections.at(-1)
    // Each pass over the vectors also computes the inner product that the next pass needs: with many classes the vectors
    // do not fit the cache.
    let product = negateAndDot(direction, gradient, latest?.step ?? gradient)
    if (latest === undefined) return product
    const alphas: number[] = []
    for (let i = corrections.length - 1; i >= 0; i--) {
      const { change, rho } = corrections[i]!
      alphas[i] = rho * product
      product = addScaledAndDot(direction, -alphas[i]!, change, corrections[i - 1]?.step ?? change)
    }
    let { scale } = latest
    product *= scale
    for (const [i, { step, rho }] of corrections.entries()) {
      const factor = alphas[i]! - rho * product
      product = addScaledAndDot(direction, factor, step, corrections[i + 1]?.change ?? gradient, scale)
      scale = 1
    }
    return product
  }
}

/**
 * Minimum of the parabola through the value, the slope and the value at `step`, limited to between a tenth and a half
 * of `step`.
 */
function interpolatedStep(step: number, slope: number, rise: number): number {
  const parabola = (-slope * step * step) / (2 * (rise - slope * step))
  return Number.isFinite(parabola) ? Math.min(Math.max(parabola, step / 10), step / 2) : step / 10
}
