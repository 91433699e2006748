/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { judgePromotion, modelNameOf } from '../../classifier/mentor-trainer.ts'
import { CHANGE_KINDS, type ModelStore, type ModelVersion } from '../../classifier/model-store.ts'
import type { VersionReport } from '../../classifier/fit.ts'
import type { QuestionAnswering } from '../../classifier/question-answering.ts'
import { ServiceError } from '../../errors.ts'
import { lintRepertoire } from '../../mentor/lint.ts'
import { repertoireOf } from '../../mentor/mentor.ts'
import type { MentorSource } from '../../mentor/mentor-source.ts'
import { readTestQuestions } from '../../mentor/training-data.ts'
import { assertMayRead, callerHeadersOf, callerKey, callerOf } from '../auth.ts'
import { encodeOptionsOf, jsonReply } from '../encode-reply.ts'
import { MENTOR_ERROR_REPLIES, MentorId, MentorParams, unknownMentor } from './mentors.ts'

/** What the version routes are made of. */
export interface VersionRouteParts {
  readonly mentors: MentorSource
  readonly answering: QuestionAnswering
  readonly mentorBodyLimitBytes: number
  readonly models: ModelStore
  /** Share of samples by which a version may be worse than the live one. */
  readonly promotionMargin: number
}

const VersionParams = Type.Object({
  mentor: MentorId,
  version: Type.String({ pattern: '^([1-9][0-9]{0,8}|live)$', description: 'Number of the version, or `live`.' })
})
const Figure = Type.Union([Type.Number(), Type.Null()])
const VersionView = Type.Object({
  version: Type.Integer(),
  isLive: Type.Boolean({ description: 'Whether it answers.' }),
  architecture: Type.Enum(['softmax', 'ridge']),
  dataHash: Type.String({ description: 'Revision of the mentor that it was trained from.' }),
  encoderRevision: Type.String(),
  answerCount: Type.Integer(),
  sampleCount: Type.Integer(),
  figures: Type.Object(
    {
      questionCount: Type.Integer(),
      accuracy: Figure,
      macroF1: Figure,
      calibrationError: Figure,
      offTopicAuroc: Figure,
      offTopicRefused: Figure,
      refused: Figure
    },
    { description: 'Measured out of fold; null is what could not be.' }
  ),
  notMeasured: Type.Array(Type.String()),
  durationMs: Type.Integer(),
  trainedBy: Type.String(),
  created: Type.String({ format: 'date-time' })
})
const VersionList = Type.Object({
  data: Type.Object({
    live: Type.Union([Type.Integer(), Type.Null()]),
    versions: Type.Array(VersionView, { description: 'Newest first.' }),
    history: Type.Array(
      Type.Object({
        version: Type.Integer(),
        kind: Type.Enum([...CHANGE_KINDS]),
        at: Type.String({ format: 'date-time' }),
        by: Type.String()
      }),
      { description: 'Which versions answered, newest first.' }
    )
  })
})
const LiveReply = Type.Object({ data: Type.Object({ mentor: Type.String(), live: Type.Integer() }) })
const CONFLICT_REPLY = { 409: { $ref: 'ErrorReply#' } } as const

