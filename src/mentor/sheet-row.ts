/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { MentorAnswer } from './mentor.ts'
import { UTTERANCE_NAME, cellText, cellTexts, splitList, type TrainingRow } from './training-data.ts'

/** What a row's id is of. */
export type IdKind = 'answer' | 'question'

/**
 * An answer with what a row says differently: the same object when that is nothing. What no row tells (media, status, the
 * question's id) stays; of another transcript the old rich text would say something else, and goes.
 * @param kind `question`: rows may be as the service wrote them that this one takes the place of. Those have the text of
 *   an utterance for its name, and lists joined by `|` without escapes.
 */
export function mergeAnswer(known: MentorAnswer | undefined, row: TrainingRow, kind: IdKind): MentorAnswer {
  if (known === undefined) return newAnswer(row)
  const question = mergeQuestion(known.question, row, kind)
  const isSaid = cellText(known.transcript) === row.answer
  if (isSaid && question === known.question) return known
  return { ...known, ...(!isSaid && { transcript: row.answer, markdownTranscript: null }), question }
}

/** Whether there is nothing to read of an answer. */
export function isAnswerless({ transcript }: MentorAnswer): boolean {
  return cellText(transcript) === ''
}

/** Whether two lists have the same items. */
export function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index])
}

/** Whether a cell's list is this one. */
export function isListOf(texts: readonly string[], inCell: readonly string[], kind: IdKind): boolean {
  if (isSameList(cellTexts(texts), inCell)) return true
  return kind === 'question' && isSameList(splitList(cellText(texts.join('|'))), inCell)
}

function newAnswer(row: TrainingRow): MentorAnswer {
  const isUtterance = UTTERANCE_NAME.test(row.question)
  return {
    _id: row.id,
    status: 'COMPLETE',
    transcript: row.answer,
    markdownTranscript: null,
    question: {
      _id: `q-${row.id}`,
      question: row.question,
      type: isUtterance ? 'UTTERANCE' : 'QUESTION',
      name: isUtterance ? row.question : null,
      paraphrases: [...row.paraphrases]
    }
  }
}

function mergeQuestion(known: MentorAnswer['question'], row: TrainingRow, kind: IdKind): MentorAnswer['question'] {
  const asked = changedText(known, row.question, kind)
  const hasPhrases = isListOf(known.paraphrases ?? [], row.paraphrases, kind)
  if (asked === undefined && hasPhrases) return known
  return { ...known, ...asked, ...(!hasPhrases && { paraphrases: [...row.paraphrases] }) }
}

/** What another text in the column `question` changes; undefined when it is no other. */
function changedText(
  known: MentorAnswer['question'],
  text: string,
  kind: IdKind
): Partial<MentorAnswer['question']> | undefined {
  const isUtterance = known.type === 'UTTERANCE'
  const own = cellText(known.question)
  if (isUtterance ? text === cellText(known.name) || (kind === 'question' && text === own) : text === own) {
    return undefined
  }
  if (UTTERANCE_NAME.test(text)) return { type: 'UTTERANCE', name: text }
  return isUtterance && kind === 'answer' ? { type: 'QUESTION', question: text } : { question: text }
}
