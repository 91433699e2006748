/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { MentorAnswer } from '../../../src/mentor/mentor.ts'
import type {
  MentorLint as LintReply,
  MentorList,
  StoredReply
} from '../../../src/server/routes/mentors/mentor-replies.ts'

export type { Mentor, MentorAnswer } from '../../../src/mentor/mentor.ts'

export type MentorListing = MentorList['data'][number]

/** What the service says of an uploaded mentor. */
export type StoredMentor = StoredReply['data']

/** The findings about a mentor's data. */
export type MentorLint = LintReply['data']

/** A problem in a mentor's data that makes answers worse. */
export type LintFinding = MentorLint['lint'][number]

/** Two phrases of different answers that mean about the same. */
export type NearDuplicate = NonNullable<MentorLint['nearDuplicates']>[number]

/** Whether an answer is to questions, and not an utterance such as what is said off topic. */
export function isQuestionAnswer(answer: MentorAnswer): boolean {
  return answer.question.type !== 'UTTERANCE'
}

/** All phrases that lead to an answer: its question, then the paraphrases. */
export function phrasesOf(answer: MentorAnswer): readonly string[] {
  return [answer.question.question, ...(answer.question.paraphrases ?? [])]
}
