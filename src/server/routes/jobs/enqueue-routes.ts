/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { ServiceError } from '../../../errors.ts'
import { ENCODE_JOB_TYPE, LINES_TYPE, MAX_JOB_SENTENCES, countLines } from '../../../jobs/encode-job.ts'
import type { JobBackend } from '../../../jobs/job-backend.ts'
import { type Job, type NewJob, isEnded } from '../../../jobs/job.ts'
import { type Payload, bytesOf } from '../../../jobs/payload.ts'
import { callbackUrlProblem } from '../../../jobs/webhook.ts'
import type { ReadingLine } from '../../../reading/reading-line.ts'
import { bodyAsUtf8 } from '../../../reading/text-reader.ts'
import { callerKey, callerOf } from '../../auth.ts'
import { ERROR_REPLIES, callerSignal, jsonReply, ERROR_REPLY } from '../../encode-reply.ts'
import { REQUIRED_FIELD } from '../../error-reply.ts'
import { checkedBytes } from '../../request-body.ts'
import { addUtf8Bodies } from '../../utf8-bodies.ts'
import { validateHead } from '../../validate-head.ts'
import { Accepted } from './job-replies.ts'
import {
  CallbackUrl,
  JobRequest,
  type RequestedJob,
  createJobReader,
  expectedBytesOf,
  invalidJob,
  type RequestedJobTypes
} from './job-request.ts'

/** Options of the job routes. */
export interface JobRouteOptions {
  readonly backend: JobBackend
  /** Types of jobs by name. */
  readonly types: RequestedJobTypes
  /** Queue of large bodies to read. */
  readonly line: ReadingLine
  readonly maxJsonDepth: number
  readonly jobBodyLimitBytes: number
  /** Rules for callback URLs; undefined without a secret to sign with, when no callbacks are accepted. */
  readonly callbacks: { readonly allowsPrivate: boolean } | undefined
}

const JSON_BODY_TYPE = 'application/json'

/** Media types of lines of JSON. */
export const LINES_TYPES = [LINES_TYPE, 'application/x-ndjson', 'application/x-jsonlines']

/** Maximum wait by `Prefer: wait`, in seconds. */
const MAX_WAIT_SECONDS = 60

const LinesQuery = Type.Object({
  type: Type.Optional(Type.Literal(ENCODE_JOB_TYPE)),
  callbackUrl: Type.Optional(CallbackUrl)
})

const Lines = Type.Unknown({
  examples: ['{"custom_id":"a","query":"first"}\n{"custom_id":"b","query":"second"}\n']
})

const JobHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ minLength: 1, maxLength: 255, description: 'The same key and body give the same job.' })
  ),
  prefer: Type.Optional(
    Type.String({
      description: '`wait=30`: reply when the job has ended, at the latest after 30 seconds.',
      examples: ['wait=5']
    })
  )
})

/** Error reply for a request that a job's state does not allow, for the docs. */
export const CONFLICT_REPLY = { 409: ERROR_REPLY } as const

/** Route `POST /v1/jobs`. Bodies are received as bytes, since large ones are parsed and checked outside of the main thread. */
export const enqueueRoutes: FastifyPluginAsyncTypebox<JobRouteOptions & { readonly closing: AbortSignal }> = async (
  app,
  options
) => {
  const { backend, types, closing } = options
  const read = createJobReader(types, { maxJsonDepth: options.maxJsonDepth }, options.line)
  addUtf8Bodies(app)
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser<Buffer>([JSON_BODY_TYPE, ...LINES_TYPES], { parseAs: 'buffer' }, (request, body, done) => {
    done(null, checkedBytes(request, body))
  })

  app.post(
    '/jobs',
    {
      config: { scope: 'encode' },
      bodyLimit: options.jobBodyLimitBytes,
      validatorCompiler: validateHead,
      schema: {
        summary: 'Enqueue a job',
        description:
          'Stores work that takes longer than a request should wait; it survives crashes and takes effect once. ' +
          `Types: ${[...types.keys()].map((name) => `\`${name}\``).join(', ')}. ` +
          `A body of JSON lines \`{"custom_id", "query"}\`, at most ${MAX_JOB_SENTENCES}, is an \`encode\` job.`,
        tags: ['jobs'],
        headers: JobHeaders,
        querystring: LinesQuery,
        body: {
          content: {
            [JSON_BODY_TYPE]: { schema: JobRequest },
            ...Object.fromEntries(LINES_TYPES.map((type) => [type, { schema: Lines }]))
          }
        },
        response: {
          200: jsonReply('The job, which ended within the requested wait.', Accepted),
          202: jsonReply('The job, stored.', Accepted),
          ...ERROR_REPLIES,
          ...CONFLICT_REPLY
        }
      }
    },
    async (request, reply) => {
      const job = await newJobOf(request, reply, options, read)
      const enqueued = await backend.enqueue(job)
      if (enqueued.outcome === 'conflict') {
        throw new ServiceError('CONFLICT', 'Cannot accept the job: its Idempotency-Key was used with another body')
      }
      const waitSeconds = waitSecondsOf(request.headers.prefer)
      const waited = waitSeconds > 0 ? await waitFor(backend, enqueued.job, waitSeconds, reply, closing) : enqueued.job
      const accepted = acceptedOf(waited)
      if (waitSeconds > 0) void reply.header('preference-applied', `wait=${waitSeconds}`)
      void reply.header('location', accepted.statusUrl)
      return reply.code(waitSeconds > 0 && isEnded(waited) ? 200 : 202).send(accepted)
    }
  )
}

