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
const DROPPED = new RegExp(`[^a-z0-9${SPACE}]`, 'gu')

/**
 * Non-ASCII characters whose full case folding contains an ASCII letter, except those that `toLowerCase` folds in the
 * same way. Other characters of a folding are dropped later, so only its letters are listed.
 * Source: Unicode CaseFolding.txt, status C and F.
 */
const FOLDED_LETTERS: Readonly<Record<string, string>> = {
  '\u00df': 'ss',
  '\u0149': 'n',
  '\u017f': 's',
  '\u01f0': 'j',
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
 * Normalizes a text to the form in which questions are compared and trained on: trimmed, case-folded, with spaces for
 * non-breaking spaces, and only ASCII letters, digits and white space kept. `sanitize(' What’s\u00a0UP? ')` gives
 * `whats up`. A text without an ASCII letter or digit leaves nothing to compare.
 */
export function sanitize(text: string): string {
  return text
    .replace(LEADING_OR_TRAILING_SPACE, '')
    .toLowerCase()
    .replace(FOLDED, (character) => FOLDED_LETTERS[character]!)
    .replaceAll('\u00a0', ' ')
    .replace(DROPPED, '')
}
