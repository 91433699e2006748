/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type, type Static } from 'typebox'
import { ServiceError } from '../../../errors.ts'
import type { AnswerReply } from '../../../answering/answer.ts'
import type { QuestionAnswering } from '../../../answering/question-answering.ts'
import type { TrainingReporter } from '../../../mentor/training-reporter.ts'
import type { Review, Reviewer, ReviewItem, ReviewQueue } from '../../../review/review-queue.ts'
import { assertMayRead, callerHeadersOf, callerKey, callerOf } from '../../auth.ts'
import { assertMayEdit } from '../../edit-permission.ts'
import { encodeOptionsOf, requiredText, type RequestLimits, ERROR_REPLY } from '../../encode-reply.ts'
import type { TypedApp } from '../../typed-app.ts'
import { MENTOR_ERROR_REPLIES, MentorParams, unknownMentor } from '../mentors/mentor-routes.ts'
import { DecisionReply, ReviewReply } from './review-replies.ts'

/** Options of the review routes. */
export interface ReviewRouteOptions {
  readonly reviews: ReviewQueue
  readonly answering: Pick<QuestionAnswering, 'preview'>
  /** Another service that checks who may edit a mentor. @default none */
  readonly trainings?: TrainingReporter
  readonly limits: RequestLimits
}

const DEFAULT_CLUSTERS = 20
const EXAMPLE_DECISION = {
  decision: 'accept',
  questions: ['Which town do you call home these days?'],
  answerId: 'intro-home'
} as const
/** Maximum number of questions in one decision. */
const MAX_QUESTIONS = 1000
/** Maximum number of questions of a decision that are asked before and after it. */
const MAX_PREVIEWED = 50

/** Routes of `/mentors/{mentor}/review`: questions that matched no stored phrase, and people's decisions on them. */
export const reviewRoutes: FastifyPluginAsyncTypebox<ReviewRouteOptions> = async (app, options) => {
  listQuestions(app, options)
  judgeQuestions(app, options)
}

/** `GET /mentors/{mentor}/review`. */
function listQuestions(app: TypedApp, { reviews }: ReviewRouteOptions): void {
  app.get(
    '/mentors/:mentor/review',
    {
      config: { scope: 'train' },
      schema: {
        summary: 'List questions that wait for review',
        description:
          'Lists asked questions that matched no stored phrase and that nobody has judged, in clusters of similar meaning. ' +
          'The most informative come first: questions refused as off topic, or answered with a small margin.',
        tags: ['review'],
        params: MentorParams,
        querystring: Type.Object({
          limit: Type.Optional(
            Type.String({ pattern: '^([1-9][0-9]?|100)$', description: 'Number of clusters, 1 to 100; 20 by default.' })
          )
        }),
        response: { 200: ReviewReply, ...MENTOR_ERROR_REPLIES }
      }
    },
    async (request, reply) => {
      const { mentor } = request.params
      assertMayRead(callerOf(request), mentor)
      void reply.header('cache-control', 'no-store')
      const { signal } = encodeOptionsOf(request, reply, undefined)
      const maxItems = Number(request.query.limit ?? DEFAULT_CLUSTERS)
      const review = await reviews.review(mentor, maxItems, callerHeadersOf(request), signal)
      if (review === undefined) throw unknownMentor()
      return reviewReply(mentor, review)
    }
  )
}

