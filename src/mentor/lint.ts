/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { OFF_TOPIC_UTTERANCE, type Repertoire } from './mentor.ts'
import { sanitize } from './sanitize.ts'

/** A finding about a mentor's data that makes answers worse. Ids are those of answers. */
export type LintFinding =
  /** Several answers have the same id: the first counts, and these questions of the others have no answer. */
  | { readonly kind: 'SAME_ID'; readonly answerId: string; readonly leftOut: readonly string[] }
  /** The same sanitized phrase belongs to several answers: only one of them can be given. */
  | { readonly kind: 'SAME_PHRASE'; readonly phrase: string; readonly answerIds: readonly string[] }
  /** Too few distinct phrases to learn an answer's meaning, or to measure it. */
  | { readonly kind: 'THIN_ANSWER'; readonly answerId: string; readonly phraseCount: number }
  /** All phrases of the answer are empty when sanitized: it cannot be trained on or matched. */
  | { readonly kind: 'NOTHING_TO_TRAIN'; readonly answerId: string }
  /** Off-topic questions will be answered with the bare name of the utterance. */
  | { readonly kind: 'NO_OFF_TOPIC_UTTERANCE' }
  /** Answers whose phrases are mostly in another script than the Latin: the encoder has hardly read any. */
  | { readonly kind: 'OTHER_SCRIPT'; readonly answerCount: number }
  /** A classifier needs at least two classes. */
  | { readonly kind: 'TOO_FEW_ANSWERS'; readonly answerCount: number }

/** Minimum number of distinct phrases of an answer: one to hold out, two to learn from. */
const MIN_PHRASES = 3

const LETTER = /\p{L}/gu
const LATIN_LETTER = /\p{Script=Latin}/gu

/** Finds what can be found without embeddings, the most serious findings first. */
export function lintRepertoire({ answers, utterances, repeated }: Repertoire): LintFinding[] {
  const repeatedById = Map.groupBy(repeated, ({ _id }) => _id)
  const idsOfPhrase = new Map<string, Set<string>>()
  const untrainable: LintFinding[] = []
  const thin: LintFinding[] = []
  let otherScriptCount = 0
  for (const answer of answers) {
    const phrases = new Set([answer.question.question, ...(answer.question.paraphrases ?? [])].map(sanitize))
    for (const phrase of phrases) {
      if (phrase.trim() === '') {
        phrases.delete(phrase)
        continue
      }
      const ids = idsOfPhrase.get(phrase)
      if (ids === undefined) idsOfPhrase.set(phrase, new Set([answer._id]))
      else ids.add(answer._id)
    }
    if (isOtherScript([...phrases].join(' '))) otherScriptCount += 1
    if (phrases.size === 0) untrainable.push({ kind: 'NOTHING_TO_TRAIN', answerId: answer._id })
    else if (phrases.size < MIN_PHRASES) {
      thin.push({ kind: 'THIN_ANSWER', answerId: answer._id, phraseCount: phrases.size })
    }
  }
  const same = [...idsOfPhrase]
    .filter(([, ids]) => ids.size > 1)
    .map(([phrase, ids]): LintFinding => ({ kind: 'SAME_PHRASE', phrase, answerIds: [...ids] }))
  const answerCount = answers.length - untrainable.length
  return [
    ...(answerCount < 2 ? [{ kind: 'TOO_FEW_ANSWERS', answerCount } as const] : []),
    ...[...repeatedById].map(([answerId, others]): LintFinding => {
      return { kind: 'SAME_ID', answerId, leftOut: others.map(({ question }) => question.question) }
    }),
    ...same,
    ...untrainable,
    ...(otherScriptCount === 0 ? [] : [{ kind: 'OTHER_SCRIPT', answerCount: otherScriptCount } as const]),
    ...(utterances.has(OFF_TOPIC_UTTERANCE) ? [] : [{ kind: 'NO_OFF_TOPIC_UTTERANCE' } as const]),
    ...thin
  ]
}

function isOtherScript(text: string): boolean {
  const letterCount = text.match(LETTER)?.length ?? 0
  return 2 * (text.match(LATIN_LETTER)?.length ?? 0) < letterCount
}
