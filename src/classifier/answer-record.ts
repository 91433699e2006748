/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { AnswerType } from './answer.ts'

/** A question that was asked, and what it was answered with. */
export interface AnswerRecord {
  readonly mentorId: string
  readonly question: string
  readonly answerId: string
  readonly answerType: AnswerType
  readonly confidence: number
  /** The conversation it belongs to, if the caller said. */
  readonly chatSessionId: string | undefined
}

/** Keeps the questions that were asked, for people to grade. */
export interface AnswerRecorder {
  /** @returns id of the record */
  record(answer: AnswerRecord): Promise<string>
}

/** Keeps them here. */
export interface AnswerRecordStore extends AnswerRecorder {
  /** Forgets what a mentor was asked. */
  deleteOf(mentorId: string): Promise<void>
  /** Writes what has gathered. */
  flush(): Promise<void>
}
