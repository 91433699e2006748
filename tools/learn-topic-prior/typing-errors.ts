/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Words of fewer letters are left alone. */
const LEAST_LETTERS = 4

/** A text in which a share of the words has two letters swapped, one dropped or one doubled. */
export function withTypingErrors(text: string, rate: number, random: () => number): string {
  return text
    .split(' ')
    .map((word) => {
      if (word.length < LEAST_LETTERS || random() >= rate) return word
      const at = Math.floor(random() * (word.length - 1))
      const kind = random()
      if (kind < 1 / 3) return word.slice(0, at) + word[at + 1]! + word[at]! + word.slice(at + 2)
      if (kind < 2 / 3) return word.slice(0, at) + word.slice(at + 1)
      return word.slice(0, at + 1) + word.slice(at)
    })
    .join(' ')
}
