/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Numbers in [0, 1) that are the same at every run: Marsaglia's xorshift32. */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

/** A few code points that break tokenizers: each is a range, from which one is drawn. */
const RANGES: readonly (readonly [first: number, last: number])[] = [
  [0x00, 0x1f],
  [0x20, 0x7e],
  [0x7f, 0xa0],
  [0xa1, 0x24f],
  [0x300, 0x36f],
  [0x370, 0x52f],
  [0x591, 0x8ff],
  [0x900, 0xdff],
  [0xe00, 0xfff],
  [0x1100, 0x11ff],
  [0x1a80, 0x1cff],
  [0x1d00, 0x1fff],
  [0x2000, 0x206f],
  [0x2070, 0x2bff],
  [0x2e80, 0x30ff],
  [0x3400, 0x9fff],
  [0xa640, 0xabff],
  [0xac00, 0xd7a3],
  [0xd800, 0xdfff],
  [0xe000, 0xe010],
  [0xf900, 0xfaff],
  [0xfb00, 0xffff],
  [0x10000, 0x10fff],
  [0x11000, 0x11fff],
  [0x1d100, 0x1d7ff],
  [0x1e000, 0x1e95f],
  [0x1f000, 0x1faff],
  [0x20000, 0x323af],
  [0x2f800, 0x2fa1f],
  [0xe0000, 0xe01ef],
  [0x0, 0x10ffff]
]

const WHITE_SPACE =
  '\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000'
const MARKS = '\u0300\u0301\u0327\u0345\u034f\u05b0\u0941\u08d4\u1b44\u302e\u302f\u{11446}\u{1d165}\u{1d16d}\u{1e000}'
const FRAGMENTS = [
  'I',
  "don't",
  'café',
  'cafe\u0301',
  'ÅNGSTRÖM',
  'İstanbul',
  'STRASSE straße ẞ',
  'ΟΔΥΣΣΕΥΣ',
  'Σ',
  'ας',
  'ﬁne',
  '１２３',
  'ⅷ',
  '漢字',
  '𠮷野家',
  '\u{2f81a}',
  'ひらがな',
  'カタカナ',
  'ガ',
  '한국어',
  '\u1112\u1161\u11ab',
  '👩‍🚀',
  '👍🏽',
  '🇫🇷',
  '❤️',
  '\u{1d15e}',
  '\u{1d160}',
  'नमस्ते',
  'สวัสดี',
  'שָׁלוֹם',
  '\u0000',
  '\ufffd',
  '\ud800',
  '\udfff',
  '\udc00\ud800',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  '[UNK]',
  '[PAD]',
  '[cls]',
  '[CLS',
  'SEP]',
  '[[PAD]]',
  '[\u0000CLS]',
  '##s',
  '##',
  '...',
  '—',
  '“',
  'https://a.b/c?d=e&f',
  '3.14',
  '1,000',
  'don’t',
  'x²',
  'pneumonoultramicroscopicsilicovolcanoconiosis'
]

function repeat(make: () => string, times: number): string {
  return Array.from({ length: times }, make).join('')
}

/**
 * Makes texts that differ between tokenizers if anything does: words of `sentences`, scripts, marks, controls, emoji, lone
 * surrogates, special tokens written as text, words around the greatest length. The same texts for the same arguments.
 */
export function nastyTexts(count: number, sentences: readonly string[], seed: number): string[] {
  const random = seededRandom(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  const oneOf = (choices: readonly string[] | string): string => choices[below(choices.length)] ?? ''
  const words = sentences.flatMap((sentence) => sentence.split(' '))
  const marks = Array.from(MARKS)
  const character = (): string => {
    const [first, last] = RANGES[below(RANGES.length)] ?? [0, 0]
    return String.fromCodePoint(first + below(last - first + 1))
  }
  const fragment = (): string => {
    switch (below(10)) {
      case 0:
        return oneOf(FRAGMENTS)
      case 1:
        return repeat(character, 1 + below(4))
      case 2:
        return oneOf(words) + repeat(() => oneOf(marks), 1 + below(5))
      case 3:
        return oneOf(WHITE_SPACE)
      case 4:
        return oneOf(words).toUpperCase()
      case 5:
        return below(8) === 0 ? oneOf(['a', 'é', '𝒳', '각', 'zq']).repeat(48 + below(56)) : oneOf(words)
      default:
        return oneOf(words)
    }
  }
  return Array.from({ length: count }, () => {
    const separator = below(3) === 0 ? '' : ' '
    return Array.from({ length: 1 + below(9) }, fragment).join(separator)
  })
}
