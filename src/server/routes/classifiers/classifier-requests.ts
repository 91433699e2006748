/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Classifiers } from '../../../classifier/classifiers.ts'
import type { Encoder } from '../../../embedding/encoder.ts'
import type { JobBackend } from '../../../jobs/job-backend.ts'
import { charsetOf } from '../../../reading/text-reader.ts'
import type { Signature } from '../../../table/signature.ts'
import type { TrainingReader } from '../../../table/training-reader.ts'
import type { TableFormat } from '../../../table/training-request.ts'
import type { ModelStore } from '../../../versions/model-store.ts'
import { ERROR_REPLIES, JSON_TYPE, ERROR_REPLY } from '../../encode-reply.ts'
import { EXAMPLE_CLASSIFIER } from './example-table.ts'
import type { OnnxUploadRouteOptions } from './onnx-upload-routes.ts'

/** Options of the routes of classifiers. */
export interface ClassifierRouteOptions {
  readonly models: ModelStore
  readonly classifiers: Classifiers
  readonly reader: TrainingReader
  readonly jobs: JobBackend
  /** Options of ONNX uploads; undefined when they are off. */
  readonly uploads: OnnxUploadRouteOptions | undefined
  /** Share of samples by which a version may be worse than the live one. */
  readonly promotionMargin: number
  readonly classifierBodyLimitBytes: number
  readonly encoder: Pick<Encoder, 'revision'>
}

/** Name of a classifier in an address. */
export const ClassifierName = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$',
  description: 'Name of the classifier: letters, digits, dots, dashes and underscores.',
  examples: [EXAMPLE_CLASSIFIER]
})

/** Path parameters of a classifier. */
export const ClassifierParams = Type.Object({ classifier: ClassifierName })

/** Error replies of every route of classifiers. */
export const REPLIES = { ...ERROR_REPLIES, 403: ERROR_REPLY, 404: ERROR_REPLY } as const

/** Media type of CSV. */
export const CSV_TYPE = 'text/csv'

/** Format and charset of a table, from the request's content type. */
export function tableFormatOf(request: FastifyRequest): TableFormat {
  return { kind: isCsv(request) ? 'csv' : 'json', charset: charsetOf(request.headers['content-type']) }
}

/** Whether the body is CSV. */
export function isCsv(request: FastifyRequest): boolean {
  return request.headers['content-type']?.split(';')[0]?.trim().toLowerCase() === CSV_TYPE
}

/** Converts a signature to its form in replies. */
export function signatureView({ features, label }: Signature) {
  return { features: features.map((column) => ({ ...column })), label: { ...label } }
}

/** Sends finished JSON. */
export function sendJson(reply: FastifyReply, json: string): FastifyReply {
  return reply.header('content-type', JSON_TYPE).send(json)
}
