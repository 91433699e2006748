/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * White space as in Python's `str.isspace` and `\s`. JavaScript's `\s` lacks U+001C to U+001F and U+0085, and includes
 * U+FEFF.
 */
const SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'
const LEADING_OR_TRAILING_SPACE = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, 'g')
const LETTER_OR_DIGIT = '\\p{L}\\p{Mn}\\p{Mc}\\p{N}'
/** Letters and marks that are punctuation to a reader: apostrophes, and what chooses between forms of an emoji. */
const NOT_READ = '\\u02bb\\u02bc\\u034f\\p{Variation_Selector}'
const DROPPED = new RegExp(`[^${LETTER_OR_DIGIT}${SPACE}]|[${NOT_READ}]`, 'gu')
const BEYOND_ASCII = new RegExp(`[^a-z0-9${SPACE}]`, 'gu')
const LETTER_OF_OTHER_SCRIPT = /[\p{L}--\p{Script=Latin}--\p{Script=Common}--\p{Script=Inherited}]/v
/** The dot that `toLowerCase` leaves after the i of the Turkish İ. */
const DOT_AFTER_I = /(?<=i)\u0307/g

/**
 * Characters beyond ASCII whose full case folding contains an ASCII letter, except those that `toLowerCase` folds in the
 * same way. Only its ASCII letters are listed, which is what the service that this one replaces keeps of them. And the
 * final sigma, which is a sigma.
 * Source: Unicode CaseFolding.txt, status C and F.
 */
const FOLDED_LETTERS: Readonly<Record<string, string>> = {
  '\u00df': 'ss',
  '\u0149': 'n',
  '\u017f': 's',
  '\u01f0': 'j',
  '\u03c2': '\u03c3',
  '\u1e96': 'h',
  '\u1e97': 't',
  '\u1e98': 'w',
  '\u1e99': 'y',
  '\u1e9a': 'a',
  '\ufb00': 'ff',
  '\ufb01': 'fi',
  '\ufb02': 'fl',
  '\ufb03': 'ffi',
  '\ufb04': 'ffl',
  '\ufb05': 'st',
  '\ufb06': 'st'
}
const FOLDED = new RegExp(`[${Object.keys(FOLDED_LETTERS).join('')}]`, 'g')

/**
 * Normalizes a text to the form in which questions are compared: trimmed, case-folded, with spaces for non-breaking
 * spaces, and of letters, digits and white space only those of ASCII. `sanitize(' What’s\u00a0UP? ')` gives `whats up`,
 * `sanitize('Müll')` gives `mll`. A text without a letter or digit leaves nothing to compare.
 *
 * So does the service that this one replaces. A text with letters of another script than the Latin keeps all of its letters
 * and digits, though, since its ASCII letters say something else: a Hindi question has none, and all Hindi questions
 * about an iPhone have the same ` iphone `.
 */
export function sanitize(text: string): string {
  return LETTER_OF_OTHER_SCRIPT.test(text) ? sanitizeKeepingAccents(text) : folded(text).replace(BEYOND_ASCII, '')
}

/**
 * Normalizes a text to the form in which it is trained on: as {@link sanitize}, with the letters and digits of every script,
 * in composed form. `sanitizeKeepingAccents('Où est-ce ?')` gives `où estce `.
 */
export function sanitizeKeepingAccents(text: string): string {
  return folded(text).replace(DOT_AFTER_I, '').replace(DROPPED, '').normalize('NFC')
}

function folded(text: string): string {
  return text
    .replace(LEADING_OR_TRAILING_SPACE, '')
    .toLowerCase()
    .replace(FOLDED, (character) => FOLDED_LETTERS[character]!)
    .replaceAll('\u00a0', ' ')
}
