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

/** Options of the question route. */
export interface QuestionRouteOptions {
  readonly answering: QuestionAnswering
  readonly observeAnswer: AnswerObserver
  readonly limits: RequestLimits
}

/** Number of nearest phrases in an explanation. */
const NEAREST_PHRASES = 5

const MediaReply = Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()])
const QuestionReply = Type.Object({
  question: Type.String({ description: 'As asked.' }),
  question_id: Type.String(),
  answer_id: Type.String(),
  answer_text: Type.String(),
  answer_markdown_text: Type.String(),
  answer_media: Type.Object({
    web_media: Type.Optional(MediaReply),
    mobile_media: Type.Optional(MediaReply),
    vtt_media: Type.Optional(MediaReply)
  }),
  external_video_ids: Type.Record(Type.String(), Type.Unknown()),
  answer_type: Type.Enum(['EXACT', 'PARAPHRASE', 'CLASSIFIER', 'OFF_TOPIC']),
  confidence: Type.Number({
    description: 'Of `softmax` a probability; 1 of a match, -1 of an answer that is missing.'
  }),
  feedback_id: Type.String({ description: 'Under which the answer was recorded.' }),
  classifier: Type.String({ description: 'Architecture and version, as `softmax/3`.' }),
  answer_missing: Type.Boolean({ description: 'The classifier chose an answer that the mentor has no more.' }),
  alternatives: Type.Optional(
    Type.Array(
      Type.Object({
        answer_id: Type.String(),
        question_id: Type.String(),
        question: Type.String(),
        confidence: Type.Number()
      }),
      { description: 'The classifier’s best, also when the answer is off topic.' }
    )
  ),
  explanation: Type.Optional(
    Type.Union(
      [
        Type.Object({
          topic_score: Type.Number({ description: 'Probability that any answer fits.' }),
          match: Type.Number({ description: 'Share of this answer among all that could be meant.' }),
          threshold: Type.Number({ description: 'A confidence below this is off topic.' }),
          similarity: Type.Number({ description: 'Cosine to the nearest phrase.' }),
          character_similarity: Type.Number({ description: 'Cosine of character n-grams to the nearest phrase.' }),
          nearest_phrases: Type.Array(
            Type.Object({
              phrase: Type.String({ description: 'As it was trained.' }),
              answer_id: Type.Union([Type.String(), Type.Null()], {
                description: 'Null of a phrase that was taught as off topic.'
              }),
              similarity: Type.Number(),
              character_similarity: Type.Number()
            }),
            { description: 'The phrases that tell most, the nearest by both similarities first.' }
          )
        }),
        Type.Null()
      ],
      { description: 'What the confidence is made of; null of a match, and of an architecture without probabilities.' }
    )
  )
})

/** Schema of a question's query string. */
function questionQuery(limits: RequestLimits) {
  return Type.Object({
    mentor: MentorId,
    query: requiredText(limits, 'The question.', 'Which town do you call home these days?'),
    chatsessionid: Type.Optional(Type.String({ maxLength: 200 })),
    ping: Type.Optional(
      Type.String({ maxLength: 20, description: 'Only load the model; `false` and `0` do nothing.' })
    ),
    explain: Type.Optional(
      Type.Enum(['true', 'false'], { description: '`true`: with what the confidence is made of.' })
    ),
    top_k: Type.Optional(Type.String({ pattern: '^([0-9]|1[0-6])$', description: 'How many alternatives, 0 to 16.' }))
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
