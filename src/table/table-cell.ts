/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Above it a sum of squares leaves what a float64 can hold. */
const MAX_MAGNITUDE = 1e100

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i

/** Fault of a cell that is not a number where one is required. */
export const NOT_A_NUMBER = 'not a number'
/** Fault of an empty cell. */
export const NO_VALUE = 'no value'

/** Whether a text is a number as CSV has them: `-1.5e3`, but not `0x10`, `1,000` or `NaN`. */
export function isDecimal(text: string): boolean {
  return DECIMAL.test(text)
}

/** A comma that may separate decimals, but thousands as well. */
const AMBIGUOUS_COMMA = /^[+-]?[1-9]\d{0,2},\d{3}$/
const DECIMAL_COMMA = /^[+-]?\d*,\d+(?:e[+-]?\d+)?$/i

/**
 * A number with a decimal comma, as spreadsheets of most of Europe write it, with a point. Other texts stay as they are.
 * @param separator of the table's cells: where it is a comma, no number has one; where it is a semicolon, the comma is decimal
 * @example withDecimalPoint('-1,5', ';') // '-1.5'
 */
export function withDecimalPoint(cell: string, separator: string): string {
  if (separator === ',' || !DECIMAL_COMMA.test(cell)) return cell
  return separator !== ';' && AMBIGUOUS_COMMA.test(cell) ? cell : cell.replace(',', '.')
}

/** Whether {@link withDecimalPoint} leaves a number as it is because nobody knows what its comma means. */
export function hasAmbiguousComma(cell: string, separator: string): boolean {
  return separator !== ',' && separator !== ';' && AMBIGUOUS_COMMA.test(cell)
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
