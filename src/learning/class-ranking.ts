/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { greatest } from './candidates.ts'
import { INT16_STEPS, type EmbeddingProducts } from './embedding-products.ts'

/** Number of classes from which on a ranking looks at quantized coefficients first. */
const LEAST_SCREENED = 128
/** Maximum number of classes that are left for exact products; with more of them, all are computed. */
const MAX_LEFT = 64
/** Greatest magnitude of a coefficient as an integer. */
const INT8_STEPS = 127
/** Greatest norm of an embedding for which {@link Screen.errors} hold: 1, and the rounding of its numbers. */
const MAX_NORM = 1.001

/** Coefficients of 8 bits, and how far a logit of theirs may be from the exact one. */
interface Screen {
  /** Classes × d. */
  readonly coefficients: Int8Array
  /** What one step of a product of integers is worth, for each class. */
  readonly units: Float64Array
  readonly errors: Float64Array
  /** All classes, as rows to multiply. */
  readonly all: Int32Array
  readonly products: Int32Array
  readonly leastLogits: Float64Array
  /** Coefficients of the classes that are left. */
  readonly left: Float32Array
}

/** Classes with the greatest logits, descending, the lower class first of equals. */
export interface RankedLogits {
  readonly classes: Int32Array
  readonly logits: Float64Array
}

/**
 * Ranks classes by logit: the inner product of a question's embedding with the coefficients of the class, plus its
 * intercept.
 *
 * With hundreds of classes, a question takes longest to read the coefficients, 0.6 MB for 400 classes, which the encoder's
 * weights have displaced from the CPU's cache. Therefore quantized coefficients, of a quarter of the size, first rule out
 * the classes that cannot be among the greatest. The result is the same: with ŵ a class's quantized coefficients and ê the
 * question's, of 16 bits, its logit differs by at most ‖e‖·‖w − ŵ‖ + ‖e − ê‖·‖ŵ‖ (Cauchy-Schwarz).
 */
export class ClassRanking {
  readonly #coefficients: Float32Array
  readonly #intercepts: Float32Array
  readonly #dimensions: number
  readonly #products: EmbeddingProducts
  readonly #logits: Float64Array
  readonly #screen: Screen | undefined

  /** @param coefficients classes × d */
  constructor(coefficients: Float32Array, intercepts: Float32Array, dimensions: number, products: EmbeddingProducts) {
    this.#coefficients = coefficients
    this.#intercepts = intercepts
    this.#dimensions = dimensions
    this.#products = products
    this.#logits = new Float64Array(intercepts.length)
    this.#screen =
      intercepts.length < LEAST_SCREENED ? undefined : screenOf(coefficients, intercepts.length, dimensions)
  }

  /**
   * Finds the `count` classes with the greatest logits.
   * @param integers the embedding, from `toInt16`
   */
  best(embedding: Float32Array, integers: Int16Array, count: number): RankedLogits {
    const left = this.#screen && normOf(embedding) <= MAX_NORM ? this.#classesLeft(this.#screen, integers, count) : []
    if (this.#screen === undefined || left.length === 0 || left.length > MAX_LEFT)
      return this.#bestOfAll(embedding, count)
    const logits = this.#logits.subarray(0, left.length)
    const d = this.#dimensions
    for (let i = 0; i < left.length; i++) {
      const k = left[i]!
      this.#screen.left.set(this.#coefficients.subarray(k * d, (k + 1) * d), i * d)
      logits[i] = this.#intercepts[k]!
    }
    this.#products.addProducts(embedding, this.#screen.left, d, logits)
    const places = greatest(logits, count)
    return {
      classes: Int32Array.from(places, (place) => left[place]!),
      logits: Float64Array.from(places, (place) => logits[place]!)
    }
  }

  #bestOfAll(embedding: Float32Array, count: number): RankedLogits {
    const logits = this.#logits
    logits.set(this.#intercepts)
    this.#products.addProducts(embedding, this.#coefficients, this.#dimensions, logits)
    const classes = Int32Array.from(greatest(logits, count))
    return { classes, logits: Float64Array.from(classes, (k) => logits[k]!) }
  }

  /** The classes that may be among the `count` greatest, ascending. */
  #classesLeft(screen: Screen, integers: Int16Array, count: number): number[] {
    const { units, errors, products, leastLogits } = screen
    const intercepts = this.#intercepts
    this.#products.multiplyRows(integers, screen.coefficients, screen.all, products)
    for (let k = 0; k < leastLogits.length; k++) leastLogits[k] = intercepts[k]! + products[k]! * units[k]! - errors[k]!
    const last = leastLogits[greatest(leastLogits, count).at(-1)!]!
    const left: number[] = []
    for (let k = 0; k < leastLogits.length; k++) if (leastLogits[k]! + 2 * errors[k]! >= last) left.push(k)
    return left
  }
}

function screenOf(coefficients: Float32Array, classCount: number, dimensions: number): Screen {
  const quantized = new Int8Array(coefficients.length)
  const units = new Float64Array(classCount)
  const errors = new Float64Array(classCount)
  // Half a step of each number.
  const embeddingError = (0.5 / INT16_STEPS) * Math.sqrt(dimensions)
  for (let k = 0; k < classCount; k++) {
    const start = k * dimensions
    let most = 0
    for (let j = start; j < start + dimensions; j++) most = Math.max(most, Math.abs(coefficients[j]!))
    const step = most === 0 ? 1 : most / INT8_STEPS
    let lost = 0
    let kept = 0
    for (let j = start; j < start + dimensions; j++) {
      quantized[j] = Math.round(coefficients[j]! / step)
      lost += (coefficients[j]! - quantized[j]! * step) ** 2
      kept += (quantized[j]! * step) ** 2
    }
    units[k] = step / INT16_STEPS
    // A little more than the bound, for the rounding of the sums.
    errors[k] = 1.001 * (MAX_NORM * Math.sqrt(lost) + embeddingError * Math.sqrt(kept)) + 1e-6
  }
  return {
    coefficients: quantized,
    units,
    errors,
    all: Int32Array.from({ length: classCount }, (_, k) => k),
    products: new Int32Array(classCount),
    leastLogits: new Float64Array(classCount),
    left: new Float32Array(MAX_LEFT * dimensions)
  }
}

function normOf(vector: Float32Array): number {
  let squares = 0
  for (let j = 0; j < vector.length; j++) squares += vector[j]! * vector[j]!
  return Math.sqrt(squares)
}
