/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { OffTopicBound } from '../learning/off-topic-bound.ts'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { trainMentor } from '../answering/mentor-trainer.ts'
import type { JobHandler } from '../jobs/job-runner.ts'
import { DEFAULT_JOB_POLICY, PermanentJobError, afterFailure, failedTry } from '../jobs/job.ts'
import { packPayload, unpackPayload } from '../jobs/payload.ts'
import type { MentorSource } from '../mentor/mentor-source.ts'
import type { TrainingReporter } from '../mentor/training-reporter.ts'
import { jobErrorOf } from '../platform/graphql-client.ts'
import type { VersionTrainer } from '../versions/version-trainer.ts'

const trainInput = Compile(
  Type.Object({
    mentor: Type.String(),
    arch: Type.Enum(['softmax', 'ridge']),
    force: Type.Boolean(),
    offTopic: Type.Optional(Type.Union([OffTopicBound, Type.Null()]))
  })
)

/**
 * Creates the job handler that trains a mentor; a job's result is a `TrainOutcome`.
 * @param reporter gets the training's status, except when the job ends without its handler (see `UNSEEN_END_LABEL`)
 */
export function trainJob(trainer: VersionTrainer, mentors: MentorSource, reporter?: TrainingReporter): JobHandler {
  return async (payload, context) => {
    const { job, signal } = context
    const input = unpackPayload(payload)
    if (!trainInput.Check(input)) throw new PermanentJobError('Cannot train: the job is not a training')
    const { mentor: mentorId, arch: architecture, force: isForced, offTopic: offTopicBound } = input
    const caller = reporter?.callerOf(job) ?? {}
    const request = { mentorId, architecture, isForced, offTopicBound, jobId: job.id, by: job.owner, caller }
    await reporter?.tell(job, 'IN_PROGRESS')
    try {
      const outcome = await trainMentor(trainer, mentors, request, {
        signal,
        onProgress: (share) => context.progress(share)
      })
      await reporter?.tell(job, 'SUCCESS')
      return packPayload(outcome)
    } catch (error) {
      const jobError = jobErrorOf(error)
      const { status } = afterFailure(job.attempts, failedTry(jobError), DEFAULT_JOB_POLICY, 0)
      if (!signal.aborted) await reporter?.tell(job, status)
      throw jobError
    }
  }
}
