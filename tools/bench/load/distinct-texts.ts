/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { readFileSync } from 'node:fs'

/** What joins two questions. A first half holds none of these words, so that a text has one reading only. */
const JOINERS = ['and', 'or', 'but', 'because', 'so', 'although', 'while', 'unless', 'since', 'yet', 'until'] as const

const MIN_WORDS = 2
const MAX_WORDS = 6

/** Texts for a load test: as many as there are pairs of questions and ways to join them, no two the same. */
export class DistinctTexts {
  readonly #firsts: readonly string[]
  readonly #seconds: readonly string[]
  readonly #stride: number

  /** @param sentences what the texts are made of: those of 2 to 6 words of ASCII */
  constructor(sentences: readonly string[]) {
    const halves = sentences.map(asHalf).filter(isMaterial)
    this.#firsts = [...new Set(halves)].filter((half) => !half.split(' ').some((word) => isJoiner(word)))
    this.#seconds = [
      ...new Set(halves.map((half) => half.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())))
    ]
    this.#stride = coprimeNear(this.count * GOLDEN_SECTION, this.count)
  }

  /** How many there are. */
  get count(): number {
    return this.#firsts.length * this.#seconds.length * JOINERS.length
  }

  /**
   * Text `index`: always the same one, and another one for each index.
   * @throws RangeError when there are not that many
   */
  at(index: number): string {
    if (!(index >= 0 && index < this.count)) throw new RangeError(`There are ${this.count} texts: no text ${index}`)
    // A walk in strides meets every combination once, and neighbours have little in common.
    const position = Number((BigInt(index) * BigInt(this.#stride)) % BigInt(this.count))
    const first = this.#firsts[position % this.#firsts.length]
    const rest = Math.floor(position / this.#firsts.length)
    const second = this.#seconds[rest % this.#seconds.length]
    return `${first} ${JOINERS[Math.floor(rest / this.#seconds.length)]} ${second}?`
  }
}

const GOLDEN_SECTION = 0.618034

/** The questions of this repository, as the load test's material. */
export function loadTestTexts(): DistinctTexts {
  const questions: string[] = JSON.parse(readFileSync(new URL('../../questions.json', import.meta.url), 'utf8'))
  const validation = readFileSync(new URL('../../compile-model/validation.txt', import.meta.url), 'utf8')
  return new DistinctTexts([...questions, ...validation.split('\n')])
}

function asHalf(sentence: string): string {
  return sentence.trim().replace(/[.?!]+$/, '')
}

function isMaterial(half: string): boolean {
  const wordCount = half.split(' ').length
  return /^[ -~]+$/.test(half) && wordCount >= MIN_WORDS && wordCount <= MAX_WORDS
}

function isJoiner(word: string): boolean {
  return JOINERS.some((joiner) => joiner === word)
}

function coprimeNear(wanted: number, modulus: number): number {
  let candidate = Math.max(1, Math.floor(wanted))
  while (greatestCommonDivisor(candidate, modulus) !== 1) candidate += 1
  return candidate
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
