/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { TaggedSentence, TaggedTerm } from './tagged-sentence.ts'
import { verbSubjectOf, type VerbSubject } from './verb-subject.ts'
import {
  BELONGING_VERBS,
  COMMON_ACRONYMS,
  COMMON_NAMES,
  MEETING_VERBS,
  NAME_PARTICLES,
  OF_HEADS,
  ORGANISATION_FIRST,
  ORGANISATION_LAST,
  PERSON_VERBS,
  PLACE_ACRONYMS,
  PLACE_ADJECTIVES,
  PLACE_FIRST,
  PLACE_LAST,
  PLACE_PREPOSITIONS,
  RELATIVE_COMPOUNDS,
  RELATIVES,
  RELATIVES_AS_NAMES,
  STATE_CODES,
  TITLES
} from './word-lists.ts'

/** What a followup question can be about. */
export type EntityType = 'person' | 'place' | 'organisation' | 'family'

/** A mention of an entity. */
export interface EntityMention {
  readonly type: EntityType
  /** As written; a relative as the bare word in lower case: `mom`, `brother-in-law`. */
  readonly text: string
  /** Whether `the` precedes it and belongs to it: not in `the NASA budget`. */
  readonly hasArticle: boolean
  readonly verbSubject: VerbSubject
}

/** Words from `from` up to `to` (excluded) of a sentence. */
interface Span {
  readonly from: number
  readonly to: number
}

/**
 * Finds the people, places, organisations and relatives that a sentence mentions, in its order. A name is a run of
 * capitalised words, whether or not the tagger knows it. Its type is decided by its own words, then by the tagger's
 * tags, then by the words around it.
 */
export function findEntities(sentence: TaggedSentence): EntityMention[] {
  const found: { readonly span: Span; readonly type: EntityType; readonly text: string }[] = []
  const { terms } = sentence
  let index = 0
  while (index < terms.length) {
    if (isRelative(terms, index)) {
      const span = { from: index, to: index + 1 }
      found.push({ span, type: 'family', text: bareWord(terms[index]!.text).toLowerCase() })
      index += 1
      continue
    }
    const span = nameAt(terms, index)
    if (span === undefined) {
      index += 1
      continue
    }
    const type = typeOfName(terms, span)
    const text = textOf(sentence, span)
    if (type !== undefined && !isSpeaker(terms, span)) found.push({ span, type, text })
    index = span.to
  }
  return found.map(({ span, type, text }) => ({
    type,
    text,
    hasArticle: (type === 'place' || type === 'organisation') && hasOwnArticle(terms, span),
    verbSubject: verbSubjectOf(terms, span.from, span.to)
  }))
}

/** Whether a name is written in capitals: `NASA`, `BUD/S`, `U.N.`; a plural `s` may follow. */
export function isAcronym(text: string): boolean {
  return /^(?=.*\p{Lu}.*\p{Lu})[\p{Lu}\d./&-]+s?$/u.test(text)
}

function isRelative(terms: readonly TaggedTerm[], index: number): boolean {
  const word = bareWord(terms[index]!.text)
  const kin = word.toLowerCase()
  const core = kin.replace(/^(?:(?:great|step|half|ex|foster|god)-)+/, '').replace(/-in-law$/, '')
  if (!RELATIVES.has(kin) && !RELATIVES.has(core)) return false
  const after = terms[index]!.after
  const next = terms[index + 1]?.text.toLowerCase() ?? ''
  if (after === ' ' && RELATIVE_COMPOUNDS.has(next)) return false
  // As in `brothers in arms`.
  if (/^(?:brothers|sisters|family)$/.test(kin) && after === ' ' && next === 'in') return false
  if (isOwn(terms, index)) return true
  if (!/^\p{Lu}/u.test(word) || !RELATIVES_AS_NAMES.has(kin)) return false
  return !/^(?:his|her|their|your|a|the|whose)$/.test(wordBefore(terms, index))
}

/**
 * Whether `my`, `our` or `I have` precedes a relative, with adjectives and other relatives in between: `my mother and
 * younger sister`, `I have two kids`.
 */
