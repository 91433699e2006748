/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { GRAM_BUCKETS, weightOfGram, type Grams } from './character-grams.ts'

/**
 * Similarities of questions to the nearest sample of a class, by character n-grams: the numbers of a `GramIndex` of all
 * samples. Only the samples of a class are indexed at a time, so that few n-grams are compared and all sums stay in the
 * first-level cache.
 */
export class ClassGrams {
  readonly #rowsOfClass: readonly Int32Array[]
  readonly #trained: readonly Grams[]
  readonly #asked: readonly Grams[]
  /** Weight of each bucket. */
  readonly #weights: Float32Array
  /** 1 / norm of each training sample and of each question; 0 without n-grams. */
  readonly #trainedInverseLengths: Float64Array
  readonly #askedInverseLengths: Float64Array
  /** Start and end of each bucket's samples in {@link #samples}; 0 and 0 without samples. */
  readonly #ranges = new Uint32Array(2 * GRAM_BUCKETS)
  /** Buckets that have samples. */
  readonly #buckets = new Uint16Array(GRAM_BUCKETS)
  /** Positions in the class. */
  #samples = new Uint32Array(0)

  /**
   * @param rowsOfClass training samples of each class, without held-out ones
   * @param trained n-grams of all samples
   */
  constructor(rowsOfClass: readonly Int32Array[], trained: readonly Grams[], asked: readonly Grams[]) {
    this.#rowsOfClass = rowsOfClass
    this.#trained = trained
    this.#asked = asked
    const counts = new Uint32Array(GRAM_BUCKETS)
    let count = 0
    for (const rows of rowsOfClass) {
      count += rows.length
      for (const row of rows) {
        const grams = trained[row]!
        for (let i = 0; i < grams.length; i++) counts[grams[i]!]! += 1
      }
    }
    this.#weights = Float32Array.from(counts, (textsWithIt) => weightOfGram(textsWithIt, count))
    // In full precision, as in GramIndex, unlike the weights of n-grams that samples have.
    const weightOfUnknown = weightOfGram(0, count)
    const inverseLengthOf = (grams: Grams): number => {
      let squares = 0
      for (let i = 0; i < grams.length; i++) {
        const bucket = grams[i]!
        squares += (counts[bucket] === 0 ? weightOfUnknown : this.#weights[bucket]!) ** 2
      }
      return squares === 0 ? 0 : 1 / Math.sqrt(squares)
    }
    this.#trainedInverseLengths = new Float64Array(trained.length)
    for (const rows of rowsOfClass) {
      for (const row of rows) this.#trainedInverseLengths[row] = inverseLengthOf(trained[row]!)
    }
    this.#askedInverseLengths = Float64Array.from(asked, inverseLengthOf)
  }

  /**
   * Similarity to the nearest sample of class `k`, 0 to 1; 0 for a class without samples.
   * @param questions positions of the questions
   */
  similarities(k: number, questions: readonly number[]): Float32Array {
    const rows = this.#rowsOfClass[k]!
    const bucketCount = this.#index(rows)
    const lengths = Float64Array.from(rows, (row) => this.#trainedInverseLengths[row]!)
    const sums = new Float32Array(rows.length)
    const nearest = new Float32Array(questions.length)
    for (let i = 0; i < questions.length; i++) {
      const question = questions[i]!
      this.#sumCommon(this.#asked[question]!, sums)
      const inverseLength = this.#askedInverseLengths[question]!
      let greatest = 0
      for (let j = 0; j < sums.length; j++) greatest = Math.max(greatest, sums[j]! * inverseLength * lengths[j]!)
      nearest[i] = Math.min(1, greatest)
    }
    for (let i = 0; i < bucketCount; i++) this.#ranges.fill(0, 2 * this.#buckets[i]!, 2 * this.#buckets[i]! + 2)
    return nearest
  }

  /**
   * Lists the samples of each bucket.
   * @returns number of buckets that have samples
   */
  #index(rows: Int32Array): number {
    const ranges = this.#ranges
    const buckets = this.#buckets
    let bucketCount = 0
    // First the second number of a range is its length.
    for (const row of rows) {
      const grams = this.#trained[row]!
      for (let i = 0; i < grams.length; i++) {
        const bucket = grams[i]!
        if (this.#weights[bucket] === 0) continue
        if (ranges[2 * bucket + 1] === 0) buckets[bucketCount++] = bucket
        ranges[2 * bucket + 1]! += 1
      }
    }
    let total = 0
    for (let i = 0; i < bucketCount; i++) {
      const at = 2 * buckets[i]!
      const length = ranges[at + 1]!
      ranges[at] = total
      ranges[at + 1] = total
      total += length
    }
    if (this.#samples.length < total) this.#samples = new Uint32Array(total)
    const samples = this.#samples
    for (let j = 0; j < rows.length; j++) {
      const grams = this.#trained[rows[j]!]!
      for (let i = 0; i < grams.length; i++) {
        const bucket = grams[i]!
        if (this.#weights[bucket] !== 0) samples[ranges[2 * bucket + 1]!++] = j
      }
    }
    return bucketCount
  }

  /** Sums the squared weights of the n-grams that each sample of the class shares with `grams`. */
  #sumCommon(grams: Grams, sums: Float32Array): void {
    const ranges = this.#ranges
    const samples = this.#samples
    sums.fill(0)
    for (let i = 0; i < grams.length; i++) {
      const bucket = grams[i]!
      const end = ranges[2 * bucket + 1]!
      if (end === 0) continue
      const square = this.#weights[bucket]! ** 2
      for (let at = ranges[2 * bucket]!; at < end; at++) sums[samples[at]!]! += square
    }
  }
}
