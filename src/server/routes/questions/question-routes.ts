/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { AnswerReply } from '../../../answering/answer.ts'
import type { QuestionAnswering } from '../../../answering/question-answering.ts'
import type { Media } from '../../../mentor/mentor.ts'
import { assertMayRead, callerHeadersOf, callerOf } from '../../auth.ts'
import { encodeOptionsOf, requiredText, serverTimingOf, type RequestLimits } from '../../encode-reply.ts'
import { MENTOR_ERROR_REPLIES, MentorId } from '../mentors/mentor-routes.ts'
import type { AnswerObserver } from '../../../answering/answer-observer.ts'
import { QuestionReply } from './question-reply.ts'

/** Options of the question route. */
export interface QuestionRouteOptions {
  readonly answering: QuestionAnswering
  readonly observeAnswer: AnswerObserver
  readonly limits: RequestLimits
}

/** Number of nearest phrases in an explanation. */
const NEAREST_PHRASES = 5

/** Schema of a question's query string. */
function questionQuery(limits: RequestLimits) {
  return Type.Object({
    mentor: MentorId,
    query: requiredText(limits, 'The question.', 'Which town do you call home these days?'),
    chatsessionid: Type.Optional(Type.String({ maxLength: 200 })),
    ping: Type.Optional(
      Type.String({ maxLength: 20, description: 'Only load the model; `false` and `0` have no effect.' })
    ),
    explain: Type.Optional(
      Type.Enum(['true', 'false'], { description: '`true` adds an explanation of the confidence.' })
    ),
    top_k: Type.Optional(Type.String({ pattern: '^([0-9]|1[0-6])$', description: 'Number of alternatives, 0 to 16.' }))
  })
}

/** Route `/questions`, which asks a mentor. */
export const questionRoutes: FastifyPluginAsyncTypebox<QuestionRouteOptions> = async (app, options) => {
  const { answering, observeAnswer, limits } = options
  app.get(
    '/questions',
    {
      config: { scope: 'ask' },
      schema: {
        summary: 'Ask a mentor',
        description:
          'Returns the answer that fits the question best: that of a stored question or paraphrase, else the one that the trained ' +
          'model chooses, or else an off-topic reply. Needs a trained model. Every answer is recorded.',
        tags: ['questions'],
        querystring: questionQuery(limits),
        response: {
          200: Type.Union([
            QuestionReply,
            Type.Object({ message: Type.String({ description: 'The reply to a ping.' }) })
          ]),
          ...MENTOR_ERROR_REPLIES
        }
      },
      // Plain JSON.stringify: Fastify's serializer would validate the schema's unions for each reply.
      serializerCompiler: () => JSON.stringify
    },
    async (request, reply) => {
      const { mentor, query, chatsessionid, ping = '', explain, top_k: topK = '0' } = request.query
      assertMayRead(callerOf(request), mentor)
      const caller = callerHeadersOf(request)
      void reply.header('cache-control', 'no-store')
      if (!['', 'false', '0'].includes(ping)) {
        await answering.load(mentor, caller)
        return { message: `Successful ping for mentor: ${mentor}.` }
      }
      const {
        reply: answer,
        feedbackId,
        architecture,
        version,
        timings
      } = await answering.answer(
        {
          mentorId: mentor,
          question: query,
          chatSessionId: chatsessionid,
          topK: Number(topK),
          nearestCount: explain === 'true' ? NEAREST_PHRASES : 0,
          caller
        },
        encodeOptionsOf(request, reply, undefined)
      )
      observeAnswer(observationOf(answer, architecture))
      if (timings !== undefined) void reply.header('server-timing', serverTimingOf(timings))
      const classifier = `${architecture}/${version}`
      return {
        ...questionReply(query, answer, feedbackId, classifier, topK !== '0'),
        ...(explain === 'true' && { explanation: explanationOf(answer) })
      }
    }
  )
}

/** Makes the metrics' view of an answer, with the confidence only if the model has judged. */
function observationOf(answer: AnswerReply, architecture: string) {
  const isJudged = !answer.answerMissing && ['CLASSIFIER', 'OFF_TOPIC'].includes(answer.answerType)
  return { answerType: answer.answerType, architecture, confidence: isJudged ? answer.confidence : undefined }
}

function questionReply(
  question: string,
  answer: AnswerReply,
  feedbackId: string,
  classifier: string,
  hasAlternatives: boolean
) {
  return {
    question,
    question_id: answer.questionId,
    answer_id: answer.answerId,
    answer_text: answer.answerText,
    answer_markdown_text: answer.answerMarkdownText,
    answer_media: mediaReply(answer.answerMedia),
    external_video_ids: answer.externalVideoIds,
    answer_type: answer.answerType,
    confidence: answer.confidence,
    feedback_id: feedbackId,
    classifier,
    answer_missing: answer.answerMissing,
    ...(hasAlternatives && {
      alternatives: answer.alternatives.map((one) => ({
        answer_id: one.answerId,
        question_id: one.questionId,
        question: one.question,
        confidence: one.confidence
      }))
    })
  }
}

function explanationOf({ reasons, nearest = [] }: AnswerReply) {
  if (reasons === undefined) return null
  return {
    topic_score: reasons.topicProbability,
    match: reasons.share,
    threshold: reasons.leastConfidence,
    similarity: reasons.similarity,
    character_similarity: reasons.gramSimilarity,
    nearest_phrases: nearest.map((one) => ({
      phrase: one.text,
      answer_id: one.classId ?? null,
      similarity: one.similarity,
      character_similarity: one.gramSimilarity
    }))
  }
}

function mediaReply(media: AnswerReply['answerMedia']): { [kind: string]: Media | null } {
  if (!('webMedia' in media)) return {}
  return { web_media: media.webMedia, mobile_media: media.mobileMedia, vtt_media: media.vttMedia }
}
