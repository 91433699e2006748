/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { CallerHeaders } from '../mentor/mentor-source.ts'
import type { AnswerType } from './answer.ts'

/** A question that was asked, and what it was answered with. */
export interface AnswerRecord {
  readonly mentorId: string
  readonly question: string
  readonly answerId: string
  readonly answerType: AnswerType
  readonly confidence: number
  /** Margin of the classifier's confidence over its second answer's; undefined when it was not asked. */
  readonly margin: number | undefined
  /** The conversation it belongs to, if the caller said. */
  readonly chatSessionId: string | undefined
}

/** Keeps the questions that were asked, for people to grade. */
export interface AnswerRecorder {
  /**
   * Keeps a record. An answer waits for this, so that what cannot be kept is logged, and never thrown.
   * @returns id of the record
   */
  record(answer: AnswerRecord, caller: CallerHeaders): Promise<string>
}

/** Keeps each record twice; its id is the first recorder's. */
export function recordWithBoth(first: AnswerRecorder, second: AnswerRecorder): AnswerRecorder {
  return {
    async record(answer, caller) {
      const [id] = await Promise.all([first.record(answer, caller), second.record(answer, caller)])
      return id
    }
  }
}

/** A question that was asked, as far as a review needs to know. */
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

/** Reads what was asked, for a review. */
export interface AskedQuestions {
  /**
   * Questions to a mentor that matched no stored phrase: the classifier answered, or refused. The latest first.
   * @param limit most of them
   */
  askedOf(mentorId: string, limit: number): Promise<readonly AskedQuestion[]>
}

/** Stores answer records here. */
export interface AnswerRecordStore extends AnswerRecorder {
  /** Forgets what a mentor was asked. */
  deleteOf(mentorId: string): Promise<void>
  /** Writes the records that still wait. */
  flush(): Promise<void>
}