/** `/mentors/{mentor}/versions`: the models of a mentor. */
export const versionRoutes: FastifyPluginAsyncTypebox<VersionRouteParts> = async (app, parts) => {
  const { models, mentors, answering, promotionMargin, mentorBodyLimitBytes } = parts
  app.addContentTypeParser('text/csv', { parseAs: 'string' }, (_request, body, done) => {
    done(null, body)
  })

  app.get(
    '/mentors/:mentor/versions',
    {
      schema: {
        summary: 'Trained versions of a mentor',
        tags: ['versions'],
        params: MentorParams,
        response: { 200: VersionList, ...MENTOR_ERROR_REPLIES }
      }
    },
    async (request) => {
      const { mentor } = request.params
      assertMayRead(callerOf(request), mentor)
      const name = modelNameOf(mentor)
      const live = await models.liveVersion(name)
      const versions = await models.versions(name)
      const history = await models.history(name)
      return {
        data: {
          live: live ?? null,
          versions: versions.map((version) => viewOf(version, live)),
          history: history.map(({ version, kind, atMs, by }) => ({
            version,
            kind,
            at: new Date(atMs).toISOString(),
            by
          }))
        }
      }
    }
  )

  app.get(
    '/mentors/:mentor/versions/:version/evaluation',
    {
      schema: {
        summary: 'How good a version is',
        description:
          'Each sample judged by a model that has not seen it: accuracy, precision, recall and F1 by answer, pairs ' +
          'that are mixed up, calibration error, off-topic curve, the errors themselves, and near-duplicates.',
        tags: ['versions'],
        params: VersionParams,
        response: {
          200: { description: 'The report.', content: { 'application/json': { schema: Type.Unknown() } } },
          ...MENTOR_ERROR_REPLIES
        }
      }
    },
    async (request, reply) => {
      const { mentor } = request.params
      assertMayRead(callerOf(request), mentor)
      const name = modelNameOf(mentor)
      const report = await models.report(name, await numberOf(models, name, request.params.version))
      if (report === undefined) throw unknownVersion()
      return reply.header('content-type', 'application/json; charset=utf-8').send(`{"data":${report}}`)
    }
  )

  app.post(
    '/mentors/:mentor/versions/live/evaluation',
    {
      bodyLimit: mentorBodyLimitBytes,
      schema: {
        summary: 'How good the live version is on questions of your own',
        description:
          'CSV `question,answer`, the right answer’s id, or nothing where the question is off topic. The report is the one ' +
          'of the training; word-for-word matches are not looked for.',
        tags: ['versions'],
        params: MentorParams,
        body: { content: { 'text/csv': { schema: Type.String() } } },
        response: { 200: jsonReply('The report.', Type.Unknown()), ...MENTOR_ERROR_REPLIES }
      }
    },
    async (request, reply) => {
      const { mentor } = request.params
      assertMayRead(callerOf(request), mentor)
      const questions = readTestQuestions(String(request.body))
      const evaluation = await answering.evaluate(
        mentor,
        questions,
        encodeOptionsOf(request, reply, undefined),
        callerHeadersOf(request)
      )
      return reply
        .header('content-type', 'application/json; charset=utf-8')
        .send(JSON.stringify({ data: { evaluation } }))
    }
  )

  app.get(
    '/mentors/:mentor/lint',
    {
      schema: {
        summary: 'What in a mentor’s data makes answers worse',
        description: 'Of the data as it is; near-duplicates as the live version’s training found them.',
        tags: ['mentors'],
        params: MentorParams,
        response: { 200: jsonReply('The findings.', Type.Unknown()), ...MENTOR_ERROR_REPLIES }
      }
    },
    async (request, reply) => {
      const { mentor } = request.params
      assertMayRead(callerOf(request), mentor)
      const found = await mentors.find(mentor, { caller: callerHeadersOf(request) })
      if (found === undefined) throw unknownMentor()
      const name = modelNameOf(mentor)
      const live = await models.liveVersion(name)
      const json = live === undefined ? undefined : await models.report(name, live)
      const report: VersionReport | undefined = json === undefined ? undefined : JSON.parse(json)
      const data = { lint: lintRepertoire(repertoireOf(found.mentor)), nearDuplicates: report?.nearDuplicates ?? null }
      return reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify({ data }))
    }
  )

  app.post(
    '/mentors/:mentor/versions/:version/promote',
    {
      schema: {
        summary: 'Let a version answer',
        tags: ['versions'],
        params: VersionParams,
        body: Type.Optional(
          Type.Union([
            Type.Object({ force: Type.Optional(Type.Boolean({ description: 'Even when it is worse.' })) }),
            Type.Null()
          ])
        ),
        response: { 200: LiveReply, ...MENTOR_ERROR_REPLIES, ...CONFLICT_REPLY }
      }
    },
    async (request) => {
      const { mentor } = request.params
      const caller = callerOf(request)
      assertMayRead(caller, mentor)
      const name = modelNameOf(mentor)
      const version = await numberOf(models, name, request.params.version)
      if (request.body?.force !== true) {
        const decision = await judgePromotion(models, name, version, promotionMargin)
        if (decision.outcome === 'refused') {
          throw new ServiceError('CONFLICT', `Cannot promote version ${version}: ${decision.reason}`)
        }
      }
      const change = await models.promote(name, version, callerKey(caller))
      if (change.outcome === 'missing') throw unknownVersion()
      return { data: { mentor, live: change.version } }
    }
  )

  app.post(
    '/mentors/:mentor/rollback',
    {
      schema: {
        summary: 'Go back to the version that answered before',
        tags: ['versions'],
        params: MentorParams,
        response: { 200: LiveReply, ...MENTOR_ERROR_REPLIES, ...CONFLICT_REPLY }
      }
    },
    async (request) => {
      const { mentor } = request.params
      const caller = callerOf(request)
      assertMayRead(caller, mentor)
      const change = await models.rollBack(modelNameOf(mentor), callerKey(caller))
      if (change.outcome === 'missing') {
        throw new ServiceError('CONFLICT', 'Cannot roll back: no version answered before this one')
      }
      return { data: { mentor, live: change.version } }
    }
  )
}

/** The number that an address names. */
async function numberOf(models: ModelStore, name: string, version: string): Promise<number> {
  if (version !== 'live') return Number(version)
  const live = await models.liveVersion(name)
  if (live === undefined) throw unknownVersion()
  return live
}

function unknownVersion(): ServiceError {
  return new ServiceError('NOT_FOUND', 'Cannot find this version: see the list of versions for those there are')
}

function viewOf(version: ModelVersion, live: number | undefined) {
  const { classCount, createdAtMs, jobId: _jobId, ...details } = version
  return {
    ...details,
    notMeasured: [...details.notMeasured],
    isLive: version.version === live,
    answerCount: classCount,
    created: new Date(createdAtMs).toISOString()
  }
}
