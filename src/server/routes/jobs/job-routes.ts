/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { ServiceError } from '../../../errors.ts'
import {
  EMBEDDINGS_TYPE,
  embeddingsAsFloats,
  embeddingsAsJson,
  embeddingsAsLines,
  unpackEmbeddings
} from '../../../jobs/embeddings-result.ts'
import { ENCODE_JOB_TYPE, LINES_TYPE, MAX_JOB_SENTENCES, countLines } from '../../../jobs/encode-job.ts'
import { FAILURES, JOB_STATUSES, PRIORITIES, isEnded, type Job, type NewJob } from '../../../jobs/job.ts'
import type { JobBackend } from '../../../jobs/job-backend.ts'
import { bytesOf, type Payload } from '../../../jobs/payload.ts'
import { callbackUrlProblem } from '../../../jobs/webhook.ts'
import type { ReadingLine } from '../../../reading/reading-line.ts'
import { callerKey, callerOf, type Caller } from '../../auth.ts'
import { ERROR_REPLIES, callerSignal, jsonReply } from '../../encode-reply.ts'
import { REQUIRED_FIELD } from '../../error-reply.ts'
import { bodyAsUtf8, charsetOf } from '../../../reading/text-reader.ts'
import {
  CallbackUrl,
  JobRequest,
  createJobReader,
  expectedBytesOf,
  invalidJob,
  type RequestedJob,
  type RequestedJobTypes
} from './job-request.ts'
import { checkedBytes } from '../../request-body.ts'
import { validateHead } from '../../validate-head.ts'

/** Options of the job routes. */
export interface JobRouteOptions {
  readonly backend: JobBackend
  /** By name. */
  readonly types: RequestedJobTypes
  /** Where large bodies wait to be read. */
  readonly line: ReadingLine
  readonly maxJsonDepth: number
  readonly jobBodyLimitBytes: number
  /** What callback URLs may be; `undefined`: none, since there is no secret to sign with. */
  readonly callbacks: { readonly allowsPrivate: boolean } | undefined
}

const JSON_BODY_TYPE = 'application/json'
/** Media types of lines of JSON. */
const LINES_TYPES = [LINES_TYPE, 'application/x-ndjson', 'application/x-jsonlines']
/** The longest wait that `Prefer: wait` is granted, in seconds. */
const MAX_WAIT_SECONDS = 60
const PAGE_JOBS = 50
const MAX_PAGE_JOBS = 200

const LinesQuery = Type.Object({
  type: Type.Optional(Type.Literal(ENCODE_JOB_TYPE)),
  callbackUrl: Type.Optional(CallbackUrl)
})
const JobHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ minLength: 1, maxLength: 255, description: 'The same key and body give the same job.' })
  ),
  prefer: Type.Optional(
    Type.String({ description: '`wait=30`: answer when the job has ended, or after so many seconds.' })
  )
})
const JobParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 200 }) })

const Accepted = Type.Object({
  id: Type.String(),
  status: Type.Enum([...JOB_STATUSES]),
  statusUrl: Type.String(),
  resultUrl: Type.String()
})
const JobView = Type.Object({
  id: Type.String(),
  type: Type.String(),
  status: Type.Enum([...JOB_STATUSES]),
  failure: Type.Optional(
    Type.Enum([...FAILURES], { description: 'Why it failed: its input, all its tries, or someone called it off.' })
  ),
  error: Type.Optional(Type.String({ description: 'What the last failed try said.' })),
  progress: Type.Number({ minimum: 0, maximum: 1 }),
  attempts: Type.Integer({ description: 'How often it was given to a worker.' }),
  priority: Type.Enum([...PRIORITIES]),
  created: Type.String({ format: 'date-time' }),
  updated: Type.String({ format: 'date-time' }),
  statusUrl: Type.String(),
  resultUrl: Type.String()
})
const JobPage = Type.Object({
  jobs: Type.Array(JobView),
  next: Type.Optional(Type.String({ description: 'The `cursor` of the next page; absent on the last.' }))
})
const ResultFormat = Type.Enum(['json', 'jsonl', 'float32'])
const ListQuery = Type.Object({
  status: Type.Optional(
    Type.Enum([...JOB_STATUSES, ...FAILURES], {
      description: 'How they stand, or why they failed; `DEAD`: the dead letters, every try of which failed.'
    })
  ),
  type: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'Which work; trainings are `train`.' })),
  limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,2}$', description: `1 to ${MAX_PAGE_JOBS}.` })),
  cursor: Type.Optional(Type.String({ maxLength: 1000, description: '`next` of the page before.' })),
  after: Type.Optional(Type.String({ maxLength: 1000, description: 'The same as `cursor`.', deprecated: true }))
})

