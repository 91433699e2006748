/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { VersionReport } from '../../../learning/fit.ts'
import { mentorModelName } from '../../../versions/model-name.ts'
import type { ModelStore } from '../../../versions/model-store.ts'
import type { QuestionAnswering } from '../../../answering/question-answering.ts'
import type { Encoder } from '../../../embedding/encoder.ts'
import { ServiceError } from '../../../errors.ts'
import { lintRepertoire } from '../../../mentor/lint.ts'
import { repertoireOf } from '../../../mentor/mentor.ts'
import type { MentorSource } from '../../../mentor/mentor-source.ts'
import type { TrainingReporter } from '../../../mentor/training-reporter.ts'
import { readTestQuestions } from '../../../mentor/training-data.ts'
import { charsetOf } from '../../../reading/text-reader.ts'
import { assertMayRead, callerHeadersOf, callerOf } from '../../auth.ts'
import { assertMayEdit } from '../../edit-permission.ts'
import { encodeOptionsOf, jsonOf, jsonReply } from '../../encode-reply.ts'
import type { TypedApp } from '../../typed-app.ts'
import { MENTOR_ERROR_REPLIES, MentorId, MentorParams, unknownMentor } from '../mentors/mentor-routes.ts'
import { EXAMPLE_TEST_CSV } from '../mentors/example-mentor.ts'
import { MentorLint } from '../mentors/mentor-replies.ts'
import { OwnEvaluation } from './evaluation-reply.ts'
import { modelVersionRoutes } from './model-version-routes.ts'

/** Options of the version routes of mentors. */
export interface MentorVersionRouteOptions {
  readonly mentors: MentorSource
  readonly answering: QuestionAnswering
  readonly mentorBodyLimitBytes: number
  readonly models: ModelStore
  /** Share of samples by which a version may be worse than the live one. */
  readonly promotionMargin: number
  readonly encoder: Pick<Encoder, 'revision'>
  /** Another service that checks who may edit a mentor. @default none */
  readonly trainings?: TrainingReporter
}

/** Routes of `/mentors/{mentor}/versions`: a mentor's models and their evaluation. */
export const versionRoutes: FastifyPluginAsyncTypebox<MentorVersionRouteOptions> = async (app, options) => {
  const { models, promotionMargin, encoder, mentorBodyLimitBytes } = options
  app.addContentTypeParser<Buffer>('text/csv', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body)
  })
  await app.register(async (versions) => {
    // Only the POST routes here change what a mentor answers.
    versions.addHook<{ Params: { mentor: string } }>('preHandler', async (request) => {
      if (request.method === 'POST') await assertMayEdit(request, request.params.mentor, options.trainings)
    })
    await versions.register(modelVersionRoutes, {
      models,
      promotionMargin,
      path: '/mentors/:mentor',
      kind: 'mentor',
      idSchema: MentorId,
      nameFor(request, mentor) {
        assertMayRead(callerOf(request), mentor)
        return mentorModelName(mentor)
      },
      takes: ({ features }) => features.length === 1 && features[0]?.type === 'text',
      encoder,
      importLimitBytes: mentorBodyLimitBytes
    })
  })
  evaluateLiveVersion(app, options)
  lintMentor(app, options)
}

function evaluateLiveVersion(app: TypedApp, { answering }: MentorVersionRouteOptions): void {
  app.post(
    '/mentors/:mentor/versions/live/evaluation',
    {
      config: { scope: 'train' },
      schema: {
        summary: 'Evaluate the live version on your own questions',
        description:
          'Takes CSV `question,answer`: the id of the right answer, or nothing for an off-topic question. Returns a report like that of a training; ' +
          'questions are not matched word for word.',
        tags: ['mentor versions'],
        params: MentorParams,
        body: { content: { 'text/csv': { schema: Type.Unknown({ examples: [EXAMPLE_TEST_CSV] }) } } },
        response: { 200: jsonReply('The report.', OwnEvaluation), ...MENTOR_ERROR_REPLIES }
      }
    },
    async (request, reply) => {
      const { mentor } = request.params
      assertMayRead(callerOf(request), mentor)
      const body: unknown = request.body
      if (!(body instanceof Uint8Array)) throw new ServiceError('INVALID_REQUEST', 'Cannot evaluate: there is no table')
      const questions = readTestQuestions(body, charsetOf(request.headers['content-type']))
      const evaluation = await answering.evaluate(
        mentor,
        questions,
        encodeOptionsOf(request, reply, undefined),
        callerHeadersOf(request)
      )
      return reply
        .header('content-type', 'application/json; charset=utf-8')
        .send(jsonOf(OwnEvaluation, { data: { evaluation } }))
    }
  )
}

function lintMentor(app: TypedApp, { mentors, models }: MentorVersionRouteOptions): void {
  app.get(
    '/mentors/:mentor/lint',
    {
      config: { scope: 'train' },
      schema: {
        summary: 'Lint a mentor’s data',
        description:
          'Returns problems in the present data that make answers worse, and the near-duplicates that the training of the live version found. ' +
          '`leftOutCount` counts list items of a GraphQL service that are not answers: never recorded, or to a question that is gone.',
        tags: ['mentors'],
        params: MentorParams,
        response: { 200: jsonReply('The findings.', MentorLint), ...MENTOR_ERROR_REPLIES }
      }
    },
    async (request, reply) => {
      const { mentor } = request.params
      assertMayRead(callerOf(request), mentor)
      const found = await mentors.find(mentor, { caller: callerHeadersOf(request) })
      if (found === undefined) throw unknownMentor()
      const name = mentorModelName(mentor)
      const live = await models.liveVersion(name)
      const json = live === undefined ? undefined : await models.report(name, live)
      const report: VersionReport | undefined = json === undefined ? undefined : JSON.parse(json)
      const data = {
        leftOutCount: found.leftOutCount ?? 0,
        lint: lintRepertoire(repertoireOf(found.mentor)),
        nearDuplicates: report?.nearDuplicates ?? null
      }
      return reply.header('content-type', 'application/json; charset=utf-8').send(jsonOf(MentorLint, { data }))
    }
  )
}
