/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Number of hash buckets for n-grams. */
export const GRAM_BUCKETS = 1 << 16
/** Number of buckets whose position in an index is looked up together. */
const PAGE_BUCKETS = 32
const SHORTEST = 3
const LONGEST = 5
/**
 * An n-gram that occurs in more than this share of the texts, and in more than {@link LEAST_COMMON} of them, is
 * ignored: such n-grams carry little information and take most of the time, a tenth of a millisecond for a question to
 * a mentor of ten thousand phrases.
 */
const COMMON_SHARE = 1 / 8
const LEAST_COMMON = 16
/** Maximum number of characters of a text that are read: no phrase is longer, and it limits the cost of long texts. */
const MAX_CHARACTERS = 2000

/** Sorted buckets of a text's n-grams, each once. */
export type Grams = Uint16Array

/**
 * Character n-grams of a text: 3 to 5 characters within each word, the word's boundaries counted as a space, in lower case.
 * They match misspelt words, and names that the encoder does not know. Characters other than letters and digits separate
 * words. `gramsOf('Ok')` are the buckets of " ok", "ok " and " ok ". Pairs of characters would take half of the time and
 * gain nothing.
 */
export function gramsOf(text: string): Grams {
  const words =
    text
      .slice(0, MAX_CHARACTERS)
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  // Each character, and the space before each word, begins at most three.
  const mostCount = words.reduce((sum, word) => sum + (LONGEST - SHORTEST + 1) * (word.length + 1), 0)
  const found = new Uint16Array(mostCount)
  let count = 0
  for (const word of words) {
    const bounded = ` ${word} `
    for (let start = 0; start < bounded.length - 1; start++) {
      // FNV-1a over UTF-16 code units, folded to 16 bits.
      let hash = 0x811c9dc5
      const end = Math.min(bounded.length, start + LONGEST)
      for (let i = start; i < end; i++) {
        hash = Math.imul(hash ^ bounded.charCodeAt(i), 0x01000193)
        if (i - start + 1 >= SHORTEST) found[count++] = ((hash >>> 16) ^ hash) & (GRAM_BUCKETS - 1)
      }
    }
  }
  const sorted = found.subarray(0, count).toSorted()
  let distinct = 0
  for (let i = 0; i < count; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) sorted[distinct++] = sorted[i]!
  return sorted.slice(0, distinct)
}

/**
 * Weight of an n-gram in the cosine of two texts: its inverse document frequency; 0 for one that is ignored.
 * @param textsWithIt number of texts that have it
 */
export function weightOfGram(textsWithIt: number, textCount: number): number {
  if (textsWithIt > Math.max(LEAST_COMMON, COMMON_SHARE * textCount)) return 0
  return Math.log((1 + textCount) / (1 + textsWithIt)) + 1
}

function placesAboveZero(counts: Uint32Array): Uint16Array {
  const places = new Uint16Array(counts.length)
  let found = 0
  for (let place = 0; place < counts.length; place++) if (counts[place]! > 0) places[found++] = place
  return places.slice(0, found)
}

/**
 * Index of texts by their character n-grams. The similarity of a text to an indexed one is the cosine of their n-grams, each
 * weighted by inverse document frequency: ln((1 + n) / (1 + texts with it)) + 1, as in scikit-learn's TfidfVectorizer.
 * N-grams that no indexed text has count towards the text's norm, so unknown words lower all similarities.
 */
export class GramIndex {
  readonly #textCount: number
  /** Buckets that occur, ascending. */
  readonly #buckets: Uint16Array
  /** Start of each bucket's texts in {@link #texts}, and the end of the last. */
  readonly #starts: Uint32Array
  readonly #texts: Uint32Array
  readonly #weights: Float32Array
  /** Position in {@link #buckets} of the first bucket of each page of {@link PAGE_BUCKETS}, and the end of the last. */
  readonly #pages: Uint32Array
  /** 1 / norm of each text; 0 for a text without n-grams. */
  readonly #inverseLengths: Float64Array
  readonly #weightOfUnknown: number

