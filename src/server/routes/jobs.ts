/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type, type TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { dropNullMembers } from '../../absent-members.ts'
import { ServiceError } from '../../errors.ts'
import {
  EMBEDDINGS_TYPE,
  embeddingsAsFloats,
  embeddingsAsJson,
  embeddingsAsLines,
  unpackEmbeddings
} from '../../jobs/embeddings-result.ts'
import { ENCODE_JOB_TYPE, LINES_TYPE, MAX_JOB_SENTENCES, countLines } from '../../jobs/encode-job.ts'
import { FAILURES, JOB_STATUSES, PRIORITIES, isEnded, type Job, type NewJob, type Priority } from '../../jobs/job.ts'
import type { JobBackend } from '../../jobs/job-backend.ts'
import { packPayload, type Payload } from '../../jobs/payload.ts'
import { MAX_CALLBACK_URL_CHARACTERS, callbackUrlProblem } from '../../jobs/webhook.ts'
import { callerKey, callerOf, type Caller } from '../auth.ts'
import { ERROR_REPLIES, jsonReply } from '../encode-reply.ts'
import { REQUIRED_FIELD } from '../error-reply.ts'
import { textOf } from '../request-body.ts'

/** A type of job that anyone may ask for over HTTP. */
export interface RequestedJobType {
  /** Schema of its input. */
  readonly input: TSchema
  /** Who waits for it, unless the request says otherwise. */
  readonly priority: Priority
}

/** What the job routes are made of. */
export interface JobRouteParts {
  readonly backend: JobBackend
  /** By name. */
  readonly types: ReadonlyMap<string, RequestedJobType>
  readonly jobBodyLimitBytes: number
  /** What callback URLs may be; `undefined`: none, since there is no secret to sign with. */
  readonly callbacks: { readonly allowsPrivate: boolean } | undefined
}

/** Media types of lines of JSON. */
const LINES_TYPES = [LINES_TYPE, 'application/x-ndjson', 'application/x-jsonlines']
/** The longest wait that `Prefer: wait` is granted, in seconds. */
const MAX_WAIT_SECONDS = 60
const PAGE_JOBS = 50
const MAX_PAGE_JOBS = 200

const CallbackUrl = Type.String({
  maxLength: MAX_CALLBACK_URL_CHARACTERS,
  description: 'Gets a signed notice once the job has ended.'
})
const JobRequest = Type.Object({
  type: Type.String({ description: 'Which work.', minLength: 1, maxLength: 100 }),
  input: Type.Unknown({ description: 'What the type asks for; for `encode` and `paraphrase` {"sentences": […]}.' }),
  callbackUrl: Type.Optional(CallbackUrl),
  priority: Type.Optional(Type.Enum([...PRIORITIES], { description: 'Whether a person waits for it.' }))
})
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
export const jobRoutes: FastifyPluginAsyncTypebox<JobRouteParts> = async (app, parts) => {
  const { backend, types } = parts
  const validators = new Map([...types].map(([name, { input }]) => [name, Compile(input)]))
  // Who waits for a job is answered at once when the server stops.
  const closing = new AbortController()
  app.addHook('preClose', async () => closing.abort())
  app.addContentTypeParser(LINES_TYPES, { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body)
  })

  app.post(
    '/jobs',
    {
      bodyLimit: parts.jobBodyLimitBytes,
      // What is wrong with a body is told by field, below.
      attachValidation: true,
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
            'application/json': { schema: JobRequest },
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
      if (request.validationError !== undefined && request.validationError.validationContext !== 'body') {
        throw request.validationError
      }
      const job = newJobOf(request, parts, validators)
      const enqueued = await backend.enqueue(job)
      if (enqueued.outcome === 'conflict') {
        throw new ServiceError('CONFLICT', 'Cannot accept the job: its Idempotency-Key was used with another body')
      }
      const waitSeconds = waitSecondsOf(request.headers.prefer)
      const waited =
        waitSeconds > 0 ? await waitFor(backend, enqueued.job, waitSeconds, reply, closing.signal) : enqueued.job
      const accepted = acceptedOf(waited)
      if (waitSeconds > 0) void reply.header('preference-applied', `wait=${waitSeconds}`)
      void reply.header('location', accepted.statusUrl)
      return reply.code(waitSeconds > 0 && isEnded(waited) ? 200 : 202).send(accepted)
    }
  )

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

type Validators = ReadonlyMap<string, Pick<Validator, 'Errors'>>

/** The job that a request hands in. */
function newJobOf(
  request: FastifyRequest<{ Querystring: { callbackUrl?: string } }>,
  parts: JobRouteParts,
  validators: Validators
): NewJob {
  const requested = Buffer.isBuffer(request.body)
    ? linesJob(textOf(request, request.body), request.query.callbackUrl)
    : jsonJob(request.body, parts.types, validators)
  if (requested.callbackUrl !== undefined) assertCallbackUrl(requested.callbackUrl, parts.callbacks)
  const key = request.headers['idempotency-key']
  return {
    ...requested,
    owner: callerKey(callerOf(request)),
    ...(typeof key === 'string' && { idempotencyKey: key })
  }
}

function linesJob(body: string, callbackUrl: string | undefined): NewJob {
  const lineCount = countLines(body)
  if (lineCount === 0) throw invalid('body', [REQUIRED_FIELD])
  if (lineCount > MAX_JOB_SENTENCES) throw invalid('body', [`more than ${MAX_JOB_SENTENCES} lines`])
  const input: Payload = { contentType: LINES_TYPE, bytes: new TextEncoder().encode(body) }
  return { type: ENCODE_JOB_TYPE, priority: 'bulk', input, ...(callbackUrl !== undefined && { callbackUrl }) }
}

const jobRequest = Compile(JobRequest)

function jsonJob(body: unknown, types: JobRouteParts['types'], validators: Validators): NewJob {
  if (!jobRequest.Check(body)) throw invalidInput(jobRequest.Errors(body))
  const type = types.get(body.type)
  if (type === undefined) throw invalid('type', [`want one of ${[...types.keys()].join(', ')}`])
  dropNullMembers(body.input, type.input)
  const problems = validators.get(body.type)?.Errors(body.input) ?? []
  if (problems.length > 0) throw invalidInput(problems)
  return {
    type: body.type,
    priority: body.priority ?? type.priority,
    input: packPayload(body.input),
    ...(body.callbackUrl !== undefined && { callbackUrl: body.callbackUrl })
  }
}

function assertCallbackUrl(url: string, callbacks: JobRouteParts['callbacks']): void {
  if (callbacks === undefined) throw invalid('callbackUrl', ['this service has no secret to sign notices with'])
  const problem = callbackUrlProblem(url, callbacks.allowsPrivate)
  if (problem !== undefined) throw invalid('callbackUrl', [problem])
}

/** Words what is wrong first, by its field; of the value itself nothing is repeated. */
function invalidInput([problem]: ReturnType<Validator['Errors']>): ServiceError {
  if (problem === undefined) return invalid('body', ['not a job'])
  const path = problem.instancePath.split('/').slice(1)
  if (problem.keyword === 'required') {
    const [missing = ''] = problem.params.requiredProperties
    return invalid([...path, missing].join('.'), [REQUIRED_FIELD])
  }
  return invalid(path.length === 0 ? 'input' : path.join('.'), [problem.message])
}

function invalid(field: string, reasons: readonly string[]): ServiceError {
  return new ServiceError('INVALID_REQUEST', `Cannot accept the job: ${field}: ${reasons.join(', ')}`, {
    fields: { [field]: reasons }
  })
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
