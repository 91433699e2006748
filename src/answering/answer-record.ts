/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { CallerHeaders } from '../mentor/mentor-source.ts'
import type { AnswerType } from './answer.ts'

/** A question with the answer that was given. */
export interface AnswerRecord {
  readonly mentorId: string
  readonly question: string
  readonly answerId: string
  readonly answerType: AnswerType
  readonly confidence: number
  /** Margin of the classifier's confidence over its second answer's; undefined when it was not asked. */
  readonly margin: number | undefined
  /** The conversation that it belongs to, if the caller named one. */
  readonly chatSessionId: string | undefined
}

/** Records the questions that were asked, for people to grade. */
export interface AnswerRecorder {
  /**
   * Stores a record. The reply waits for this; a failure is logged and never thrown.
   * @returns id of the record
   */
  record(answer: AnswerRecord, caller: CallerHeaders): Promise<string>
}

/** Stores each record with two recorders; the id is the first recorder's. */
export function recordWithBoth(first: AnswerRecorder, second: AnswerRecorder): AnswerRecorder {
  return {
    async record(answer, caller) {
      const [id] = await Promise.all([first.record(answer, caller), second.record(answer, caller)])
      return id
    }
  }
}

/** A recorded question, with the fields that a review needs. */
export interface AskedQuestion {
  readonly question: string
  readonly answerType: Extract<AnswerType, 'CLASSIFIER' | 'OFF_TOPIC'>
  /** The classifier's confidence in its best answer. */
  readonly confidence: number
  /** Margin of the classifier's confidence over its second answer's; undefined in records without one. */
  readonly margin: number | undefined
  /** Milliseconds since 1970. */
  readonly askedAtMs: number
}

/** Reads recorded questions for a review. */
export interface AskedQuestions {
  /**
   * Questions to a mentor that the classifier answered or refused, since no stored phrase matched. The latest first.
   * @param limit maximum number of questions
   */
  askedOf(mentorId: string, limit: number): Promise<readonly AskedQuestion[]>
}

/** A store of answer records. */
export interface AnswerRecordStore extends AnswerRecorder {
  /** Deletes the records of a mentor. */
  deleteOf(mentorId: string): Promise<void>
  /** Writes the waiting records. */
  flush(): Promise<void>
}
