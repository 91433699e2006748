/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { FAILURES, JOB_STATUSES, PRIORITIES } from '../../../jobs/job-status.ts'

/** The reply to an accepted job. */
export const Accepted = Type.Object({
  id: Type.String(),
  status: Type.Enum([...JOB_STATUSES]),
  statusUrl: Type.String(),
  resultUrl: Type.String()
})

/** Reply that tells how a job stands. */
export const JobView = Type.Object({
  id: Type.String(),
  type: Type.String(),
  status: Type.Enum([...JOB_STATUSES]),
  failure: Type.Optional(
    Type.Enum([...FAILURES], {
      description: 'Why it failed: its input was wrong, all its tries failed, or it was cancelled.'
    })
  ),
  error: Type.Optional(Type.String({ description: 'Error message of the last failed try.' })),
  progress: Type.Number({ minimum: 0, maximum: 1 }),
  attempts: Type.Integer({ description: 'How often a worker has claimed it.' }),
  priority: Type.Enum([...PRIORITIES]),
  created: Type.String({ format: 'date-time' }),
  updated: Type.String({ format: 'date-time' }),
  statusUrl: Type.String(),
  resultUrl: Type.String()
})
/** Reply that lists jobs. */
export const JobPage = Type.Object({
  jobs: Type.Array(JobView),
  next: Type.Optional(Type.String({ description: 'The `cursor` of the next page; absent on the last.' }))
})
export type JobPage = Static<typeof JobPage>
