/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { ServiceError } from '../../../errors.ts'
import type { VersionReport } from '../../../learning/fit.ts'
import type { ModelStore, ModelVersion } from '../../../versions/model-store.ts'
import { judgePromotion } from '../../../versions/publish.ts'
import { diffVersions, type EvaluatedVersion } from '../../../versions/version-diff.ts'
import { callerKey, callerOf } from '../../auth.ts'
import { JSON_TYPE, jsonOf, jsonReply } from '../../encode-reply.ts'
import type { TypedApp } from '../../typed-app.ts'
import { DiffReply, TrainingReport } from './evaluation-reply.ts'
import { versionFileRoutes } from './version-file-routes.ts'
import { VersionList } from './version-replies.ts'
import {
  CONFLICT_REPLY,
  numberOf,
  REPLIES,
  schemasOf,
  unknownVersion,
  VersionNumber,
  type VersionedArea
} from './versioned-area.ts'

const OtherVersion = Type.Unsafe<string>({ ...VersionNumber, examples: ['live'] })

/** Routes `…/versions` and `…/rollback`, for mentors and classifiers. */
export const modelVersionRoutes: FastifyPluginAsyncTypebox<VersionedArea> = async (app, area) => {
  listVersions(app, area)
  evaluateVersion(app, area)
  compareVersions(app, area)
  await app.register(versionFileRoutes, area)
  promoteVersion(app, area)
  rollBack(app, area)
}

function listVersions(app: TypedApp, area: VersionedArea): void {
  const { models, path, kind } = area
  const { tag, idParams, subjectOf } = schemasOf(area)

  app.get(
    `${path}/versions`,
    {
      config: { scope: 'train' },
      schema: {
        summary: `List the versions of a ${kind}’s model`,
        description: 'Lists the trained versions, newest first, with their metrics, and when each was live.',
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
}

function evaluateVersion(app: TypedApp, area: VersionedArea): void {
  const { models, path } = area
  const { tag, versionParams, subjectOf } = schemasOf(area)

  app.get(
    `${path}/versions/:version/evaluation`,
    {
      config: { scope: 'train' },
      schema: {
        summary: 'Evaluate a version',
        description:
          'Returns the report of the training. A model that has not seen the sample judges each one: accuracy, precision, recall and F1 by class, ' +
          'pairs of classes that are confused, calibration error, off-topic curve, the errors, and near-duplicates.',
        tags: [tag],
        params: versionParams,
        response: { 200: jsonReply('The report.', TrainingReport), ...REPLIES }
      }
    },
    async (request, reply) => {
      const { name } = subjectOf(request)
      const report = await models.report(name, await numberOf(models, name, request.params['version']!))
      if (report === undefined) throw unknownVersion()
      return reply.header('content-type', JSON_TYPE).send(`{"data":${report}}`)
    }
  )
}

function compareVersions(app: TypedApp, area: VersionedArea): void {
  const { models, path, kind, idSchema } = area
  const { tag, subjectOf } = schemasOf(area)

  app.get(
    `${path}/versions/:version/diff/:other`,
    {
      config: { scope: 'train' },
      schema: {
        summary: 'Compare two versions',
        description:
          'Returns how the other version differs, measured out of fold: metrics, samples on which both were evaluated, classes whose F1 differs, ' +
          'new errors, and errors that are gone.',
        tags: [tag],
        params: Type.Object({ [kind]: idSchema, version: VersionNumber, other: OtherVersion }),
        response: { 200: jsonReply('The comparison.', DiffReply), ...REPLIES }
      }
    },
    async (request, reply) => {
      const { name } = subjectOf(request)
      const from = await evaluated(models, name, request.params['version']!)
      const to = await evaluated(models, name, request.params['other']!)
      return reply.header('content-type', JSON_TYPE).send(jsonOf(DiffReply, { data: diffVersions(from, to) }))
    }
  )
}

function promoteVersion(app: TypedApp, area: VersionedArea): void {
  const { models, promotionMargin, path, kind } = area
  const { tag, versionParams, liveReply, subjectOf } = schemasOf(area)

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
              Type.Object({ force: Type.Optional(Type.Boolean({ description: 'Promote it even when it is worse.' })) }),
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
}

function rollBack(app: TypedApp, area: VersionedArea): void {
  const { models, path, kind } = area
  const { tag, idParams, liveReply, subjectOf } = schemasOf(area)

  app.post(
    `${path}/rollback`,
    {
      config: { scope: 'train' },
      schema: {
        summary: 'Roll back to the previous version',
        description: 'Makes the previously live version live again; 409 when there was none.',
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

async function evaluated(models: ModelStore, name: string, version: string): Promise<EvaluatedVersion> {
  const number = await numberOf(models, name, version)
  const found = await models.find(name, number)
  const reportJson = await models.report(name, number)
  if (found === undefined || reportJson === undefined) throw unknownVersion()
  const report: VersionReport = JSON.parse(reportJson)
  return { version: found, report, judgements: await models.judgements(name, number) }
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
