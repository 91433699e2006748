/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { ServiceError } from '../../../errors.ts'
import { publishVersion } from '../../../versions/publish.ts'
import { readVersionFile, writeVersionFile } from '../../../versions/version-file.ts'
import { callerKey, callerOf } from '../../auth.ts'
import { documentOnly } from '../../encode-reply.ts'
import type { TypedApp } from '../../typed-app.ts'
import { CONFLICT_REPLY, numberOf, REPLIES, schemasOf, unknownVersion, type VersionedArea } from './versioned-area.ts'

/** Media type of a version's file. */
const VERSION_FILE_TYPE = 'application/octet-stream'

/** Routes that export and import versions as files. */
export const versionFileRoutes: FastifyPluginAsyncTypebox<VersionedArea> = async (app, area) => {
  app.addContentTypeParser(VERSION_FILE_TYPE, { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body)
  })
  exportVersion(app, area)
  importVersion(app, area)
}

function exportVersion(app: TypedApp, area: VersionedArea): void {
  const { models, path } = area
  const { tag, versionParams, subjectOf } = schemasOf(area)

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
          200: { description: 'The file.', content: { [VERSION_FILE_TYPE]: { schema: documentOnly(Type.String()) } } },
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
}

function importVersion(app: TypedApp, area: VersionedArea): void {
  const { path, kind } = area
  const { tag, idParams, subjectOf } = schemasOf(area)
  const importReply = Type.Object({
    data: Type.Object({ [kind]: Type.String(), version: Type.Integer(), promotion: Type.Unknown() })
  })

  app.post(
    `${path}/versions`,
    {
      config: { scope: 'train' },
      bodyLimit: area.importLimitBytes,
      schema: {
        summary: 'Import a version',
        description:
          'Takes a file of `…/export`. It becomes a new version, which goes live unless it is worse than the live one. A file that was changed, or ' +
          'made with another encoder, is refused. The same file gives the same version.',
        tags: [tag],
        params: idParams,
        querystring: Type.Object({
          force: Type.Optional(Type.Enum(['true', 'false'], { description: 'Promote it even when it is worse.' }))
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
        throw new ServiceError('CONFLICT', `Cannot import the version: it is not a model of a ${kind}`)
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
