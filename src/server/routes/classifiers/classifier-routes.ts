/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Classifiers } from '../../../classifier/classifiers.ts'
import { evaluateClassifier } from '../../../classifier/evaluate-classifier.ts'
import { readFeatureColumns, type PredictLimits } from '../../../table/feature-columns.ts'
import { classifierModelName, classifierOfModelName } from '../../../versions/model-name.ts'
import type { ModelStore } from '../../../versions/model-store.ts'
import { hasText, type Signature } from '../../../table/signature.ts'
import type { TrainingReader } from '../../../table/training-reader.ts'
import { type TableFormat, type TableSummary } from '../../../table/training-request.ts'
import type { Encoder } from '../../../embedding/encoder.ts'
import { ServiceError } from '../../../errors.ts'
import type { Job } from '../../../jobs/job.ts'
import type { JobBackend } from '../../../jobs/job-backend.ts'
import { charsetOf } from '../../../reading/text-reader.ts'
import { assertMayUseClassifiers, callerKey, callerOf } from '../../auth.ts'
import { predictCsv } from '../../../classifier/csv-prediction.ts'
import {
  callerSignal,
  encodeOptionsOf,
  ERROR_REPLIES,
  JSON_TYPE,
  jsonReply,
  serverTimingOf
} from '../../encode-reply.ts'
import { predictionsJson, type PredictionDetail } from '../../../classifier/prediction-reply.ts'
import { checkedBytes } from '../../request-body.ts'
import { streamRequest } from '../../streamed-request.ts'
import { droppedView, DroppedView } from '../mentors/mentor-routes.ts'
import { modelVersionRoutes, VersionNumber } from '../versions/model-version-routes.ts'
import { onnxUploadRoutes, type OnnxUploadRouteOptions } from './onnx-upload-routes.ts'
import { trainingStatusOf, TrainingStatus } from '../train/train-routes.ts'
import { TRAIN_CLASSIFIER_JOB_TYPE } from '../../../classifier/classifier-trainer.ts'
import { trainingOptionsOf } from '../../../table/training-options.ts'
import { PACKED_TABLE_TYPE } from '../../../table/packed-table.ts'

/** Options of the routes of classifiers. */
export interface ClassifierRouteOptions {
  readonly models: ModelStore
  readonly classifiers: Classifiers
  readonly reader: TrainingReader
  readonly jobs: JobBackend
  /** How models that users bring are taken; without it they are not. */
  readonly uploads: OnnxUploadRouteOptions | undefined
  /** Share of samples by which a version may be worse than the live one. */
  readonly promotionMargin: number
  readonly classifierBodyLimitBytes: number
  readonly encoder: Pick<Encoder, 'revision'>
}

const ClassifierName = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$',
  description: 'Name of the classifier: letters, digits, dots, dashes and underscores.'
})
const ClassifierParams = Type.Object({ classifier: ClassifierName })
const ColumnView = Type.Object({ name: Type.String(), type: Type.Enum(['text', 'number']) })
const Accepted = {
  id: Type.String(),
  classifier: Type.String(),
  status: Type.Enum(['QUEUED', 'IN_PROGRESS', 'SUCCESS', 'FAILURE']),
  statusUrl: Type.String()
}
const TrainReply = Type.Object({
  data: Type.Object({
    ...Accepted,
    features: Type.Array(ColumnView, { description: 'The columns that are learned from, as they were understood.' }),
    label: ColumnView,
    rowCount: Type.Integer(),
    classCount: Type.Integer(),
    dropped: Type.Optional(DroppedView),
    lint: Type.Array(
      Type.Object({
        kind: Type.Literal('SAME_INPUT'),
        count: Type.Integer({ description: 'Different contents that have more than one label.' }),
        examples: Type.Array(
          Type.Object({
            rows: Type.Array(Type.Integer(), { description: 'The first after the header is 1.' }),
            labels: Type.Array(Type.String())
          })
        )
      }),
      { description: 'What in the table makes answers worse: rows that are the same, under different labels.' }
    )
  })
})
const StatusReply = Type.Object({ data: Type.Object({ ...Accepted, ...TrainingStatus }) })
const ClassifierList = Type.Object({
  data: Type.Array(
    Type.Object({
      classifier: Type.String(),
      live: Type.Union([Type.Integer(), Type.Null()]),
      versionCount: Type.Integer(),
      architecture: Type.String({ description: 'Of the live version, or the newest.' }),
      features: Type.Array(ColumnView),
      label: ColumnView,
      classCount: Type.Integer(),
      accuracy: Type.Union([Type.Number(), Type.Null()], { description: 'Out of fold.' }),
      updated: Type.String({ format: 'date-time' })
    })
  )
})
/** Options of a training in an address, where all are texts. */
const TrainQuery = Type.Object({
  label: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
  types: Type.Optional(
    Type.String({ maxLength: 8000, description: 'Types that are not to be inferred: `zip:text,id:ignore`.' })
  ),
  c: Type.Optional(Type.String({ maxLength: 40 })),
  force: Type.Optional(Type.Enum(['true', 'false']))
})
const PredictQuery = Type.Object({
  version: Type.Optional(
    Type.String({ pattern: '^([1-9][0-9]{0,8}|live)$', description: 'Another version than the live one.' })
  ),
  probability: Type.Optional(
    Type.Enum(['true', 'false'], {
      description: 'Whether to tell it; told when there is a text column and this is not given.'
    })
  ),
  top_k: Type.Optional(Type.String({ pattern: '^([0-9]|1[0-6])$', description: 'How many classes to rank, 0 to 16.' }))
})
const REPLIES = { ...ERROR_REPLIES, 403: { $ref: 'ErrorReply#' }, 404: { $ref: 'ErrorReply#' } } as const
const CSV_TYPE = 'text/csv'

