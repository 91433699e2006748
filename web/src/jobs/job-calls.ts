/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { JobPage } from '../../../src/server/routes/jobs/job-replies.ts'
import { ask, askQuietly, send } from '../service/ask.ts'
import { withJson, type ServiceRequest } from '../service/service-request.ts'
import { showCall } from '../service/shown-call.ts'

/** Which jobs are listed. */
export const STATES = [
  'ALL',
  'QUEUED',
  'IN_PROGRESS',
  'SUCCESS',
  'DEAD',
  'PERMANENT',
  'CANCELLED'
] as const satisfies readonly ('ALL' | Job['status'] | Job['failure'])[]
export type JobState = (typeof STATES)[number]

export type Job = JobPage['jobs'][number]

const PAGE = 25

function listPath(state: JobState, cursor: string | undefined): string {
  const query = new URLSearchParams({
    limit: String(PAGE),
    ...(state !== 'ALL' && { status: state }),
    ...(cursor !== undefined && { cursor })
  })
  return `/v1/jobs?${query.toString()}`
}

/** A page of jobs, newest first. @param isShown whether a person asked for it */
export async function listJobs(state: JobState, cursor: string | undefined, isShown: boolean): Promise<JobPage> {
  const request: ServiceRequest = { method: 'GET', path: listPath(state, cursor) }
  return (await (isShown ? ask<JobPage>(request) : askQuietly<JobPage>(request))).data
}

export async function cancelJob(id: string): Promise<void> {
  await ask({ method: 'DELETE', path: `/v1/jobs/${id}` })
}

/** Puts a failed job back to work. */
export async function redriveJob(id: string): Promise<void> {
  await ask({ method: 'POST', path: `/v1/jobs/${id}/redrive` })
}

export async function readResult(id: string): Promise<Blob> {
  const request: ServiceRequest = { method: 'GET', path: `/v1/jobs/${id}/result` }
  showCall(request)
  return (await send(request)).blob()
}

/** Enqueues the encoding of some sentences, as an example of a job. */
export async function enqueueExample(sentences: readonly string[]): Promise<void> {
  await ask(withJson('POST', '/v1/jobs', { type: 'encode', input: { sentences } }))
}