/** Reads the job that a request asks for. */
async function newJobOf(
  request: FastifyRequest<{ Querystring: { callbackUrl?: string } }>,
  reply: FastifyReply,
  options: JobRouteOptions,
  read: ReturnType<typeof createJobReader>
): Promise<NewJob> {
  const owner = callerKey(callerOf(request))
  const bytes = bytesOf(request.body)
  const contentType = request.headers['content-type']?.toLowerCase() ?? ''
  const isLines = LINES_TYPES.some((type) => contentType.startsWith(type))
  const requested = isLines
    ? linesJob(bodyAsUtf8(bytes), request.query.callbackUrl)
    : await read(bytes, { callerKey: owner, signal: callerSignal(reply, undefined) })
  if (requested.callbackUrl !== undefined) assertCallbackUrl(requested.callbackUrl, options.callbacks)
  const key = request.headers['idempotency-key']
  return { ...requested, owner, ...(typeof key === 'string' && { idempotencyKey: key }) }
}

function linesJob(bytes: Uint8Array<ArrayBuffer>, callbackUrl: string | undefined): RequestedJob {
  const lineCount = countLines(bytes, MAX_JOB_SENTENCES)
  if (lineCount === 0) throw invalidJob('body', [REQUIRED_FIELD])
  if (lineCount > MAX_JOB_SENTENCES) throw invalidJob('body', [`more than ${MAX_JOB_SENTENCES} lines`])
  const input: Payload = { contentType: LINES_TYPE, bytes }
  const expectedResultBytes = expectedBytesOf(lineCount, bytes.length)
  return {
    type: ENCODE_JOB_TYPE,
    priority: 'bulk',
    input,
    expectedResultBytes,
    ...(callbackUrl !== undefined && { callbackUrl })
  }
}

function assertCallbackUrl(url: string, callbacks: JobRouteOptions['callbacks']): void {
  if (callbacks === undefined) throw invalidJob('callbackUrl', ['this service has no secret to sign notices with'])
  const problem = callbackUrlProblem(url, callbacks.allowsPrivate)
  if (problem !== undefined) throw invalidJob('callbackUrl', [problem])
}

/** Reads `wait=30` from a Prefer header (RFC 7240), in seconds; 0 without one. */
function waitSecondsOf(prefer: string | undefined): number {
  const wait = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i.exec(prefer ?? '')?.[1]
  return wait === undefined ? 0 : Math.min(MAX_WAIT_SECONDS, Number(wait))
}

/** Waits for a job's end, until the time is over, the caller disconnects or the server stops. */
async function waitFor(
  backend: JobBackend,
  job: Job,
  seconds: number,
  reply: FastifyReply,
  closing: AbortSignal
): Promise<Job> {
  const left = new AbortController()
  reply.raw.once('close', () => left.abort())
  return (await backend.waitUntilEnded(job.id, seconds * 1000, AbortSignal.any([left.signal, closing]))) ?? job
}

/** Makes the reply to an accepted job. */
export function acceptedOf(job: Job) {
  const statusUrl = `/v1/jobs/${encodeURIComponent(job.id)}`
  return { id: job.id, status: job.status, statusUrl, resultUrl: `${statusUrl}/result` }
}
