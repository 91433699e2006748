/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { sanitizeKeepingAccents } from '../mentor/sanitize.ts'
import type { Match, MatchIndex } from '../mentor/match-index.ts'
import { OFF_TOPIC_UTTERANCE, type Media, type MentorAnswer, type Repertoire } from '../mentor/mentor.ts'
import type { ClassifierModel } from '../learning/classifier-model.ts'
import type { DecisionReasons, NearSample, Prediction } from '../learning/prediction.ts'

/** How an answer was found. */
export type AnswerType = (typeof ANSWER_TYPES)[number]

/** Every {@link AnswerType}. */
export const ANSWER_TYPES = ['EXACT', 'PARAPHRASE', 'CLASSIFIER', 'OFF_TOPIC'] as const

/** Number of ranked classes that a margin needs. */
const MARGIN_RANKS = 2

/** Dependencies of {@link answerQuestion}. */
export interface AnswerDependencies {
  readonly repertoire: Repertoire
  /** Answers of the repertoire by id. */
  readonly answersById: ReadonlyMap<string, MentorAnswer>
  readonly matchIndex: MatchIndex
  readonly model: ClassifierModel
  /** Encodes a text with the encoder that the model was trained with. */
  readonly embed: (text: string) => Promise<Float32Array>
  /** Random number from 0 up to 1, to choose an utterance. @default Math.random */
  readonly random?: () => number
}

export interface AnswerMedia {
  readonly webMedia: Media | null
  readonly mobileMedia: Media | null
  readonly vttMedia: Media | null
}

export interface Alternative {
  readonly answerId: string
  readonly questionId: string
  readonly question: string
  readonly confidence: number
}

export interface AnswerReply {
  readonly answerType: AnswerType
  readonly answerId: string
  readonly questionId: string
  readonly answerText: string
  readonly answerMarkdownText: string
  /** `{}` when the mentor has no such utterance. */
  readonly answerMedia: AnswerMedia | Readonly<Record<string, never>>
  readonly externalVideoIds: Readonly<Record<string, unknown>>
  /** 1 for a match, −1 when the answer is missing, else the classifier's confidence. */
  readonly confidence: number
  /** Whether the classifier chose an answer that the mentor no longer has. */
  readonly answerMissing: boolean
  /** The classifier's best answer; undefined when it was not asked. */
  readonly classifierAnswerId: string | undefined
  /** Margin of its confidence over the second answer's; undefined when it was not asked, or knows only one answer. */
  readonly margin: number | undefined
  /**
   * The classifier's best answers that the mentor still has, the best first, also for a match or an off-topic question;
   * empty unless requested.
   */
  readonly alternatives: readonly Alternative[]
  /** Components of the classifier's confidence; undefined when it was not asked, or gives no probabilities. */
  readonly reasons: DecisionReasons | undefined
  /** The most relevant phrases, the nearest first; empty unless requested, undefined when {@link reasons} is. */
  readonly nearest: readonly NearSample[] | undefined
}

/** Optional parts of an answer. */
export interface WantedBeside {
  /** Number of alternatives; with 0 a match needs no embedding. @default 0 */
  readonly topK?: number
  /** Number of nearest phrases. @default 0 */
  readonly nearestCount?: number
}

/**
 * Answers a question by a phrase that matches word for word, else by the classifier, which reads it as asked, not sanitized.
 */
export async function answerQuestion(
  question: string,
  dependencies: AnswerDependencies,
  { topK = 0, nearestCount = 0 }: WantedBeside = {}
): Promise<AnswerReply> {
  const match = dependencies.matchIndex.find(question)
  if (match !== undefined && topK === 0) {
    return replyToMatch(match, {
      classifierAnswerId: undefined,
      margin: undefined,
      alternatives: [],
      reasons: undefined,
      nearest: undefined
    })
  }
  const prediction = dependencies.model.predict(
    await dependencies.embed(question),
    Math.max(MARGIN_RANKS, topK),
    // Sanitized like the training texts.
    { text: sanitizeKeepingAccents(question), nearestCount }
  )
  const { answersById } = dependencies
  const [best, second] = prediction.ranked
  const decided = {
    classifierAnswerId: prediction.classId,
    margin: best === undefined || second === undefined ? undefined : best.confidence - second.confidence,
    alternatives: alternativesOf(prediction.ranked.slice(0, topK), answersById),
    reasons: prediction.reasons,
    nearest: prediction.nearest
  }
  if (match !== undefined) return replyToMatch(match, decided)

  const predicted = answersById.get(prediction.classId)
  if (predicted === undefined) {
    return { ...offTopicReply(dependencies), ...decided, confidence: -1, answerMissing: true }
  }
  // A person has judged this very question: the classifier does not decide.
  if (dependencies.matchIndex.isRejected(question)) {
    return { ...offTopicReply(dependencies), ...decided, confidence: 0, answerMissing: false }
  }
  if (prediction.isOffTopic) {
    return { ...offTopicReply(dependencies), ...decided, confidence: prediction.confidence, answerMissing: false }
  }
  return {
    ...contentOf(predicted),
    ...decided,
    answerType: 'CLASSIFIER',
    confidence: prediction.confidence,
    answerMissing: false
  }
}

type AnswerContent = Pick<
  AnswerReply,
  'answerId' | 'questionId' | 'answerText' | 'answerMarkdownText' | 'answerMedia' | 'externalVideoIds'
>

function replyToMatch(
  match: Match,
  decided: Pick<AnswerReply, 'classifierAnswerId' | 'margin' | 'alternatives' | 'reasons' | 'nearest'>
): AnswerReply {
  return {
    ...contentOf(match.answer),
    answerType: match.type,
    confidence: 1,
    answerMissing: false,
    ...decided
  }
}

function contentOf(answer: MentorAnswer): AnswerContent {
  return {
    answerId: answer._id,
    questionId: answer.question._id,
    answerText: answer.transcript ?? '',
    answerMarkdownText: answer.markdownTranscript ?? '',
    answerMedia: {
      webMedia: answer.webMedia ?? null,
      mobileMedia: answer.mobileMedia ?? null,
      vttMedia: answer.vttMedia ?? null
    },
    externalVideoIds: answer.externalVideoIds ?? {}
  }
}

function offTopicReply({
  repertoire,
  random = Math.random
}: AnswerDependencies): AnswerContent & { answerType: 'OFF_TOPIC' } {
  const utterances = repertoire.utterances.get(OFF_TOPIC_UTTERANCE) ?? []
  const utterance = utterances[Math.floor(random() * utterances.length)]
  const content =
    utterance === undefined
      ? {
          answerId: OFF_TOPIC_UTTERANCE,
          questionId: OFF_TOPIC_UTTERANCE,
          answerText: OFF_TOPIC_UTTERANCE,
          answerMarkdownText: OFF_TOPIC_UTTERANCE,
          answerMedia: {},
          externalVideoIds: {}
        }
      : contentOf(utterance)
  return { ...content, answerType: 'OFF_TOPIC' }
}

function alternativesOf(ranked: Prediction['ranked'], answersById: ReadonlyMap<string, MentorAnswer>): Alternative[] {
  return ranked.flatMap(({ classId, confidence }) => {
    const answer = answersById.get(classId)
    if (answer === undefined) return []
    return [{ answerId: classId, questionId: answer.question._id, question: answer.question.question, confidence }]
  })
}
