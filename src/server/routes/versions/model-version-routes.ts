/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type, type TString } from 'typebox'
import type { VersionReport } from '../../../learning/fit.ts'
import { CHANGE_KINDS, type ModelStore, type ModelVersion } from '../../../versions/model-store.ts'
import { judgePromotion, publishVersion } from '../../../versions/publish.ts'
import type { Signature } from '../../../table/signature.ts'
import { diffVersions, type EvaluatedVersion } from '../../../versions/version-diff.ts'
import { readVersionFile, writeVersionFile } from '../../../versions/version-file.ts'
import type { Encoder } from '../../../embedding/encoder.ts'
import { ServiceError } from '../../../errors.ts'
import { callerKey, callerOf } from '../../auth.ts'
import { ERROR_REPLIES, JSON_TYPE, jsonReply } from '../../encode-reply.ts'

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
  /** Whether a model of this signature may be imported. */
  readonly takes: (signature: Signature) => boolean
  readonly encoder: Pick<Encoder, 'revision'>
  /** Longest file to import. */
  readonly importLimitBytes: number
}

/** A version in an address. */
export const VersionNumber = Type.String({
  pattern: '^([1-9][0-9]{0,8}|live)$',
  description: 'Number of the version, or `live`.',
  examples: ['1']
})
const OtherVersion = Type.Unsafe<string>({ ...VersionNumber, examples: ['live'] })
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
  answerCount: Type.Optional(Type.Integer({ description: 'For a mentor: the same as `classCount`.' })),
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
/** What a version is sent as. */
const VERSION_FILE_TYPE = 'application/octet-stream'
const CONFLICT_REPLY = { 409: { $ref: 'ErrorReply#' } } as const

/** `…/versions` and `…/rollback`: the versions of whatever has models. */
export const modelVersionRoutes: FastifyPluginAsyncTypebox<VersionedArea> = async (app, area) => {
  await app.register(readVersionRoutes, area)
  await app.register(versionFileRoutes, area)
  await app.register(liveVersionRoutes, area)
}

/** Parameters and replies of an area, and what a request is about. */
function schemasOf(area: VersionedArea) {
  const { kind, idSchema } = area
  return {
    tag: `${kind} versions`,
    idParams: Type.Object({ [kind]: idSchema }),
    versionParams: Type.Object({ [kind]: idSchema, version: VersionNumber }),
    liveReply: Type.Object({ data: Type.Object({ [kind]: Type.String(), live: Type.Integer() }) }),
    subjectOf: (request: FastifyRequest<{ Params: { readonly [name: string]: string } }>) => {
      const id = request.params[kind] ?? ''
      return { id, name: area.nameFor(request, id) }
    }
  }
}

