/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { ServiceError } from '../../../errors.ts'
import {
  EMBEDDINGS_TYPE,
  embeddingsAsFloats,
  embeddingsAsJson,
  embeddingsAsLines,
  unpackEmbeddings
} from '../../../jobs/embeddings-result.ts'
import { LINES_TYPE } from '../../../jobs/encode-job.ts'
import type { Payload } from '../../../jobs/payload.ts'
import { LINES_TYPES } from './enqueue-routes.ts'

/** Formats of a result of embeddings. */
export const ResultFormat = Type.Enum(['json', 'jsonl', 'float32'])

/** The format that an Accept header asks for, if it is one of ours. */
export function formatOf(accept: string | undefined): 'float32' | 'jsonl' | undefined {
  if (accept?.includes('application/octet-stream') === true) return 'float32'
  return LINES_TYPES.some((type) => accept?.includes(type) === true) ? 'jsonl' : undefined
}

/** Sends the result of a job, embeddings in the format that was asked for. */
export function sendResult(reply: FastifyReply, result: Payload, format: string | undefined): FastifyReply {
  if (result.contentType !== EMBEDDINGS_TYPE) {
    if (format === 'float32' || format === 'jsonl') throw notInFormat()
    return reply
      .header('content-type', result.contentType)
      .send(Buffer.from(result.bytes.buffer, result.bytes.byteOffset, result.bytes.byteLength))
  }
  const embeddings = unpackEmbeddings(result)
  void reply.header('x-model-revision', embeddings.revision)
  if (format === 'float32') {
    return reply.header('content-type', 'application/octet-stream').send(embeddingsAsFloats(embeddings))
  }
  const isLines = embeddings.form === 'lines'
  if ((format === 'json' && isLines) || (format === 'jsonl' && !isLines)) throw notInFormat()
  void reply.header('content-type', isLines ? LINES_TYPE : 'application/json; charset=utf-8')
  return reply.send(Readable.from(isLines ? embeddingsAsLines(embeddings) : embeddingsAsJson(embeddings)))
}

function notInFormat(): ServiceError {
  return new ServiceError('INVALID_REQUEST', 'Cannot give the result in this format: the job has another one', {
    fields: { format: ['not a format of this job'] }
  })
}
