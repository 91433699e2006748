/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { MentorAnswer } from '../../src/mentor/mentor.ts'

/** An answer that counts; its question's id is `q-` and its own. */
export function answer(
  id: string,
  question: string,
  more: Omit<Partial<MentorAnswer>, 'question'> & { question?: Partial<MentorAnswer['question']> } = {}
): MentorAnswer {
  return {
    status: 'COMPLETE',
    transcript: `Answer ${id}.`,
    ...more,
    _id: id,
    question: { _id: `q-${id}`, question, type: 'QUESTION', paraphrases: [], ...more.question }
  }
}

/** An utterance of that name. */
export function utterance(id: string, name: string): MentorAnswer {
  return answer(id, `Say ${name}`, { question: { type: 'UTTERANCE', name } })
}

/** Lists the questions of answers as a mentor's own. */
export function listed(...answers: readonly MentorAnswer[]) {
  return answers.map((one) => ({ question: { _id: one.question._id }, topics: [] }))
}
