/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { AnswerReply } from './answer.ts'

/** An answer as metrics record it. */
export interface ObservedAnswer {
  readonly answerType: AnswerReply['answerType']
  readonly architecture: string
  /** The classifier's confidence; undefined when it was not asked or its answer is missing. */
  readonly confidence: number | undefined
}

/** Observer of answered questions, for metrics. */
export type AnswerObserver = (answer: ObservedAnswer) => void
