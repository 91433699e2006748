/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ClassGrams } from './class-grams.ts'
import type { ClassSamples, EncodedTexts } from './class-samples.ts'
import type { FloatMatrix, TensorEngine } from './tensor-engine.ts'

/** Maximum number of cached similarities of questions to classes: 16 MB. */
const MAX_KEPT_VALUES = 1 << 22

/** Number of inner products of 384 dimensions that take as long as the call of a product does. */
const PRODUCTS_OF_A_CALL = 2000

/**
 * Similarities of questions to the nearest sample of each class, by embeddings and by character n-grams. Where they do
 * not take too much memory they are cached, since they are the same for any coefficients.
 */
export class ClassNearness {
  readonly #engine: TensorEngine
  readonly #trained: ClassSamples
  readonly #asked: EncodedTexts
  readonly #classCount: number
  /** Cosine of question i and class k at i · classes + k; NaN where it is not known yet. */
  readonly #cosines: Float32Array | undefined
  readonly #grams: ClassGrams | undefined
  /** Similarities of n-grams, as {@link #cosines}. */
  readonly #gramSimilarities: Float32Array | undefined
  #room: Room = { questions: new Float32Array(0), samples: new Float32Array(0), products: new Float32Array(0) }

  /** @param trained the training samples, without held-out ones */
  constructor(engine: TensorEngine, trained: ClassSamples, asked: EncodedTexts) {
    this.#engine = engine
    this.#trained = trained
    this.#asked = asked
    this.#classCount = trained.rowsOfClass.length
    const count = asked.features.rows * this.#classCount
    const isKept = count <= MAX_KEPT_VALUES
    if (isKept) this.#cosines = new Float32Array(count).fill(NaN)
    if (trained.grams !== undefined && asked.grams !== undefined) {
      this.#grams = new ClassGrams(trained.rowsOfClass, trained.grams, asked.grams)
      if (isKept) this.#gramSimilarities = new Float32Array(count).fill(NaN)
    }
  }

