/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { ServiceError } from '../../../errors.ts'
import { LINES_TYPE } from '../../../jobs/encode-job.ts'
import type { JobBackend } from '../../../jobs/job-backend.ts'
import type { Job } from '../../../jobs/job.ts'
import { FAILURES, JOB_STATUSES } from '../../../jobs/job-status.ts'
import { callerKey, callerOf } from '../../auth.ts'
import { isAdmin } from '../../callers/caller.ts'
import { ERROR_REPLIES, ERROR_REPLY } from '../../encode-reply.ts'
import type { TypedApp } from '../../typed-app.ts'
import { acceptedOf, CONFLICT_REPLY, enqueueRoutes, type JobRouteOptions } from './enqueue-routes.ts'
import { Accepted, JobPage, JobView } from './job-replies.ts'
import { JobId } from './job-request.ts'
import { ResultFormat, formatOf, sendResult } from './job-result.ts'

const PAGE_JOBS = 50
const MAX_PAGE_JOBS = 200

const JobParams = Type.Object({ id: JobId })

const ListQuery = Type.Object({
  status: Type.Optional(
    Type.Enum([...JOB_STATUSES, ...FAILURES], {
      description: 'Status, or why they failed; `DEAD` lists dead letters, whose tries all failed.'
    })
  ),
  type: Type.Optional(
    Type.String({ minLength: 1, maxLength: 100, description: 'Type of the jobs; `train` for trainings.' })
  ),
  limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,2}$', description: `1 to ${MAX_PAGE_JOBS}.` })),
  cursor: Type.Optional(Type.String({ maxLength: 1000, description: '`next` of the previous page.' })),
  after: Type.Optional(Type.String({ maxLength: 1000, description: 'The same as `cursor`.', deprecated: true }))
})

const NOT_FOUND_REPLY = { 404: ERROR_REPLY } as const

/** Routes of `/v1/jobs`. */
export const jobRoutes: FastifyPluginAsyncTypebox<JobRouteOptions> = async (app, options) => {
  const { backend } = options
  // Callers that wait for a job are answered at once when the server stops.
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
  listJobs(app, backend)
  lookAtJob(app, backend)
  readResult(app, backend)
  cancelJob(app, backend)
  redriveJob(app, backend)
}

function listJobs(app: TypedApp, backend: JobBackend): void {
  app.get(
    '/jobs',
    {
      config: { scope: ['encode', 'train'] },
      schema: {
        summary: 'List jobs',
        description:
          'Lists jobs, newest first: all jobs for callers with the scope `admin`, else the caller’s own. A page may have fewer jobs than ' +
          '`limit` when many others were skipped; the last page has no `next`.',
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
        ...(!isAdmin(caller) && { owner: callerKey(caller) })
      })
      return { jobs: jobs.map((job) => viewOf(job)), ...(next !== undefined && { next }) }
    }
  )
}

function lookAtJob(app: TypedApp, backend: JobBackend): void {
  app.get(
    '/jobs/:id',
    {
      config: { scope: ['encode', 'train'] },
      schema: {
        summary: 'Get the status of a job',
        description: 'Returns the job’s status, progress and tries, and the last error if there was one.',
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
}

function readResult(app: TypedApp, backend: JobBackend): void {
  app.get(
    '/jobs/:id/result',
    {
      config: { scope: ['encode', 'train'] },
      schema: {
        summary: 'Read the result of a job',
        description:
          'Returns the result of the job; 409 while there is none. For an `encode` job: the reply of `multiple_encode`, or a line of JSON for each line of the request, or with ' +
          '`format=float32` (or `Accept: application/octet-stream`) the numbers alone: rows of float32, little-endian, ' +
          'NaN for an invalid line.',
        tags: ['jobs'],
        params: JobParams,
        querystring: Type.Object({ format: Type.Optional(ResultFormat) }),
        response: {
          200: {
            description: 'The result.',
            content: {
              'application/json': { schema: Type.Unknown() },
              [LINES_TYPE]: { schema: Type.Unknown() },
              'application/octet-stream': { schema: Type.Unknown() }
            }
          },
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
}

function cancelJob(app: TypedApp, backend: JobBackend): void {
  app.delete(
    '/jobs/:id',
    {
      config: { scope: ['encode', 'train'] },
      schema: {
        summary: 'Cancel a job',
        description: 'Cancels a job that has not ended; 409 for one that has.',
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
}

function redriveJob(app: TypedApp, backend: JobBackend): void {
  app.post(
    '/jobs/:id/redrive',
    {
      config: { scope: ['encode', 'train'] },
      schema: {
        summary: 'Redrive a failed job',
        description: 'Requeues a failed job; 409 when it did not fail or was cancelled.',
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

/** Finds the job in the address. @throws {ServiceError} NOT_FOUND also for a job that the caller may not see */
async function jobFor(backend: JobBackend, request: FastifyRequest<{ Params: { id: string } }>): Promise<Job> {
  const job = await backend.find(request.params.id)
  const caller = callerOf(request)
  if (job === undefined || (!isAdmin(caller) && job.owner !== callerKey(caller))) throw notFound()
  return job
}

function notFound(): ServiceError {
  return new ServiceError('NOT_FOUND', 'Cannot find this job: it is unknown or has expired')
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
