/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Where a video, or its subtitles, are. */
export interface Media {
  readonly type?: string | null
  readonly tag?: string | null
  readonly url?: string | null
  readonly transparentVideoUrl?: string | null
}

export interface MentorAnswer {
  readonly _id: string
  readonly status?: string | null
  readonly transcript?: string | null
  readonly question: {
    readonly _id: string
    readonly question: string
    readonly type?: string | null
    readonly name?: string | null
    readonly paraphrases?: readonly string[] | null
  }
  readonly webMedia?: Media | null
}

/** A mentor as the service keeps it; members that the page does not know are kept as they are. */
export interface Mentor {
  readonly name?: string | null
  readonly mentorType?: string | null
  readonly questions?: readonly { readonly question: { readonly _id: string } }[] | null
  readonly answers?: readonly MentorAnswer[] | null
}

export interface MentorListing {
  readonly mentor: string
  readonly name?: string
  readonly answerCount: number
  readonly revision: string
  readonly updated: string
}

/** What an upload said of a mentor. */
export interface StoredMentor {
  readonly mentor: string
  readonly revision: string
  readonly answerCount: number
  readonly utteranceCount: number
  readonly phraseCount: number
  readonly leftOutCount: number
  readonly dropped?: { readonly rows: number; readonly columns: readonly string[] }
  readonly problems: readonly { readonly line: number; readonly message: string }[]
  readonly lint: readonly LintFinding[]
}

/** Something in a mentor's data that makes answers worse. */
export type LintFinding =
  | { readonly kind: 'SAME_PHRASE'; readonly phrase: string; readonly answerIds: readonly string[] }
  | { readonly kind: 'THIN_ANSWER'; readonly answerId: string; readonly phraseCount: number }
  | { readonly kind: 'NOTHING_TO_TRAIN'; readonly answerId: string }
  | { readonly kind: 'NO_OFF_TOPIC_UTTERANCE' }
  | { readonly kind: 'TOO_FEW_ANSWERS'; readonly answerCount: number }

/** Two phrases of different answers that mean about the same. */
export interface NearDuplicate {
  readonly phrases: readonly [string, string]
  readonly answerIds: readonly [string, string]
  readonly similarity: number
}

export interface MentorLint {
  readonly lint: readonly LintFinding[]
  /** Null before the first training. */
  readonly nearDuplicates: readonly NearDuplicate[] | null
}

/** Whether an answer is to questions, and not an utterance such as what is said off topic. */
export function isQuestionAnswer(answer: MentorAnswer): boolean {
  return answer.question.type !== 'UTTERANCE'
}

/** All phrases that lead to an answer: its question, then the paraphrases. */
export function phrasesOf(answer: MentorAnswer): readonly string[] {
  return [answer.question.question, ...(answer.question.paraphrases ?? [])]
}
