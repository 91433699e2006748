/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { predictCsv } from '../../../classifier/csv-prediction.ts'
import { type PredictionDetail, predictionsJson } from '../../../classifier/prediction-reply.ts'
import { ServiceError } from '../../../errors.ts'
import { charsetOf } from '../../../reading/text-reader.ts'
import { type PredictLimits, readFeatureColumns } from '../../../table/feature-columns.ts'
import { hasText } from '../../../table/signature.ts'
import { documentOnly, encodeOptionsOf, serverTimingOf } from '../../encode-reply.ts'
import { streamRequest } from '../../streamed-request.ts'
import { EXAMPLE_COLUMNS, EXAMPLE_PREDICT_CSV } from './example-table.ts'
import { PredictReply } from './classifier-replies.ts'
import { type ClassifierRouteOptions, sendJson } from './classifier-requests.ts'
import { CSV_TYPE, ClassifierParams, REPLIES, isCsv } from './classifier-requests.ts'

const PredictQuery = Type.Object({
  version: Type.Optional(
    Type.String({
      pattern: '^([1-9][0-9]{0,8}|live)$',
      description: 'Version to predict with, instead of the live one.'
    })
  ),
  probability: Type.Optional(
    Type.Enum(['true', 'false'], {
      description: 'Whether to return it; by default only for models with a text column.'
    })
  ),
  top_k: Type.Optional(Type.String({ pattern: '^([0-9]|1[0-6])$', description: 'Number of classes to rank, 0 to 16.' }))
})

const PREDICT_BODY = {
  'application/json': { schema: Type.Record(Type.String(), Type.Unknown(), { examples: [EXAMPLE_COLUMNS] }) },
  [CSV_TYPE]: { schema: Type.Unknown({ examples: [EXAMPLE_PREDICT_CSV] }) }
}

const PREDICT_REPLY = {
  'application/json': {
    schema: documentOnly(PredictReply)
  },
  [CSV_TYPE]: { schema: Type.String() }
}

export type ClassifierPredictOptions = Pick<ClassifierRouteOptions, 'classifiers' | 'classifierBodyLimitBytes'> & {
  readonly limits: PredictLimits
}

export const predictRoutes: FastifyPluginAsyncTypebox<ClassifierPredictOptions> = async (app, options) => {
  const { classifiers, limits, classifierBodyLimitBytes } = options
  app.addContentTypeParser(CSV_TYPE, (_request, payload, done) => {
    done(null, payload)
  })

  app.post(
    '/classifiers/:classifier/predict',
    {
      config: { scope: 'ask', isBodyStreamed: isCsv },
      schema: {
        summary: 'Predict classes',
        description:
          'Returns the class of each row. JSON: columns by name, each a list or a list as text. CSV with a header line, of any length: answered ' +
          'as CSV, row by row while it arrives; the column `error` says why a row is invalid.',
        tags: ['classifiers'],
        params: ClassifierParams,
        querystring: PredictQuery,
        body: { content: PREDICT_BODY },
        response: {
          200: { description: 'The classes, in the order of the rows.', content: PREDICT_REPLY },
          ...REPLIES
        }
      }
    },
    async (request, reply) => {
      const { version, probability, top_k: topKText = '0' } = request.query
      // Fastify does not validate a missing body.
      const body: unknown = request.body
      if (body === undefined) throw new ServiceError('INVALID_REQUEST', 'Cannot predict: there are no columns')
      const classifier = await classifiers.open(
        request.params.classifier,
        version === undefined || version === 'live' ? undefined : Number(version)
      )
      const { signature } = classifier.version
      const topK = Number(topKText)
      const hasProbability = probability === undefined ? hasText(signature) : probability === 'true'
      const detail: PredictionDetail = { hasProbability, topK }
      const encode = encodeOptionsOf(request, reply, undefined)
      void reply.header('cache-control', 'no-store').header('x-model-version', String(classifier.version.version))
      if (request.body instanceof Readable) {
        const csvOptions = {
          predict: { ...encode, lane: 'bulk' as const, topK: Math.max(1, topK) },
          detail,
          maxTextCharacters: limits.maxTextCharacters,
          maxBytes: classifierBodyLimitBytes,
          charset: charsetOf(request.headers['content-type'])
        }
        streamRequest(request)
        const lines = await predictCsv(request.body, classifier, csvOptions)
        return reply.type(`${CSV_TYPE}; charset=utf-8`).send(Readable.from(lines))
      }
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON was validated against the schema
      const table = readFeatureColumns(request.body as Record<string, unknown>, signature, limits)
      const { rows, timings } = await classifier.predict(table, { ...encode, topK: Math.max(1, topK) })
      if (timings !== undefined) void reply.header('server-timing', serverTimingOf(timings))
      return sendJson(reply, predictionsJson(rows, signature.label.type, detail))
    }
  )
}