/** `POST /mentors/{mentor}/review`. */
function judgeQuestions(app: TypedApp, { reviews, answering, trainings, limits }: ReviewRouteOptions): void {
  app.post(
    '/mentors/:mentor/review',
    {
      config: { scope: 'train' },
      schema: {
        summary: 'Judge questions',
        description:
          'Records a person’s decision. `accept` names the right answer of questions: they match from now on, and the next training learns from them. ' +
          '`reject` sets them aside. `new_answer` adds an answer to a stored mentor, and accepts the questions for it; ' +
          'without `answer` it counts once it is recorded. A later decision about a question replaces an earlier one.',
        tags: ['review'],
        params: MentorParams,
        body: decisionRequest(limits),
        response: { 200: DecisionReply, ...MENTOR_ERROR_REPLIES, 409: ERROR_REPLY }
      }
    },
    async (request, reply) => {
      const { mentor } = request.params
      const { decision, questions } = request.body
      await assertMayEdit(request, mentor, trainings)
      const reviewer = { by: callerKey(callerOf(request)), caller: callerHeadersOf(request) }
      const asked = questions.slice(0, MAX_PREVIEWED)
      const options = encodeOptionsOf(request, reply, undefined)
      const before = await answering.preview(mentor, asked, options, reviewer.caller)
      const answerId = await decide(reviews, mentor, request.body, reviewer)
      const after = await answering.preview(mentor, asked, options, reviewer.caller)
      const changed = changesOf(asked, before, after)
      return { data: { mentor, decision, graded: questions.length, answerId, changed } }
    }
  )
}

/** Schema of a decision. */
function decisionRequest(limits: RequestLimits) {
  return Type.Object(
    {
      decision: Type.Enum(['accept', 'reject', 'new_answer']),
      questions: Type.Array(requiredText(limits, 'As asked.'), { minItems: 1, maxItems: MAX_QUESTIONS }),
      answerId: Type.Optional(Type.String({ minLength: 1, description: 'For `accept`.' })),
      question: Type.Optional(
        requiredText(limits, 'For `new_answer`: the question that it answers; else the first of `questions`.')
      ),
      answer: Type.Optional(requiredText(limits, 'For `new_answer`: what the mentor says.')),
      topic: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'For `new_answer`.' }))
    },
    { examples: [EXAMPLE_DECISION] }
  )
}

/**
 * Records a decision, and returns the id of the answer that the questions now have.
 * @throws {ServiceError} INVALID_REQUEST when questions are accepted without an answer, and the errors of the queue
 */
async function decide(
  reviews: ReviewQueue,
  mentor: string,
  body: Static<ReturnType<typeof decisionRequest>>,
  reviewer: Reviewer
): Promise<string | null> {
  const { decision, questions, answerId, question = questions[0]!, answer, topic } = body
  if (decision === 'new_answer') return reviews.addAnswer(mentor, questions, { question, answer, topic }, reviewer)
  if (decision === 'reject') {
    await reviews.reject(mentor, questions, reviewer)
    return null
  }
  if (answerId === undefined) {
    throw new ServiceError('INVALID_REQUEST', 'Cannot accept: the answer is not named', {
      fields: { answerId: ['required field'] }
    })
  }
  await reviews.accept(mentor, questions, answerId, reviewer)
  return answerId
}

/** Questions whose answers a decision changes. */
function changesOf(
  questions: readonly string[],
  before: readonly AnswerReply[] = [],
  after: readonly AnswerReply[] = []
) {
  return questions.flatMap((question, i) => {
    const [one, other] = [before[i], after[i]]
    if (one === undefined || other === undefined) return []
    const isSame = one.answerId === other.answerId && one.answerType === other.answerType
    return isSame ? [] : [{ question, before: previewOf(one), after: previewOf(other) }]
  })
}

function previewOf({ answerId, answerType, confidence }: AnswerReply) {
  return { answer_id: answerId, answer_type: answerType, confidence }
}

function reviewReply(mentor: string, { consideredCount, waitingCount, items }: Review) {
  return {
    data: { mentor, considered: consideredCount, waiting: waitingCount, clusters: items.map(clusterReply) }
  }
}

function clusterReply({ questions, questionCount, count, suggestion }: ReviewItem) {
  return {
    question: questions[0]!.question,
    count,
    questionCount,
    questions: questions.map(({ question, count: askings, last }) => ({
      question,
      count: askings,
      answer_type: last.answerType,
      confidence: last.confidence,
      margin: last.margin ?? null,
      asked: new Date(last.askedAtMs).toISOString()
    })),
    suggestion:
      suggestion === undefined
        ? null
        : {
            answer_id: suggestion.answerId,
            question_id: suggestion.questionId,
            question: suggestion.question,
            confidence: suggestion.confidence
          }
  }
}
