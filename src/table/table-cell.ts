/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Above this, a sum of squares may overflow a float64. */
const MAX_MAGNITUDE = 1e100

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i
/** Maximum length of a number that is formatted for people. */
const MAX_FORMATTED_CHARACTERS = 100

/** Fault of a cell that is not a number where one is required. */
export const NOT_A_NUMBER = 'not a number'
/** Fault of an empty cell. */
export const NO_VALUE = 'no value'

/** Whether a text is a decimal number: `-1.5e3`, but not `0x10`, `1,000` or `NaN`. */
export function isDecimal(text: string): boolean {
  return DECIMAL.test(text)
}

/** A number as programs format it for people. */
const FORMATTED =
  /^[-+\u2212]?\p{Sc}?\s?[-+\u2212]?(?:\d{1,3}(?:[.,'’\u00a0\u202f ]\d{3})+|\d+)(?:[.,]\d+)?(?:e[+-]?\d+)?\s?[%‰\p{Sc}]?$/iu

/** Whether a text is a number with a decimal comma, separated thousands, a sign of per cent or currency, or other digits. */
export function isFormattedNumber(text: string): boolean {
  return text.length <= MAX_FORMATTED_CHARACTERS && FORMATTED.test(text.normalize('NFKC'))
}

/** Whether a decimal number keeps all its digits as a float64, and has none that a number is not written with. */
export function isExactNumber(text: string): boolean {
  if (!isDecimal(text)) return true
  if (/^[+-]?0\d/.test(text)) return false
  return !/^[+-]?\d+$/.test(text) || Number.isSafeInteger(Number(text))
}

/** A number whose comma may be a decimal comma or separate thousands. */
const AMBIGUOUS_COMMA = /^[+-]?[1-9]\d{0,2},\d{3}$/
const DECIMAL_COMMA = /^[+-]?\d*,\d+(?:e[+-]?\d+)?$/i

/**
 * Replaces a decimal comma, which spreadsheets in most of Europe write, by a point. Other texts stay as they are.
 * @param separator separator of the table: a comma means that no number has one, a semicolon that commas are decimal
 * @example withDecimalPoint('-1,5', ';') // '-1.5'
 */
export function withDecimalPoint(cell: string, separator: string): string {
  if (separator === ',' || !DECIMAL_COMMA.test(cell)) return cell
  return separator !== ';' && AMBIGUOUS_COMMA.test(cell) ? cell : cell.replace(',', '.')
}

/** Whether {@link withDecimalPoint} leaves a number as it is because its comma is ambiguous. */
export function hasAmbiguousComma(cell: string, separator: string): boolean {
  return separator !== ',' && separator !== ';' && AMBIGUOUS_COMMA.test(cell)
}

/** The problem with the magnitude of a number; undefined when there is none. */
export function magnitudeProblem(value: number): string | undefined {
  if (Math.abs(value) <= MAX_MAGNITUDE) return undefined
  return Number.isNaN(value) ? NOT_A_NUMBER : `too large a number, at most ${MAX_MAGNITUDE} is allowed`
}

/** The problem with a text; undefined when there is none. */
export function textProblem(text: string, maxCharacters: number): string | undefined {
  if (text.trim() === '') return NO_VALUE
  return text.length > maxCharacters ? `${text.length} characters, at most ${maxCharacters} are allowed` : undefined
}
