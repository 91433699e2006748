/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type, type TString } from 'typebox'
import { CHANGE_KINDS, type ModelStore, type ModelVersion } from '../../classifier/model-store.ts'
import { judgePromotion } from '../../classifier/publish.ts'
import { ServiceError } from '../../errors.ts'
import { callerKey, callerOf } from '../auth.ts'
import { ERROR_REPLIES, JSON_TYPE, jsonReply } from '../encode-reply.ts'

/** Something whose models are versioned: mentors, or classifiers. */
export interface VersionedArea {
  readonly models: ModelStore
  /** Share of samples by which a version may be worse than the live one. */
  readonly promotionMargin: number
  /** Address before `/versions`, with the parameter that names the model: `/mentors/:mentor`. */
  readonly path: string
  /** What has models, in the singular: that parameter, and a field of replies. */
  readonly kind: 'mentor' | 'classifier'
  /** Of that parameter. */
  readonly idSchema: TString
  /**
   * Name in the store of the model of an id, for a caller who may see and change it.
   * @throws {ServiceError} FORBIDDEN for any other caller
   */
  readonly nameFor: (request: FastifyRequest, id: string) => string
}

const VersionNumber = Type.String({
  pattern: '^([1-9][0-9]{0,8}|live)$',
  description: 'Number of the version, or `live`.'
})
const Figure = Type.Union([Type.Number(), Type.Null()])
const Column = Type.Object({ name: Type.String(), type: Type.Enum(['text', 'number']) })
const VersionView = Type.Object({
  version: Type.Integer(),
  isLive: Type.Boolean({ description: 'Whether it answers.' }),
  architecture: Type.String(),
  signature: Type.Object({ features: Type.Array(Column), label: Column }),
  modelHash: Type.String({ description: 'SHA-256 of the model: equal for equal models.' }),
  dataHash: Type.String({ description: 'Stands for the data it was trained from: equal for equal data.' }),
  encoderRevision: Type.Union([Type.String(), Type.Null()]),
  answerCount: Type.Optional(Type.Integer({ description: 'Of a mentor: the same as `classCount`.' })),
  classCount: Type.Integer(),
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
  trainedBy: Type.String({ description: 'Start of the hash of the key, or the user, that asked for it.' }),
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
const REPLIES = { ...ERROR_REPLIES, 403: { $ref: 'ErrorReply#' }, 404: { $ref: 'ErrorReply#' } } as const
const CONFLICT_REPLY = { 409: { $ref: 'ErrorReply#' } } as const

/** `…/versions` and `…/rollback`: the versions of whatever has models. */
export const modelVersionRoutes: FastifyPluginAsyncTypebox<VersionedArea> = async (app, area) => {
  const { models, promotionMargin, path, kind, idSchema } = area
  const idParams = Type.Object({ [kind]: idSchema })
  const versionParams = Type.Object({ [kind]: idSchema, version: VersionNumber })
  const liveReply = Type.Object({ data: Type.Object({ [kind]: Type.String(), live: Type.Integer() }) })
  const subjectOf = (request: FastifyRequest<{ Params: { readonly [name: string]: string } }>) => {
    const id = request.params[kind] ?? ''
    return { id, name: area.nameFor(request, id) }
  }

  app.get(
    `${path}/versions`,
    {
      schema: {
        summary: `Trained versions of a ${kind}`,
        tags: ['versions'],
        params: idParams,
        response: { 200: VersionList, ...REPLIES }
      }
    },
    async (request) => {
      const { name } = subjectOf(request)
      const live = await models.liveVersion(name)
      const versions = await models.versions(name)
      const history = await models.history(name)
      return {
        data: {
          live: live ?? null,
          versions: versions.map((version) => viewOf(version, live, kind)),
          history: history.map(({ version, kind: change, atMs, by }) => ({
            version,
            kind: change,
            at: new Date(atMs).toISOString(),
            by
          }))
        }
      }
    }
  )

  app.get(
    `${path}/versions/:version/evaluation`,
    {
      schema: {
        summary: 'How good a version is',
        description:
          'Each sample judged by a model that has not seen it: accuracy, precision, recall and F1 by class, pairs ' +
          'that are mixed up, calibration error, off-topic curve, the errors themselves, and near-duplicates.',
        tags: ['versions'],
        params: versionParams,
        response: { 200: jsonReply('The report.', Type.Unknown()), ...REPLIES }
      }
    },
    async (request, reply) => {
      const { name } = subjectOf(request)
      const report = await models.report(name, await numberOf(models, name, request.params['version']!))
      if (report === undefined) throw unknownVersion()
      return reply.header('content-type', JSON_TYPE).send(`{"data":${report}}`)
    }
  )

  app.post(
    `${path}/versions/:version/promote`,
    {
      schema: {
        summary: 'Let a version answer',
        tags: ['versions'],
        params: versionParams,
        body: Type.Optional(
          Type.Union([
            Type.Object({ force: Type.Optional(Type.Boolean({ description: 'Even when it is worse.' })) }),
            Type.Null()
          ])
        ),
        response: { 200: liveReply, ...REPLIES, ...CONFLICT_REPLY }
      }
    },
    async (request) => {
      const { id, name } = subjectOf(request)
      const version = await numberOf(models, name, request.params['version']!)
      if (request.body?.force !== true) {
        const decision = await judgePromotion(models, name, version, promotionMargin)
        if (decision.outcome === 'refused') {
          throw new ServiceError('CONFLICT', `Cannot promote version ${version}: ${decision.reason}`)
        }
      }
      const change = await models.promote(name, version, callerKey(callerOf(request)))
      if (change.outcome === 'missing') throw unknownVersion()
      return { data: { [kind]: id, live: change.version } }
    }
  )

  app.post(
    `${path}/rollback`,
    {
      schema: {
        summary: 'Go back to the version that answered before',
        tags: ['versions'],
        params: idParams,
        response: { 200: liveReply, ...REPLIES, ...CONFLICT_REPLY }
      }
    },
    async (request) => {
      const { id, name } = subjectOf(request)
      const change = await models.rollBack(name, callerKey(callerOf(request)))
      if (change.outcome === 'missing') {
        throw new ServiceError('CONFLICT', 'Cannot roll back: no version answered before this one')
      }
      return { data: { [kind]: id, live: change.version } }
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

function viewOf(version: ModelVersion, live: number | undefined, kind: VersionedArea['kind']) {
  const { createdAtMs, jobId: _jobId, signature, ...details } = version
  return {
    ...details,
    signature: { features: signature.features.map((column) => ({ ...column })), label: { ...signature.label } },
    notMeasured: [...details.notMeasured],
    isLive: version.version === live,
    ...(kind === 'mentor' && { answerCount: details.classCount }),
    created: new Date(createdAtMs).toISOString()
  }
}
