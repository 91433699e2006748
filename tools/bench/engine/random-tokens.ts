/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Numbers from 0 to 1 that are the same in every run (a linear congruential generator; constants of Numerical Recipes). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** `[CLS]`, ordinary words, `[SEP]`: token ids of BERT's vocabulary. What they mean does not matter to speed. */
export function randomTokens(length: number, random: () => number): Int32Array<ArrayBuffer> {
  const ids = Int32Array.from({ length }, () => FIRST_WORD + Math.floor(random() * WORD_COUNT))
  ids[0] = CLS
  ids[length - 1] = SEP
  return ids
}

const CLS = 101
const SEP = 102
const FIRST_WORD = 2000
const WORD_COUNT = 20_000
