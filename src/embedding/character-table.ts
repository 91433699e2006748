/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import table from './unicode-table.json' with { type: 'json' }
import type { NormalizerFlags } from './tokenizer-json.ts'

/**
 * What to do with a character: the low bits of its action. The other bits are the character that it maps to (LETTER,
 * MARK and ISOLATED) or the index of its expansion (EXPANSION).
 */
export const ACTION = {
  /** Leaves nothing. */
  REMOVED: 0,
  /** Leaves nothing, but no mark is moved across its position. */
  BARRIER: 1,
  /** Ends the word. */
  SPACE: 2,
  /** Goes on with the word. */
  LETTER: 3,
  /** As a letter, but canonical ordering may move it before marks of higher rank. */
  MARK: 4,
  /** Is a word of its own: punctuation, ideographs. */
  ISOLATED: 5,
  /** Stands for several actions. */
  EXPANSION: 6
} as const

const KIND_BITS = 3
const CODE_POINT_BITS = 21
const CODE_POINT_COUNT = 0x110000
const REPLACEMENT_CHARACTER = 0xfffd

/** The kind of an action: a value of {@link ACTION}. */
export function kindOf(action: number): number {
  return action & ((1 << KIND_BITS) - 1)
}

/** The character that a LETTER, MARK or ISOLATED maps to, or the index of an EXPANSION. */
export function payloadOf(action: number): number {
  return (action >>> KIND_BITS) & ((1 << CODE_POINT_BITS) - 1)
}

/** The rank of a MARK among marks: the order of their canonical combining classes. */
export function rankOf(action: number): number {
  return action >>> (KIND_BITS + CODE_POINT_BITS)
}

/** The actions of all characters under a given normalizer. */
export interface CharacterTable {
  /** Actions by code point; lone surrogates are U+FFFD, which is what they become in UTF-8. */
  readonly actions: Int32Array
  /** Actions of an EXPANSION, by its index; never EXPANSION again. */
  readonly expansions: readonly Int32Array[]
}

/**
 * Computes the action of each code point: normalized as BertNormalizer does, then split as BertPreTokenizer does.
 *
 * The data comes from `unicode-table.json`, to which `tools/unicode-table/unicode-table.py` wrote what the Rust library
 * does to each code point; the JavaScript engine's Unicode data has another version and is never used. The table is
 * hexadecimal: `41-5a` is a range, `41-5a>61` maps a range to one that begins at 61, `130>69,307` maps one code point
 * to two. Hangul syllables are not listed: they are decomposed by the formula of the Unicode Standard, 3.12.
 */
export function buildCharacterTable(flags: NormalizerFlags): CharacterTable {
  const whitespace = codePointsOf(table.whitespace)
  const punctuation = codePointsOf(table.punctuation)
  const lowercased = flags.lowercase ? imagesOf(table.lowercased) : new Map<number, number[]>()
  const decomposed = flags.stripAccents ? decompositions() : new Map<number, number[]>()
  const ranks = new Map<number, number>()
  if (flags.stripAccents) {
    for (const [index, marks] of table.combiningRanks.entries()) {
      for (const mark of codePointsOf(marks)) ranks.set(mark, index + 1)
    }
  }

  const actionOf = (codePoint: number): number => {
    if (whitespace.has(codePoint)) return ACTION.SPACE
    if (punctuation.has(codePoint)) return pack(ACTION.ISOLATED, codePoint)
    const rank = ranks.get(codePoint)
    return rank === undefined ? pack(ACTION.LETTER, codePoint) : pack(ACTION.MARK, codePoint, rank)
  }
  const normalize = (codePoint: number): number[] =>
    (decomposed.get(codePoint) ?? [codePoint]).flatMap((part) => lowercased.get(part) ?? [part])

  // By default, a character is a letter that stays as it is.
  const actions = new Int32Array(CODE_POINT_COUNT)
  for (let codePoint = 0; codePoint < CODE_POINT_COUNT; codePoint++) actions[codePoint] = pack(ACTION.LETTER, codePoint)
  const expansions: Int32Array[] = []
  const set = (codePoint: number, steps: readonly number[]): void => {
    const [only] = steps
    if (steps.length === 1 && only !== undefined) actions[codePoint] = only
    else actions[codePoint] = pack(ACTION.EXPANSION, expansions.push(Int32Array.from(steps)) - 1)
  }
  for (const touched of [whitespace, punctuation, ranks.keys(), decomposed.keys(), lowercased.keys()]) {
    for (const codePoint of touched) set(codePoint, normalize(codePoint).map(actionOf))
  }
  if (flags.handleChineseChars) {
    for (const codePoint of codePointsOf(table.ideographs)) {
      const steps = normalize(codePoint).map(actionOf)
      const [only = 0] = steps
      if (steps.length === 1 && kindOf(only) === ACTION.LETTER) {
        actions[codePoint] = pack(ACTION.ISOLATED, payloadOf(only))
      } else set(codePoint, [ACTION.SPACE, ...steps, ACTION.SPACE])
    }
  }
  const fill = (ranges: string, action: number): void => {
    for (const [first, last] of rangesOf(ranges)) actions.fill(action, first, last + 1)
  }
  if (flags.stripAccents) {
    fill(table.stripped, ACTION.REMOVED)
    fill(table.strippedBarriers, ACTION.BARRIER)
  }
  // Written last because cleaning runs first: removed characters never reach the other rules.
  if (flags.cleanText) {
    fill(table.removed, ACTION.REMOVED)
    fill(table.spaced, ACTION.SPACE)
  }
  actions.fill(actions[REPLACEMENT_CHARACTER] ?? 0, 0xd800, 0xe000)
  return { actions, expansions }
}

function pack(kind: number, payload: number, rank = 0): number {
  return (rank << (KIND_BITS + CODE_POINT_BITS)) | (payload << KIND_BITS) | kind
}

function decompositions(): Map<number, number[]> {
  const images = imagesOf(table.decomposed)
  const firstSyllable = 0xac00
  const trailCount = 28
  const vowelCount = 21
  const leadCount = 19
  for (let index = 0; index < leadCount * vowelCount * trailCount; index++) {
    const trail = index % trailCount
    const vowel = ((index - trail) / trailCount) % vowelCount
    const lead = Math.floor(index / (vowelCount * trailCount))
    const jamo = [0x1100 + lead, 0x1161 + vowel]
    if (trail > 0) jamo.push(0x11a7 + trail)
    images.set(firstSyllable + index, jamo)
  }
  return images
}

function codePointsOf(ranges: string): Set<number> {
  const codePoints = new Set<number>()
  for (const [first, last] of rangesOf(ranges)) {
    for (let codePoint = first; codePoint <= last; codePoint++) codePoints.add(codePoint)
  }
  return codePoints
}

function imagesOf(mappings: string): Map<number, number[]> {
  const images = new Map<number, number[]>()
  for (const mapping of mappings.split(' ')) {
    const [range = '', image = ''] = mapping.split('>')
    const target = image.split(',').map((hex) => Number.parseInt(hex, 16))
    for (const [first, last] of rangesOf(range)) {
      for (let codePoint = first; codePoint <= last; codePoint++) {
        const shifted = target.map((part) => part + codePoint - first)
        images.set(codePoint, shifted)
      }
    }
  }
  return images
}

function rangesOf(ranges: string): [first: number, last: number][] {
  return ranges.split(' ').map((range) => {
    const [first = '', last = first] = range.split('-')
    return [Number.parseInt(first, 16), Number.parseInt(last, 16)]
  })
}