  /**
   * Cosine similarity of questions to the nearest sample of a class; −1 for a class without samples.
   * @param classes `width` classes of each question
   */
  async cosines(classes: Int32Array, width: number): Promise<Float64Array> {
    const found = new Float64Array(classes.length).fill(-1)
    const known = this.#cosines
    const unknown = this.#unknownPlaces(known, classes, width)
    if (known !== undefined && this.#isWholeCheaper(unknown)) await this.#multiplyWhole(known)
    else await this.#multiplyByClass(unknown, width, found, known)
    this.#fillKnown(known, classes, width, found)
    return found
  }

  /**
   * Similarity of the n-grams of questions to the nearest sample of a class; 0 for a class without samples and without
   * texts.
   * @param classes `width` classes of each question
   */
  gramSimilarities(classes: Int32Array, width: number): Float64Array {
    const found = new Float64Array(classes.length)
    if (this.#grams === undefined) return found
    const known = this.#gramSimilarities
    for (const [k, places] of this.#unknownPlaces(known, classes, width).entries()) {
      if (places.length === 0) continue
      const asked = places.map((place) => Math.floor(place / width))
      const nearest = this.#grams.similarities(k, asked)
      for (const [i, place] of places.entries()) {
        found[place] = nearest[i]!
        if (known !== undefined) known[asked[i]! * this.#classCount + k] = nearest[i]!
      }
    }
    this.#fillKnown(known, classes, width, found)
    return found
  }

  /** Places of each class whose similarities are not known. */
  #unknownPlaces(known: Float32Array | undefined, classes: Int32Array, width: number): number[][] {
    const places: number[][] = Array.from({ length: this.#classCount }, () => [])
    for (let place = 0; place < classes.length; place++) {
      const k = classes[place]!
      const similarity = known?.[Math.floor(place / width) * this.#classCount + k] ?? NaN
      if (Number.isNaN(similarity)) places[k]!.push(place)
    }
    return places
  }

  #fillKnown(known: Float32Array | undefined, classes: Int32Array, width: number, found: Float64Array): void {
    if (known === undefined) return
    for (let place = 0; place < classes.length; place++) {
      found[place] = known[Math.floor(place / width) * this.#classCount + classes[place]!]!
    }
  }

  /** Whether one product with all samples takes less time than one for each class. */
  #isWholeCheaper(unknown: readonly (readonly number[])[]): boolean {
    const { rowsOfClass } = this.#trained
    const sampleCount = rowsOfClass.reduce((sum, { length }) => sum + length, 0)
    const whole = PRODUCTS_OF_A_CALL + this.#asked.features.rows * sampleCount
    const byClass = unknown.reduce(
      (sum, { length }, k) => sum + (length === 0 ? 0 : PRODUCTS_OF_A_CALL + length * rowsOfClass[k]!.length),
      0
    )
    return whole <= byClass && whole <= MAX_KEPT_VALUES
  }

  /** Computes the cosines of all questions to all classes. */
  async #multiplyWhole(known: Float32Array): Promise<void> {
    const { rowsOfClass } = this.#trained
    const questions = this.#asked.features
    const { values, columns } = await this.#multiply(
      questions,
      rowsOfClass.flatMap((rows) => [...rows])
    )
    known.fill(-1)
    for (let i = 0; i < questions.rows; i++) {
      let at = i * columns
      for (const [k, { length }] of rowsOfClass.entries()) {
        known[i * this.#classCount + k] = greatestOf(values, at, at + length)
        at += length
      }
    }
  }

  /** Computes the cosines at some places of each class. */
  async #multiplyByClass(
    places: readonly (readonly number[])[],
    width: number,
    found: Float64Array,
    known: Float32Array | undefined
  ): Promise<void> {
    for (const [k, ofClass] of places.entries()) {
      if (ofClass.length === 0) continue
      const rows = this.#trained.rowsOfClass[k]!
      const asked = ofClass.map((place) => Math.floor(place / width))
      if (rows.length === 0) {
        for (const question of asked) if (known !== undefined) known[question * this.#classCount + k] = -1
        continue
      }
      this.#room.questions = withRoom(this.#room.questions, asked.length * this.#asked.features.columns)
      const questions = gather(this.#asked.features, asked, this.#room.questions)
      const { values, columns } = await this.#multiply(questions, rows)
      for (const [i, place] of ofClass.entries()) {
        found[place] = greatestOf(values, i * columns, (i + 1) * columns)
        if (known !== undefined) known[asked[i]! * this.#classCount + k] = found[place]
      }
    }
  }

  /** Products of questions with training samples, valid until the next call. */
  async #multiply(questions: FloatMatrix, rows: ArrayLike<number>): Promise<FloatMatrix> {
    const productCount = questions.rows * rows.length
    this.#room.samples = withRoom(this.#room.samples, rows.length * questions.columns)
    this.#room.products = withRoom(this.#room.products, productCount)
    const samples = gather(this.#trained.features, rows, this.#room.samples)
    return this.#engine.product(questions, samples, this.#room.products.subarray(0, productCount))
  }
}

/** Arrays that many products use in turn. */
interface Room {
  questions: Float32Array
  samples: Float32Array
  products: Float32Array
}

function withRoom(array: Float32Array, length: number): Float32Array {
  return array.length >= length ? array : new Float32Array(length)
}

/** Copies rows to the beginning of `into`. */
function gather({ values, columns }: FloatMatrix, rows: ArrayLike<number>, into: Float32Array): FloatMatrix {
  for (let i = 0; i < rows.length; i++) {
    into.set(values.subarray(rows[i]! * columns, (rows[i]! + 1) * columns), i * columns)
  }
  return { values: into.subarray(0, rows.length * columns), rows: rows.length, columns }
}

function greatestOf(values: Float32Array, from: number, to: number): number {
  let greatest = -1
  for (let i = from; i < to; i++) if (values[i]! > greatest) greatest = values[i]!
  return greatest
}
