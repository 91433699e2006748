/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { currentSpan, inSpan } from '../tracing/span.ts'
import type { Enqueued } from './job-backend.ts'
import type { NewJob } from './job.ts'

/** `messaging.system` of the spans of jobs. */
export const MESSAGING_SYSTEM = 'sbert-service'

/** Enqueues a job within a span of the current trace, whose headers the job then carries; without a trace, just enqueues it. */
export async function enqueueInSpan(job: NewJob, enqueue: (job: NewJob) => Promise<Enqueued>): Promise<Enqueued> {
  if (currentSpan() === undefined) return enqueue(job)
  const attributes = {
    'messaging.system': MESSAGING_SYSTEM,
    'messaging.operation.type': 'send',
    'messaging.operation.name': 'enqueue',
    'messaging.destination.name': job.type
  }
  return inSpan(`enqueue ${job.type}`, { kind: 'producer', attributes }, async (span) => {
    if (span === undefined) return enqueue(job)
    const enqueued = await enqueue({ ...job, labels: { ...job.labels, ...span.headers() } })
    span.set({
      'sbert.job.outcome': enqueued.outcome,
      'messaging.message.id': enqueued.outcome === 'conflict' ? enqueued.jobId : enqueued.job.id
    })
    return enqueued
  })
}