const NOT_FOUND_REPLY = { 404: { $ref: 'ErrorReply#' } } as const
const CONFLICT_REPLY = { 409: { $ref: 'ErrorReply#' } } as const

/** `/v1/jobs`: work for later. */
export const jobRoutes: FastifyPluginAsyncTypebox<JobRouteOptions> = async (app, options) => {
  const { backend } = options
  // Who waits for a job is answered at once when the server stops.
  const closing = new AbortController()
  app.addHook('preClose', async () => closing.abort())
  const { types, line, maxJsonDepth, jobBodyLimitBytes, callbacks } = options
  await app.register(enqueueRoutes, {
    backend,
    types,
    line,
    maxJsonDepth,
    jobBodyLimitBytes,
    callbacks,
    closing: closing.signal
  })

  app.get(
    '/jobs',
    {
      schema: {
        summary: 'Jobs',
        description:
          'Newest first: everyone’s for a key or an administrator, one’s own for other tokens. A page may have fewer jobs than ' +
          '`limit` where many others were passed over; the last page is the one without `next`.',
        tags: ['jobs'],
        querystring: ListQuery,
        response: { 200: JobPage, ...ERROR_REPLIES }
      }
    },
    async (request, reply) => {
      void reply.header('cache-control', 'no-store')
      const { status, type, limit, cursor: after = request.query.after } = request.query
      const caller = callerOf(request)
      const { jobs, next } = await backend.list({
        ...(status !== undefined && { status }),
        ...(type !== undefined && { type }),
        limit: Math.min(MAX_PAGE_JOBS, limit === undefined ? PAGE_JOBS : Number(limit)),
        ...(after !== undefined && { after }),
        ...(!seesAll(caller) && { owner: callerKey(caller) })
      })
      return { jobs: jobs.map((job) => viewOf(job)), ...(next !== undefined && { next }) }
    }
  )

  app.get(
    '/jobs/:id',
    {
      schema: {
        summary: 'Status of a job',
        tags: ['jobs'],
        params: JobParams,
        response: { 200: JobView, ...ERROR_REPLIES, ...NOT_FOUND_REPLY }
      }
    },
    async (request, reply) => {
      void reply.header('cache-control', 'no-store')
      return viewOf(await jobFor(backend, request))
    }
  )

  app.get(
    '/jobs/:id/result',
    {
      schema: {
        summary: 'Result of a job',
        description:
          'Of an `encode` job: the reply of `multiple_encode`, or a line of JSON for each line handed in, or with ' +
          '`format=float32` (or `Accept: application/octet-stream`) the numbers alone: rows of float32, little-endian, ' +
          'NaN for a line at fault.',
        tags: ['jobs'],
        params: JobParams,
        querystring: Type.Object({ format: Type.Optional(ResultFormat) }),
        response: {
          200: { description: 'The result.', content: { 'application/json': { schema: Type.Unknown() } } },
          ...ERROR_REPLIES,
          ...NOT_FOUND_REPLY,
          ...CONFLICT_REPLY
        }
      }
    },
    async (request, reply) => {
      const job = await jobFor(backend, request)
      const result = await backend.result(job.id)
      if (result === undefined) {
        const reason = job.status === 'FAILURE' ? `it failed (${String(job.failure)})` : `it is ${job.status}`
        throw new ServiceError('CONFLICT', `Cannot give the result of this job: ${reason}`)
      }
      return sendResult(reply, result, request.query.format ?? formatOf(request.headers.accept))
    }
  )

  app.delete(
    '/jobs/:id',
    {
      schema: {
        summary: 'Call a job off',
        tags: ['jobs'],
        params: JobParams,
        response: { 200: JobView, ...ERROR_REPLIES, ...NOT_FOUND_REPLY, ...CONFLICT_REPLY }
      }
    },
    async (request) => {
      const { id } = await jobFor(backend, request)
      const changed = await backend.cancel(id)
      if (changed.outcome === 'missing') throw notFound()
      if (changed.outcome === 'refused') throw new ServiceError('CONFLICT', 'Cannot cancel this job: it has ended')
      return viewOf(changed.job)
    }
  )

  app.post(
    '/jobs/:id/redrive',
    {
      schema: {
        summary: 'Put a job that failed back to work',
        tags: ['jobs'],
        params: JobParams,
        response: { 202: Accepted, ...ERROR_REPLIES, ...NOT_FOUND_REPLY, ...CONFLICT_REPLY }
      }
    },
    async (request, reply) => {
      const { id } = await jobFor(backend, request)
      const changed = await backend.redrive(id)
      if (changed.outcome === 'missing') throw notFound()
      if (changed.outcome === 'refused') {
        throw new ServiceError('CONFLICT', 'Cannot redrive this job: it did not fail, or was cancelled')
      }
      return reply.code(202).send(acceptedOf(changed.job))
    }
  )
}

