/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/*
 * Arithmetic of vectors. Functions of Float64Array accept no other arrays: V8 compiles a loop for the kinds of array
 * that it has seen, and a `dot` that had seen three took five times as long. Sums are computed in parts, since each
 * addition in one sum waits for the one before.
 */

/** Inner product of two vectors of equal length and of any kind; {@link dot} is faster. */
export function dotOfAny(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** Inner product of two vectors of equal length. */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum0 = 0
  let sum1 = 0
  let sum2 = 0
  let sum3 = 0
  let i = 0
  for (; i + 3 < a.length; i += 4) {
    sum0 += a[i]! * b[i]!
    sum1 += a[i + 1]! * b[i + 1]!
    sum2 += a[i + 2]! * b[i + 2]!
    sum3 += a[i + 3]! * b[i + 3]!
  }
  for (; i < a.length; i++) sum0 += a[i]! * b[i]!
  return sum0 + sum1 + (sum2 + sum3)
}

/**
 * Sets `target` to `scale · target + factor · source` and returns the inner product of `target` with `other`.
 * @param scale 1 unless given
 */
export function addScaledAndDot(
  target: Float64Array,
  factor: number,
  source: Float64Array,
  other: Float64Array,
  scale = 1
): number {
  let sum0 = 0
  let sum1 = 0
  let i = 0
  for (; i + 1 < target.length; i += 2) {
    const value0 = scale * target[i]! + factor * source[i]!
    const value1 = scale * target[i + 1]! + factor * source[i + 1]!
    target[i] = value0
    target[i + 1] = value1
    sum0 += value0 * other[i]!
    sum1 += value1 * other[i + 1]!
  }
  for (; i < target.length; i++) {
    target[i] = scale * target[i]! + factor * source[i]!
    sum0 += target[i]! * other[i]!
  }
  return sum0 + sum1
}

/** Sets `target` to −`source` and returns the inner product of `target` with `other`. */
export function negateAndDot(target: Float64Array, source: Float64Array, other: Float64Array): number {
  let sum0 = 0
  let sum1 = 0
  let i = 0
  for (; i + 1 < target.length; i += 2) {
    target[i] = -source[i]!
    target[i + 1] = -source[i + 1]!
    sum0 -= source[i]! * other[i]!
    sum1 -= source[i + 1]! * other[i + 1]!
  }
  for (; i < target.length; i++) {
    target[i] = -source[i]!
    sum0 -= source[i]! * other[i]!
  }
  return sum0 + sum1
}

/** Sets `target` to `base + factor · source`. */
export function setToSum(target: Float64Array, base: Float64Array, factor: number, source: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i] = base[i]! + factor * source[i]!
}

/** The greatest absolute value; NaN when there is any. */
export function greatestMagnitude(values: Float64Array): number {
  let greatest = 0
  for (let i = 0; i < values.length; i++) {
    const magnitude = Math.abs(values[i]!)
    if (magnitude > greatest) greatest = magnitude
    else if (Number.isNaN(magnitude)) return magnitude
  }
  return greatest
}
