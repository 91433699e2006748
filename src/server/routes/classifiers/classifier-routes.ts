/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { evaluateClassifier } from '../../../classifier/evaluate-classifier.ts'
import { ServiceError } from '../../../errors.ts'
import { type PredictLimits } from '../../../table/feature-columns.ts'
import { classifierModelName, classifierOfModelName } from '../../../versions/model-name.ts'
import type { ModelStore } from '../../../versions/model-store.ts'
import { assertMayUseClassifiers, callerOf } from '../../auth.ts'
import { encodeOptionsOf, jsonOf, jsonReply } from '../../encode-reply.ts'
import { checkedBytes } from '../../request-body.ts'
import type { TypedApp } from '../../typed-app.ts'
import { OwnEvaluation } from '../versions/evaluation-reply.ts'
import { modelVersionRoutes } from '../versions/model-version-routes.ts'
import { VersionNumber } from '../versions/versioned-area.ts'
import {
  CSV_TYPE,
  ClassifierName,
  ClassifierParams,
  REPLIES,
  signatureView,
  tableFormatOf,
  type ClassifierRouteOptions,
  sendJson
} from './classifier-requests.ts'
import { ClassifierList } from './classifier-replies.ts'
import { EXAMPLE_ROWS, EXAMPLE_TABLE_CSV } from './example-table.ts'
import { onnxUploadRoutes } from './onnx-upload-routes.ts'
import { predictRoutes } from './predict-routes.ts'
import { trainClassifierRoutes } from './train-classifier-routes.ts'

/** Routes of `/classifiers`: versioned models of any table. */
export const classifierRoutes: FastifyPluginAsyncTypebox<ClassifierRouteOptions & { limits: PredictLimits }> = async (
  app,
  options
) => {
  const { models, promotionMargin, classifiers, reader, jobs, uploads, encoder, limits } = options
  const { classifierBodyLimitBytes } = options
  app.addHook('onRequest', async (request) => assertMayUseClassifiers(callerOf(request)))
  await app.register(modelVersionRoutes, {
    models,
    promotionMargin,
    path: '/classifiers/:classifier',
    kind: 'classifier',
    idSchema: ClassifierName,
    nameFor: (_request, classifier) => classifierModelName(classifier),
    takes: () => true,
    encoder,
    importLimitBytes: classifierBodyLimitBytes
  })
  if (uploads !== undefined) {
    await app.register(onnxUploadRoutes, { uploads, models, promotionMargin, idSchema: ClassifierName })
  }
  await app.register(trainClassifierRoutes, { reader, jobs, classifierBodyLimitBytes })
  await app.register(testRoutes, { classifiers, reader })
  await app.register(predictRoutes, { classifiers, limits, classifierBodyLimitBytes })
  listClassifiers(app, models)
  deleteClassifier(app, models)
}

function listClassifiers(app: TypedApp, models: ModelStore): void {
  app.get(
    '/classifiers',
    {
      config: { scope: ['ask', 'train'] },
      schema: {
        summary: 'List classifiers',
        description: 'Lists all classifiers with their columns and the accuracy of their live versions.',
        tags: ['classifiers'],
        response: { 200: ClassifierList, ...REPLIES }
      }
    },
    async () => {
      const names = (await models.names()).filter((name) => classifierOfModelName(name) !== undefined)
      return { data: (await Promise.all(names.map((name) => viewOf(models, name)))).flat() }
    }
  )
}

function deleteClassifier(app: TypedApp, models: ModelStore): void {
  app.delete(
    '/classifiers/:classifier',
    {
      config: { scope: 'admin' },
      schema: {
        summary: 'Delete a classifier',
        description: 'Deletes the classifier with all its versions.',
        tags: ['classifiers'],
        params: ClassifierParams,
        response: { 204: Type.Null(), ...REPLIES }
      }
    },
    async (request, reply) => {
      const name = classifierModelName(request.params.classifier)
      const versions = await models.versions(name)
      await models.deleteAll(name)
      if (versions.length === 0) throw unknownClassifier()
      return reply.code(204).send(null)
    }
  )
}

/** Route that evaluates a version on the caller's rows. */
const testRoutes: FastifyPluginAsyncTypebox<Pick<ClassifierRouteOptions, 'classifiers' | 'reader'>> = async (
  app,
  { classifiers, reader }
) => {
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser<Buffer>([CSV_TYPE, 'application/json'], { parseAs: 'buffer' }, (request, body, done) => {
    done(null, checkedBytes(request, body))
  })

  app.post(
    '/classifiers/:classifier/versions/:version/evaluation',
    {
      config: { scope: 'train' },
      schema: {
        summary: 'Evaluate a version on your own rows',
        description:
          'Takes a table with the columns of the training, and only labels that the version knows. Returns a report like that of a training.',
        tags: ['classifier versions'],
        params: Type.Object({ classifier: ClassifierName, version: VersionNumber }),
        body: {
          content: {
            [CSV_TYPE]: { schema: Type.Unknown({ examples: [EXAMPLE_TABLE_CSV] }) },
            'application/json': { schema: Type.Unknown({ examples: [EXAMPLE_ROWS] }) }
          }
        },
        response: { 200: jsonReply('The report.', OwnEvaluation), ...REPLIES }
      }
    },
    async (request, reply) => {
      const { classifier: name, version } = request.params
      const body: unknown = request.body
      if (!(body instanceof Uint8Array)) throw new ServiceError('INVALID_REQUEST', 'Cannot evaluate: there is no table')
      const classifier = await classifiers.open(name, version === 'live' ? undefined : Number(version))
      const { classIds, version: details } = classifier
      const table = reader.readTest(body, tableFormatOf(request), { signature: details.signature, classIds })
      const options = encodeOptionsOf(request, reply, undefined)
      const evaluation = await evaluateClassifier(classifier, table, { ...options, lane: 'bulk' })
      return sendJson(reply, jsonOf(OwnEvaluation, { data: { evaluation } }))
    }
  )
}

/** Makes an entry of the list; none for a classifier that was deleted meanwhile. */
async function viewOf(models: ModelStore, name: string) {
  const live = await models.liveVersion(name)
  const versions = await models.versions(name)
  const shown = versions.find(({ version }) => version === live) ?? versions[0]
  if (shown === undefined) return []
  return [
    {
      classifier: classifierOfModelName(name) ?? '',
      live: live ?? null,
      versionCount: versions.length,
      architecture: shown.architecture,
      ...signatureView(shown.signature),
      classCount: shown.classCount,
      accuracy: shown.figures.accuracy,
      updated: new Date(shown.createdAtMs).toISOString()
    }
  ]
}

function unknownClassifier(): ServiceError {
  return new ServiceError('NOT_FOUND', 'Cannot find this classifier: none of that name has a version')
}