/** Bodies come as bytes here: a large one is parsed and checked elsewhere than on the main thread. */
const enqueueRoutes: FastifyPluginAsyncTypebox<JobRouteOptions & { readonly closing: AbortSignal }> = async (
  app,
  options
) => {
  const { backend, types, closing } = options
  const read = createJobReader(types, { maxJsonDepth: options.maxJsonDepth }, options.line)
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser<Buffer>([JSON_BODY_TYPE, ...LINES_TYPES], { parseAs: 'buffer' }, (request, body, done) => {
    done(null, checkedBytes(request, body))
  })

  app.post(
    '/jobs',
    {
      bodyLimit: options.jobBodyLimitBytes,
      validatorCompiler: validateHead,
      schema: {
        summary: 'Hand in work for later',
        description:
          `Types: ${[...types.keys()].map((name) => `\`${name}\``).join(', ')}. ` +
          `A body of JSON lines \`{"custom_id", "query"}\`, at most ${MAX_JOB_SENTENCES}, is an \`encode\` job.`,
        tags: ['jobs'],
        headers: JobHeaders,
        querystring: LinesQuery,
        body: {
          content: {
            [JSON_BODY_TYPE]: { schema: JobRequest },
            [LINES_TYPE]: { schema: Type.Unknown() },
            'application/x-ndjson': { schema: Type.Unknown() },
            'application/x-jsonlines': { schema: Type.Unknown() }
          }
        },
        response: {
          200: jsonReply('The job, which ended within the wait that was asked for.', Accepted),
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

/** The job that a request hands in. */
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
  const charset = charsetOf(contentType)
  const requested = isLines
    ? linesJob(bodyAsUtf8(bytes, charset), request.query.callbackUrl)
    : await read({ bytes, charset }, { callerKey: owner, signal: callerSignal(reply, undefined) })
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

/** `wait=30` of a Prefer header (RFC 7240), in seconds; 0 without one. */
function waitSecondsOf(prefer: string | undefined): number {
  const wait = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i.exec(prefer ?? '')?.[1]
  return wait === undefined ? 0 : Math.min(MAX_WAIT_SECONDS, Number(wait))
}

/** Waits no longer than the caller does. */
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

/** The job of the address, if the caller may know of it. */
async function jobFor(backend: JobBackend, request: FastifyRequest<{ Params: { id: string } }>): Promise<Job> {
  const job = await backend.find(request.params.id)
  const caller = callerOf(request)
  if (job === undefined || (!seesAll(caller) && job.owner !== callerKey(caller))) throw notFound()
  return job
}

/** Keys and administrators see everyone's jobs, a token only its own. */
function seesAll(caller: Caller): boolean {
  return caller.kind === 'key' || caller.role === 'ADMIN'
}

function notFound(): ServiceError {
  return new ServiceError('NOT_FOUND', 'Cannot find this job: unknown, or over its retention')
}

function acceptedOf(job: Job) {
  const statusUrl = `/v1/jobs/${encodeURIComponent(job.id)}`
  return { id: job.id, status: job.status, statusUrl, resultUrl: `${statusUrl}/result` }
}

function viewOf(job: Job) {
  return {
    ...acceptedOf(job),
    type: job.type,
    ...(job.failure !== undefined && { failure: job.failure }),
    ...(job.lastError !== undefined && { error: job.lastError }),
    progress: job.progress,
    attempts: job.attempts,
    priority: job.priority,
    created: new Date(job.createdAtMs).toISOString(),
    updated: new Date(job.updatedAtMs).toISOString()
  }
}

/** The format that an Accept header asks for, if it is one of ours. */
function formatOf(accept: string | undefined): 'float32' | 'jsonl' | undefined {
  if (accept?.includes('application/octet-stream') === true) return 'float32'
  return LINES_TYPES.some((type) => accept?.includes(type) === true) ? 'jsonl' : undefined
}

function sendResult(reply: FastifyReply, result: Payload, format: string | undefined): FastifyReply {
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