  /** @param grams n-grams of each text */
  constructor(grams: readonly Grams[]) {
    this.#textCount = grams.length
    const counts = new Uint32Array(GRAM_BUCKETS)
    for (const ofText of grams) for (let i = 0; i < ofText.length; i++) counts[ofText[i]!]! += 1
    this.#buckets = placesAboveZero(counts)
    const starts = new Uint32Array(this.#buckets.length + 1)
    const placeOf = new Uint32Array(GRAM_BUCKETS)
    const weights = new Float32Array(this.#buckets.length)
    for (const [place, bucket] of this.#buckets.entries()) {
      weights[place] = weightOfGram(counts[bucket]!, grams.length)
      // N-grams of weight 0 list no texts.
      starts[place + 1] = starts[place]! + (weights[place] > 0 ? counts[bucket]! : 0)
      placeOf[bucket] = place
    }
    this.#weightOfUnknown = weightOfGram(0, grams.length)
    const texts = new Uint32Array(starts.at(-1)!)
    this.#inverseLengths = new Float64Array(grams.length)
    const next = starts.slice()
    for (const [text, ofText] of grams.entries()) {
      let squares = 0
      for (let i = 0; i < ofText.length; i++) {
        const place = placeOf[ofText[i]!]!
        const weight = weights[place]!
        if (weight === 0) continue
        texts[next[place]!] = text
        next[place]! += 1
        squares += weight ** 2
      }
      this.#inverseLengths[text] = squares === 0 ? 0 : 1 / Math.sqrt(squares)
    }
    this.#starts = starts
    this.#texts = texts
    this.#weights = weights
    this.#pages = new Uint32Array(GRAM_BUCKETS / PAGE_BUCKETS + 1)
    for (let i = 0; i < this.#buckets.length; i++) this.#pages[Math.floor(this.#buckets[i]! / PAGE_BUCKETS) + 1]! += 1
    for (let page = 1; page < this.#pages.length; page++) this.#pages[page]! += this.#pages[page - 1]!
  }

  /** Approximate memory of the index, in bytes. */
  get byteLength(): number {
    return 10 * this.#buckets.length + 4 * this.#texts.length + 4 * this.#pages.length + 8 * this.#textCount
  }

  /**
   * Cosine similarity to each text, 0 to 1; 0 where either side has no n-gram.
   * @param sums one element for each text; holds the result and is returned
   */
  similarities(grams: Grams, sums: Float32Array = new Float32Array(this.#textCount)): Float32Array {
    const inverseLength = this.#sumInto(sums, grams)
    const inverseLengths = this.#inverseLengths
    for (let text = 0; text < sums.length; text++) {
      const sum = sums[text]!
      if (sum > 0) sums[text] = Math.min(1, sum * inverseLength * inverseLengths[text]!)
    }
    return sums
  }

  /**
   * Cosine similarity to chosen texts, as {@link similarities} gives it.
   * @param chosen positions of texts
   * @param sums one element for each text of the index; overwritten
   */
  similaritiesTo(chosen: Int32Array, grams: Grams, sums: Float32Array): Float32Array {
    const inverseLength = this.#sumInto(sums, grams)
    const inverseLengths = this.#inverseLengths
    const found = new Float32Array(chosen.length)
    for (let i = 0; i < chosen.length; i++) {
      const text = chosen[i]!
      found[i] = Math.min(1, sums[text]! * inverseLength * inverseLengths[text]!)
    }
    return found
  }

  /**
   * Sums the squared weights of the n-grams that each text shares with `grams`.
   * @returns 1 / norm of `grams`; 0 without n-grams
   */
  #sumInto(sums: Float32Array, grams: Grams): number {
    // Local variables: fields of the object would be read again in each step.
    const texts = this.#texts
    sums.fill(0)
    let squares = 0
    for (const bucket of grams) {
      const place = this.#placeOf(bucket)
      if (place < 0) {
        squares += this.#weightOfUnknown ** 2
        continue
      }
      const square = this.#weights[place]! ** 2
      squares += square
      const end = this.#starts[place + 1]!
      for (let at = this.#starts[place]!; at < end; at++) sums[texts[at]!]! += square
    }
    return squares === 0 ? 0 : 1 / Math.sqrt(squares)
  }

  /** Position of a bucket in {@link #buckets}, or −1. */
  #placeOf(bucket: number): number {
    const page = Math.floor(bucket / PAGE_BUCKETS)
    let low = this.#pages[page]!
    let high = this.#pages[page + 1]! - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const found = this.#buckets[middle]!
      if (found === bucket) return middle
      if (found < bucket) low = middle + 1
      else high = middle - 1
    }
    return -1
  }
}
