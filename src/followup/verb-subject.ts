/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { TaggedTerm } from './tagged-sentence.ts'

/** Subject of the verb that an entity belongs to: the speaker, another, or none when the sentence has no verb. */
export type VerbSubject = 'I' | 'OTHER' | 'NONE'

/**
 * Finds the subject of the verb that the words from `from` up to `to` belong to. The words are the subject of a verb
 * right after them; else their verb is the nearest one before them, or the first of the sentence. A participle, an
 * infinitive and a verb after `and` share the subject of the verb before.
 */
export function verbSubjectOf(terms: readonly TaggedTerm[], from: number, to: number): VerbSubject {
  const verbs = [...terms.keys()].filter((index) => isVerb(terms[index]!))
  if (verbs.length === 0) return 'NONE'
  let next = to
  while (next < terms.length && terms[next]!.tags.has('Adverb')) next += 1
  const isSubject = next < terms.length && isFinite(terms[next]!) && terms[to - 1]!.after === ' '
  const isGoverned = from > 0 && terms[from - 1]!.tags.has('Preposition')
  if (isSubject && !isGoverned) return 'OTHER'
  return subjectOf(terms, verbs, verbs.findLast((index) => index < from) ?? verbs[0]!)
}

function subjectOf(terms: readonly TaggedTerm[], verbs: readonly number[], verb: number): VerbSubject {
  let index = verb - 1
  let isShared = terms[verb]!.tags.has('Gerund')
  while (index >= 0) {
    const term = terms[index]!
    if (/^i(?:['’]|$)/i.test(term.text)) return 'I'
    const isPassed = term.tags.has('Adverb') || term.tags.has('Negative') || term.tags.has('Verb')
    if (!isPassed) {
      isShared ||= /^(?:to|and|or|but|then)$/i.test(term.text)
      break
    }
    isShared ||= term.tags.has('Gerund')
    index -= 1
  }
  const before = isShared ? verbs.findLast((other) => other < index) : undefined
  return before === undefined ? 'OTHER' : subjectOf(terms, verbs, before)
}

function isVerb({ tags }: TaggedTerm): boolean {
  return tags.has('Verb') && !tags.has('Particle')
}

function isFinite(term: TaggedTerm): boolean {
  return isVerb(term) && !term.tags.has('Gerund')
}
