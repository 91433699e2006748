/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { TRAIN_CLASSIFIER_JOB_TYPE } from '../../../classifier/classifier-trainer.ts'
import { ServiceError } from '../../../errors.ts'
import type { Job } from '../../../jobs/job.ts'
import { PACKED_TABLE_TYPE } from '../../../table/packed-table.ts'
import { trainingOptionsOf } from '../../../table/training-options.ts'
import type { TableSummary } from '../../../table/training-request.ts'
import type { LabelFindings } from '../../../table/training-table.ts'
import { classifierModelName } from '../../../versions/model-name.ts'
import { callerKey, callerOf } from '../../auth.ts'
import { callerSignal, ERROR_REPLY } from '../../encode-reply.ts'
import { checkedBytes } from '../../request-body.ts'
import type { TypedApp } from '../../typed-app.ts'
import { JobId } from '../jobs/job-request.ts'
import { droppedView } from '../mentors/mentor-routes.ts'
import { trainingStatusOf } from '../train/train-routes.ts'
import {
  CSV_TYPE,
  ClassifierName,
  ClassifierParams,
  REPLIES,
  signatureView,
  tableFormatOf
} from './classifier-requests.ts'
import type { ClassifierRouteOptions } from './classifier-requests.ts'
import { StatusReply, TrainReply } from './classifier-replies.ts'
import { EXAMPLE_ROWS, EXAMPLE_TABLE_CSV } from './example-table.ts'

/** Options of a training in the query string, all as texts. */
const TrainQuery = Type.Object({
  label: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
  types: Type.Optional(
    Type.String({
      maxLength: 8000,
      description: 'Types of columns that replace the inferred ones: `zip:text,id:ignore`.'
    })
  ),
  c: Type.Optional(Type.String({ maxLength: 40 })),
  force: Type.Optional(Type.Enum(['true', 'false']))
})

/** Options of the training routes of classifiers. */
export type ClassifierTrainOptions = Pick<ClassifierRouteOptions, 'reader' | 'jobs' | 'classifierBodyLimitBytes'>

export const trainClassifierRoutes: FastifyPluginAsyncTypebox<ClassifierTrainOptions> = async (app, options) => {
  // As bytes, since a thread parses large ones: parsing some megabytes of JSON here would block all replies.
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser<Buffer>([CSV_TYPE, 'application/json'], { parseAs: 'buffer' }, (request, body, done) => {
    done(null, checkedBytes(request, body))
  })
  enqueueTraining(app, options)
  lookAtTraining(app, options)
}

/** `POST /v1/classifiers/{classifier}/train`. */
function enqueueTraining(app: TypedApp, options: ClassifierTrainOptions): void {
  const { jobs, reader } = options
  app.post(
    '/classifiers/:classifier/train',
    {
      config: { scope: 'train' },
      bodyLimit: options.classifierBodyLimitBytes,
      schema: {
        summary: 'Train a classifier from a table',
        description:
          'Enqueues a training and returns its `id`, with which its status can be read. The table is CSV with a header line, or JSON: an array of rows `{column: value}`, or `{rows, label, types, c, force}`. Each column ' +
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
            [CSV_TYPE]: { schema: Type.Unknown({ examples: [EXAMPLE_TABLE_CSV] }) },
            'application/json': { schema: Type.Unknown({ examples: [EXAMPLE_ROWS] }) }
          }
        },
        response: { 200: TrainReply, ...REPLIES, 409: ERROR_REPLY }
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
      return { data: { ...acceptedTrainingOf(enqueued.job), ...summaryView(summary) } }
    }
  )
}

/** `GET /v1/classifiers/{classifier}/train/status/{id}`. */
function lookAtTraining(app: TypedApp, { jobs }: ClassifierTrainOptions): void {
  app.get(
    '/classifiers/:classifier/train/status/:id',
    {
      config: { scope: 'train' },
      schema: {
        summary: 'Get the status of a training',
        description:
          'Returns the progress of the training with this `id`, and its version once it has succeeded. The `id` is in the reply of ' +
          '`POST /v1/classifiers/{classifier}/train`.',
        tags: ['classifiers'],
        params: Type.Object({ classifier: ClassifierName, id: JobId }),
        response: { 200: StatusReply, ...REPLIES }
      }
    },
    async (request, reply) => {
      const job = await jobs.find(request.params.id)
      if (job?.type !== TRAIN_CLASSIFIER_JOB_TYPE || job.labels['classifier'] !== request.params.classifier) {
        throw new ServiceError('NOT_FOUND', 'not found')
      }
      void reply.header('cache-control', 'no-store')
      return { data: { ...acceptedTrainingOf(job), ...(await trainingStatusOf(job, jobs)) } }
    }
  )
}

function acceptedTrainingOf(job: Job) {
  const classifier = job.labels['classifier'] ?? ''
  return {
    id: job.id,
    classifier,
    status: job.status,
    statusUrl: `/v1/classifiers/${classifier}/train/status/${job.id}`
  }
}

function findingView<Kind extends string>(kind: Kind, found: LabelFindings | undefined) {
  if (found === undefined) return []
  const examples = found.examples.map(({ rows, labels }) => ({ rows: [...rows], labels: [...labels] }))
  return [{ kind, count: found.count, examples }]
}

function summaryView({ signature, rowCount, classCount, dropped, contradictions, similarLabels }: TableSummary) {
  const lint = [...findingView('SAME_INPUT', contradictions), ...findingView('SIMILAR_LABELS', similarLabels)]
  return { ...signatureView(signature), rowCount, classCount, ...droppedView(dropped), lint }
}
