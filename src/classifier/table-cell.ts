/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Above it a sum of squares leaves what a float64 can hold. */
const MAX_MAGNITUDE = 1e100

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i

/** What is said of a cell that is no number where one is wanted. */
export const NOT_A_NUMBER = 'not a number'
/** What is said of an empty cell. */
export const NO_VALUE = 'no value'

/** Whether a text is a number as CSV has them: `-1.5e3`, but not `0x10`, `1,000` or `NaN`. */
export function isDecimal(text: string): boolean {
  return DECIMAL.test(text)
}

/** What is wrong with the size of a number; undefined when nothing is. */
export function magnitudeProblem(value: number): string | undefined {
  if (Math.abs(value) <= MAX_MAGNITUDE) return undefined
  return Number.isNaN(value) ? NOT_A_NUMBER : `too large a number, at most ${MAX_MAGNITUDE} is allowed`
}

/** What is wrong with a text; undefined when nothing is. */
export function textProblem(text: string, maxCharacters: number): string | undefined {
  if (text.trim() === '') return NO_VALUE
  return text.length > maxCharacters ? `${text.length} characters, at most ${maxCharacters} are allowed` : undefined
}
