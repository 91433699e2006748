/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { MentorAnswer } from './mentor.ts'
import { UTTERANCE_NAME, cellText, cellTexts, splitList, type TrainingRow } from './training-data.ts'

/** What a row's id identifies. */
export type IdKind = 'answer' | 'question'

/**
 * Applies a row to an answer; returns the same object when nothing differs. Fields that no row contains (media, status,
 * the question's id) stay. A new transcript removes the old rich text, which no longer fits.
 * @param kind with `question`, rows may be in the form of the service that this one replaces: an utterance has its text
 *   in place of its name, and lists are joined by `|` without escapes.
 */
export function mergeAnswer(known: MentorAnswer | undefined, row: TrainingRow, kind: IdKind): MentorAnswer {
  if (known === undefined) return newAnswer(row)
  const question = mergeQuestion(known.question, row, kind)
  const isSaid = cellText(known.transcript) === row.answer
  if (isSaid && question === known.question) return known
  return { ...known, ...(!isSaid && { transcript: row.answer, markdownTranscript: null }), question }
}

/** Whether an answer has no text. */
export function isAnswerless({ transcript }: MentorAnswer): boolean {
  return cellText(transcript) === ''
}

/** Whether two lists have the same items. */
export function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index])
}

/** Whether a cell contains this list. */
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

/** The change by the text in the column `question`; undefined when it is the same text. */
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