function isOwn(terms: readonly TaggedTerm[], index: number): boolean {
  for (let i = index - 1; i >= Math.max(0, index - 5); i--) {
    const { text, tags, after } = terms[i]!
    const word = text.toLowerCase()
    if (/[.;:!?]/.test(after)) return false
    if (word === 'my' || word === 'our') return true
    if (/^(?:have|had|got)$/.test(word)) return /^(?:i|we)(?:['’]ve)?$/i.test(wordBefore(terms, i))
    const isPassed =
      word === 'and' ||
      word === 'a' ||
      word === 'an' ||
      tags.has('Adjective') ||
      tags.has('Value') ||
      RELATIVES.has(word) ||
      tags.has('Comparable')
    if (!isPassed) return false
  }
  return false
}

/** Whether a name is the speaker's own: `I'm Noor`, `my name is Noor`, `people call me Noor`. */
function isSpeaker(terms: readonly TaggedTerm[], { from }: Span): boolean {
  const before = terms.slice(Math.max(0, from - 3), from).map(({ text }) => text.toLowerCase().replace('’', "'"))
  return /(?:^|\s)(?:i'm|i am|name is|name's|calls? me|called me)$/.test(before.join(' '))
}

/** The name that begins at a word. */
function nameAt(terms: readonly TaggedTerm[], from: number): Span | undefined {
  const isTitle = isTitleAt(terms, from)
  if (!isNameWord(terms, from) && !isTitle) return undefined
  let to = from + 1
  while (to < terms.length && isJoined(terms[to - 1]!)) {
    const word = terms[to]!.text
    if (isNameWord(terms, to) && !(to > from && isRelative(terms, to))) {
      to += 1
      continue
    }
    const isName = to + 1 < terms.length && isCapitalised(terms[to + 1]!) && isJoined(terms[to]!)
    const goesOn =
      isName &&
      (word === '&' ||
        NAME_PARTICLES.has(word) ||
        (word === 'of' && OF_HEADS.has(lower(terms[to - 1]!))) ||
        (word === 'and' && terms.slice(from, to).some((term) => term.text === 'of')))
    if (!goesOn) break
    to += 2
  }
  return { from, to }
}

/** Whether a word may begin or continue a name. */
function isNameWord(terms: readonly TaggedTerm[], index: number): boolean {
  const term = terms[index]!
  if (!isCapitalised(term)) return false
  const { tags } = term
  const word = lower(term)
  if (tags.has('Demonym') || tags.has('Date') || tags.has('Pronoun')) return false
  const next = terms[index + 1]
  const isFollowedByName = next !== undefined && isJoined(term) && isCapitalised(next)
  if (COMMON_NAMES.has(word) && !isFollowedByName) return false
  if (!beginsSentence(terms, index)) return true
  // The capital at the beginning of a sentence proves nothing.
  if (isAcronym(term.text) || tags.has('ProperNoun') || tags.has('Acronym')) return true
  if (TITLES.has(word) || PLACE_FIRST.has(word) || ORGANISATION_FIRST.has(word)) return isFollowedByName
  if (GRAMMATICAL_TAGS.some((tag) => tags.has(tag))) return false
  if (isFollowedByName) return true
  if (!tags.has('Noun') || tags.has('Plural') || tags.has('Uncountable') || next === undefined) return false
  const isWithSpeaker = lower(next) === 'and' && terms[index + 2]?.text === 'I'
  return isWithSpeaker || (PERSON_VERBS.has(lower(next)) && !tags.has('Actor'))
}

const GRAMMATICAL_TAGS = [
  'Determiner',
  'Pronoun',
  'Preposition',
  'Conjunction',
  'Adverb',
  'Verb',
  'QuestionWord',
  'Possessive',
  'Adjective',
  'Expression',
  'There',
  'Negative',
  'Value'
]

function isTitleAt(terms: readonly TaggedTerm[], index: number): boolean {
  const next = terms[index + 1]
  return (
    isCapitalised(terms[index]!) &&
    TITLES.has(lower(terms[index]!)) &&
    next !== undefined &&
    isJoined(terms[index]!) &&
    isCapitalised(next)
  )
}

/** Type of the entity of a name; undefined when nobody would ask about it. */
function typeOfName(terms: readonly TaggedTerm[], { from, to }: Span): EntityType | undefined {
  const names = terms.slice(from, to)
  const first = lower(names[0]!)
  const last = lower(names.at(-1)!)
  const isLong = names.length > 1
  const has = (tag: string) => names.some(({ tags }) => tags.has(tag))
  if (!isLong && isAcronym(bareWord(names[0]!.text))) return typeOfAcronym(terms, from)
  if (names.some(({ text }) => text === '&')) return 'organisation'
  if (isLong && TITLES.has(first)) return 'person'
  if (isLong && first === 'st') return wordBefore(terms, from) === 'at' ? 'organisation' : 'place'
  if (ORGANISATION_LAST.has(last) && (isLong || SERVICES.has(last))) return 'organisation'
  if (isLong && ORGANISATION_FIRST.has(first)) return 'organisation'
  // `Fresno State` is a university; the state itself has an article or another word.
  if (isLong && last === 'state') return 'organisation'
  if (isLong && (PLACE_LAST.has(last) || PLACE_FIRST.has(first))) return 'place'
  if (has('Country') || has('City') || has('Region')) return 'place'
  // Austin, Charlotte and Sydney are first names too.
  if (!isLong && has('FirstName')) return LOCATING.has(wordBefore(terms, from)) ? 'place' : 'person'
  if (has('FirstName')) return 'person'
  if (has('Organization')) return 'organisation'
  if (!isLong && (COMMON_NAMES.has(first) || TITLES.has(first))) return undefined
  return typeByContext(terms, { from, to }) ?? typeByTags(has, isLong)
}

const LOCATING = new Set(['in', 'near', 'outside'])

const SERVICES = new Set(['navy', 'army', 'marines'])

function typeOfAcronym(terms: readonly TaggedTerm[], index: number): EntityType | undefined {
  const acronym = bareWord(terms[index]!.text).toLowerCase().replaceAll('.', '')
  const before = wordBefore(terms, index)
  if (COMMON_ACRONYMS.has(acronym) && !(acronym === 'dc' && before !== '')) return undefined
  if (PLACE_ACRONYMS.has(acronym)) return 'place'
  if (STATE_CODES.has(acronym) && PLACE_PREPOSITIONS.has(before)) return 'place'
  if (STATE_CODES.has(acronym) && terms[index - 1]?.after.startsWith(',') === true) return undefined
  return 'organisation'
}

/** Type of a name by the words around it. */
function typeByContext(terms: readonly TaggedTerm[], { from, to }: Span): EntityType | undefined {
  const next = terms[to]
  const nextWord = next === undefined ? '' : lower(next)
  let at = from - 1
  while (at >= 0 && PLACE_ADJECTIVES.has(lower(terms[at]!))) at -= 1
  const hasArticle = wordBefore(terms, at + 1) === 'the'
  if (hasArticle) at -= 1
  const before = wordBefore(terms, at + 1)
  if (nextWord === 'who' || nextWord === 'whose') return 'person'
  if (MEETING_VERBS.has(before)) return hasArticle ? 'organisation' : 'person'
  if (RELATIVES.has(before)) return 'person'
  if (BELONGING_VERBS.has(before)) return 'organisation'
  const governor = wordBefore(terms, at)
  if (before === 'at') return 'organisation'
  if ((before === 'to' || before === 'for' || before === 'with') && BELONGING_VERBS.has(governor)) {
    return before === 'to' && governor.startsWith('transfer') ? 'place' : 'organisation'
  }
  if (PLACE_PREPOSITIONS.has(before)) return 'place'
  if (before === 'of' && /^(?:half|outside|part|parts|north|south|east|west|most|all)$/.test(governor)) return 'place'
  if (before === 'by' || before === 'under' || before === 'with') return hasArticle ? 'organisation' : 'person'
  if (before === 'for') return 'organisation'
  if (hasArticle) return 'organisation'
  if (PERSON_VERBS.has(nextWord)) return 'person'
  if (nextWord === 'and' && terms[to + 1]?.text === 'I') return 'person'
  return undefined
}

function typeByTags(has: (tag: string) => boolean, isLong: boolean): EntityType {
  if (has('Person')) return 'person'
  if (has('Place')) return 'place'
  return isLong ? 'person' : 'organisation'
}

function hasOwnArticle(terms: readonly TaggedTerm[], { from, to }: Span): boolean {
  const next = terms[to]
  const isCompound = terms[to - 1]!.after === ' ' && next?.tags.has('Noun') === true && !next.tags.has('Pronoun')
  return wordBefore(terms, from) === 'the' && !isCompound
}

/** The name as written, without a possessive `'s`. */
function textOf({ text, terms }: TaggedSentence, { from, to }: Span): string {
  return bareWord(text.slice(terms[from]!.start, terms[to - 1]!.end)).replaceAll(/\s+/g, ' ')
}

function bareWord(text: string): string {
  return text.replace(/[’']s?$/i, '').replace(/\.$/, (dot) => (/\.\p{L}\.$/u.test(text) ? dot : ''))
}

function lower({ text }: TaggedTerm): string {
  return bareWord(text).toLowerCase()
}

function wordBefore(terms: readonly TaggedTerm[], index: number): string {
  const before = terms[index - 1]
  return before === undefined || /[.;:!?)]/.test(before.after) ? '' : lower(before)
}

function isCapitalised({ text }: TaggedTerm): boolean {
  return /^\p{Lu}/u.test(text) && !/^I(?:['’]\p{L}+)?$/u.test(text)
}

/** Whether the next word may belong to the same name: only a space or the dot of `Dr.` is between them. */
function isJoined(term: TaggedTerm): boolean {
  if (/['’]s$/i.test(term.text)) return false
  if (term.after === ' ') return true
  const isShort = TITLES.has(lower(term)) || /^(?:\p{Lu}|St|Mt|Ft|Jr|Sr)$/u.test(term.text)
  return isShort && /^\. ?$/.test(term.after)
}

function beginsSentence(terms: readonly TaggedTerm[], index: number): boolean {
  return index === 0 || /[.:!?“"(]\s*["“']?$|\n/.test(terms[index - 1]!.after)
}