/** Versions, how good they are, and how two of them differ. */
const readVersionRoutes: FastifyPluginAsyncTypebox<VersionedArea> = async (app, area) => {
  const { models, path, kind, idSchema } = area
  const { tag, idParams, versionParams, subjectOf } = schemasOf(area)

  app.get(
    `${path}/versions`,
    {
      config: { scope: 'train' },
      schema: {
        summary: `List the versions of a ${kind}’s model`,
        description:
          'Lists the trained versions, newest first, with how good each is, and which of them answered when.',
        tags: [tag],
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
      config: { scope: 'train' },
      schema: {
        summary: 'Evaluate a version',
        description:
          'Returns the report of the training. Each sample is judged by a model that has not seen it: accuracy, precision, recall and F1 by class, pairs ' +
          'that are mixed up, calibration error, off-topic curve, the errors themselves, and near-duplicates.',
        tags: [tag],
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

  app.get(
    `${path}/versions/:version/diff/:other`,
    {
      config: { scope: 'train' },
      schema: {
        summary: 'Compare two versions',
        description:
          'Returns what is better and worse in the other version, out of fold: metrics, samples that both were judged on, F1 by class where it differs, errors that are new and gone.',
        tags: [tag],
        params: Type.Object({ [kind]: idSchema, version: VersionNumber, other: OtherVersion }),
        response: { 200: jsonReply('The comparison.', Type.Unknown()), ...REPLIES }
      }
    },
    async (request, reply) => {
      const { name } = subjectOf(request)
      const from = await evaluated(models, name, request.params['version']!)
      const to = await evaluated(models, name, request.params['other']!)
      return reply.header('content-type', JSON_TYPE).send(JSON.stringify({ data: diffVersions(from, to) }))
    }
  )
}

/** Versions as files. */
const versionFileRoutes: FastifyPluginAsyncTypebox<VersionedArea> = async (app, area) => {
  const { models, path, kind } = area
  const { tag, idParams, versionParams, subjectOf } = schemasOf(area)
  const importReply = Type.Object({
    data: Type.Object({ [kind]: Type.String(), version: Type.Integer(), promotion: Type.Unknown() })
  })

  app.get(
    `${path}/versions/:version/export`,
    {
      config: { scope: 'train' },
      schema: {
        summary: 'Export a version',
        description:
          'Returns the version as one file, with its metrics, report and a checksum; `POST …/versions` imports it elsewhere.',
        tags: [tag],
        params: versionParams,
        response: {
          200: { description: 'The file.', content: { [VERSION_FILE_TYPE]: { schema: Type.String() } } },
          ...REPLIES
        }
      }
    },
    async (request, reply) => {
      const { id, name } = subjectOf(request)
      const number = await numberOf(models, name, request.params['version']!)
      const version = await models.find(name, number)
      const model = await models.read(name, number)
      const reportJson = await models.report(name, number)
      if (version === undefined || model === undefined || reportJson === undefined) throw unknownVersion()
      const file = writeVersionFile(version, { model, reportJson, judgements: await models.judgements(name, number) })
      const fileName = `${id.replaceAll(/[^\w.-]/g, '_')}-${number}.version`
      return reply
        .header('content-type', VERSION_FILE_TYPE)
        .header('content-disposition', `attachment; filename="${fileName}"`)
        .send(Buffer.from(file.buffer, file.byteOffset, file.byteLength))
    }
  )

  app.addContentTypeParser(VERSION_FILE_TYPE, { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body)
  })
  app.post(
    `${path}/versions`,
    {
      config: { scope: 'train' },
      bodyLimit: area.importLimitBytes,
      schema: {
        summary: 'Import a version',
        description:
          'Takes a file of `…/export`. It becomes a new version, and live unless it is worse than the one that is. A file that was ' +
          'changed is refused, and so is one of another encoder. The same file gives the same version.',
        tags: [tag],
        params: idParams,
        querystring: Type.Object({
          force: Type.Optional(Type.Enum(['true', 'false'], { description: 'Let it answer even when it is worse.' }))
        }),
        body: { content: { [VERSION_FILE_TYPE]: { schema: Type.Unknown() } } },
        response: { 200: importReply, ...REPLIES, ...CONFLICT_REPLY }
      }
    },
    async (request) => {
      const { id, name } = subjectOf(request)
      const body: unknown = request.body
      if (!(body instanceof Uint8Array)) {
        throw new ServiceError('INVALID_REQUEST', 'Cannot import the version: there is no file')
      }
      const by = callerKey(callerOf(request))
      const imported = readVersionFile(body, by)
      const { signature, encoderRevision } = imported.details
      if (!area.takes(signature)) {
        throw new ServiceError('CONFLICT', `Cannot import the version: it is no model of a ${kind}`)
      }
      if (encoderRevision !== null && encoderRevision !== area.encoder.revision) {
        throw new ServiceError(
          'CONFLICT',
          'Cannot import the version: it was trained with another encoder, train it here'
        )
      }
      const isForced = request.query.force === 'true'
      return { data: { [kind]: id, ...(await publishVersion(area, name, imported, { isForced, by })) } }
    }
  )
}

/** Which version answers. */
const liveVersionRoutes: FastifyPluginAsyncTypebox<VersionedArea> = async (app, area) => {
  const { models, promotionMargin, path, kind } = area
  const { tag, idParams, versionParams, liveReply, subjectOf } = schemasOf(area)

  app.post(
    `${path}/versions/:version/promote`,
    {
      config: { scope: 'train' },
      schema: {
        summary: 'Promote a version',
        description:
          'Makes the version live, so that it answers from now on. Refused with 409 when it is worse than the live one, unless ' +
          '`force` is true.',
        tags: [tag],
        params: versionParams,
        body: Type.Optional(
          Type.Union(
            [
              Type.Object({ force: Type.Optional(Type.Boolean({ description: 'Even when it is worse.' })) }),
              Type.Null()
            ],
            { examples: [{ force: true }] }
          )
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
      config: { scope: 'train' },
      schema: {
        summary: 'Roll back to the version before',
        description: 'Makes the version live that answered before the live one; 409 when none did.',
        tags: [tag],
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

async function evaluated(models: ModelStore, name: string, version: string): Promise<EvaluatedVersion> {
  const number = await numberOf(models, name, version)
  const found = await models.find(name, number)
  const reportJson = await models.report(name, number)
  if (found === undefined || reportJson === undefined) throw unknownVersion()
  const report: VersionReport = JSON.parse(reportJson)
  return { version: found, report, judgements: await models.judgements(name, number) }
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