/** `/classifiers`: any table as a versioned model. */
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

  app.get(
    '/classifiers',
    { schema: { summary: 'All classifiers', tags: ['classifiers'], response: { 200: ClassifierList, ...REPLIES } } },
    async () => {
      const names = (await models.names()).filter((name) => classifierOfModelName(name) !== undefined)
      return { data: (await Promise.all(names.map((name) => viewOf(models, name)))).flat() }
    }
  )

  app.delete(
    '/classifiers/:classifier',
    {
      schema: {
        summary: 'Delete a classifier with all its versions',
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

type ClassifierTrainOptions = Pick<ClassifierRouteOptions, 'reader' | 'jobs' | 'classifierBodyLimitBytes'>

const trainClassifierRoutes: FastifyPluginAsyncTypebox<ClassifierTrainOptions> = async (app, options) => {
  const { jobs, reader } = options
  // Bytes, which a thread may take apart: JSON of some megabytes parsed here would hold up every reply.
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser<Buffer>([CSV_TYPE, 'application/json'], { parseAs: 'buffer' }, (request, body, done) => {
    done(null, checkedBytes(request, body))
  })

  app.post(
    '/classifiers/:classifier/train',
    {
      bodyLimit: options.classifierBodyLimitBytes,
      schema: {
        summary: 'Train a classifier from a table',
        description:
          'CSV with a header line, or JSON: an array of rows `{column: value}`, or `{rows, label, types, c, force}`. Each column ' +
          'is a text, which is embedded, or a number, which is standardised; the reply says how each was understood.',
        tags: ['classifiers'],
        params: ClassifierParams,
        querystring: TrainQuery,
        headers: Type.Object({
          'idempotency-key': Type.Optional(
            Type.String({ minLength: 1, maxLength: 255, description: 'The same key and table give the same training.' })
          )
        }),
        body: {
          content: {
            'application/json': { schema: Type.Unknown() },
            [CSV_TYPE]: { schema: Type.Unknown() }
          }
        },
        response: { 200: TrainReply, ...REPLIES, 409: { $ref: 'ErrorReply#' } }
      }
    },
    async (request, reply) => {
      const { classifier } = request.params
      const body: unknown = request.body
      if (!(body instanceof Uint8Array)) throw new ServiceError('INVALID_REQUEST', 'Cannot train: there is no table')
      const { bytes, summary } = await reader.read(body, tableFormatOf(request), trainingOptionsOf(request.query), {
        callerKey: callerKey(callerOf(request)),
        signal: callerSignal(reply, undefined)
      })
      const key = request.headers['idempotency-key']
      const enqueued = await jobs.enqueue({
        type: TRAIN_CLASSIFIER_JOB_TYPE,
        input: { contentType: PACKED_TABLE_TYPE, bytes },
        owner: callerKey(callerOf(request)),
        labels: { classifier },
        concurrencyGroup: `${TRAIN_CLASSIFIER_JOB_TYPE}/${classifierModelName(classifier)}`,
        ...(key !== undefined && { idempotencyKey: `${classifier} ${key}` })
      })
      if (enqueued.outcome === 'conflict') {
        throw new ServiceError(
          'CONFLICT',
          'Cannot accept the training: its Idempotency-Key was used with another table'
        )
      }
      return { data: { ...acceptedOf(enqueued.job), ...summaryView(summary) } }
    }
  )

  app.get(
    '/classifiers/:classifier/train/status/:id',
    {
      schema: {
        summary: 'Status of a training',
        tags: ['classifiers'],
        params: Type.Object({ classifier: ClassifierName, id: Type.String({ minLength: 1, maxLength: 200 }) }),
        response: { 200: StatusReply, ...REPLIES }
      }
    },
    async (request, reply) => {
      const job = await jobs.find(request.params.id)
      if (job?.type !== TRAIN_CLASSIFIER_JOB_TYPE || job.labels['classifier'] !== request.params.classifier) {
        throw new ServiceError('NOT_FOUND', 'not found')
      }
      void reply.header('cache-control', 'no-store')
      return { data: { ...acceptedOf(job), ...(await trainingStatusOf(job, jobs)) } }
    }
  )
}

/** How good a version is on rows of one's own. */
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
      schema: {
        summary: 'How good a version is on rows of your own',
        description: 'A table as for a training, with the same columns and no label that the version does not know.',
        tags: ['versions'],
        params: Type.Object({ classifier: ClassifierName, version: VersionNumber }),
        body: {
          content: {
            'application/json': { schema: Type.Unknown() },
            [CSV_TYPE]: { schema: Type.Unknown() }
          }
        },
        response: { 200: jsonReply('The report.', Type.Unknown()), ...REPLIES }
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
      return sendJson(reply, JSON.stringify({ data: { evaluation } }))
    }
  )
}

type ClassifierPredictOptions = Pick<ClassifierRouteOptions, 'classifiers' | 'classifierBodyLimitBytes'> & {
  readonly limits: PredictLimits
}

const predictRoutes: FastifyPluginAsyncTypebox<ClassifierPredictOptions> = async (app, options) => {
  const { classifiers, limits, classifierBodyLimitBytes } = options
  app.addContentTypeParser(CSV_TYPE, (_request, payload, done) => {
    done(null, payload)
  })

  app.post(
    '/classifiers/:classifier/predict',
    {
      config: { isBodyStreamed: isCsv },
      schema: {
        summary: 'Predict classes',
        description:
          'JSON: columns by name, each a list or the text of one. CSV with a header line: answered row by row as CSV while it ' +
          'comes in, however long; a row at fault has the reason in the column `error`.',
        tags: ['classifiers'],
        params: ClassifierParams,
        querystring: PredictQuery,
        body: {
          content: {
            'application/json': { schema: Type.Record(Type.String(), Type.Unknown()) },
            [CSV_TYPE]: { schema: Type.Unknown() }
          }
        },
        response: {
          200: {
            description: 'The classes, in the order of the rows.',
            content: {
              'application/json': {
                schema: Type.Object({
                  class: Type.Array(Type.Union([Type.String(), Type.Number()])),
                  probability: Type.Optional(Type.Array(Type.Number())),
                  top_k: Type.Optional(Type.Array(Type.Array(Type.Unknown())))
                })
              },
              [CSV_TYPE]: { schema: Type.String() }
            }
          },
          ...REPLIES
        }
      }
    },
    async (request, reply) => {
      const { version, probability, top_k: topKText = '0' } = request.query
      const classifier = await classifiers.open(
        request.params.classifier,
        version === undefined || version === 'live' ? undefined : Number(version)
      )
      const { signature } = classifier.version
      const topK = Number(topKText)
      const detail: PredictionDetail = {
        hasProbability: probability === undefined ? hasText(signature) : probability === 'true',
        topK
      }
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

function sendJson(reply: FastifyReply, json: string): FastifyReply {
  return reply.header('content-type', JSON_TYPE).send(json)
}

/** What the body is, as its content type says. */
function tableFormatOf(request: FastifyRequest): TableFormat {
  return { kind: isCsv(request) ? 'csv' : 'json', charset: charsetOf(request.headers['content-type']) }
}

function isCsv(request: FastifyRequest): boolean {
  return request.headers['content-type']?.split(';')[0]?.trim().toLowerCase() === CSV_TYPE
}

function acceptedOf(job: Job) {
  const classifier = job.labels['classifier'] ?? ''
  return {
    id: job.id,
    classifier,
    status: job.status,
    statusUrl: `/v1/classifiers/${classifier}/train/status/${job.id}`
  }
}

function summaryView({ signature, rowCount, classCount, dropped, contradictions }: TableSummary) {
  const lint =
    contradictions === undefined
      ? []
      : [
          {
            kind: 'SAME_INPUT' as const,
            count: contradictions.count,
            examples: contradictions.examples.map(({ rows, labels }) => ({ rows: [...rows], labels: [...labels] }))
          }
        ]
  return { ...signatureView(signature), rowCount, classCount, ...droppedView(dropped), lint }
}

function signatureView({ features, label }: Signature) {
  return { features: features.map((column) => ({ ...column })), label: { ...label } }
}

/** A line of the list; none of a classifier that went meanwhile. */
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
