/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ERROR_REPLY } from '../../encode-reply.ts'
import { OffTopicBound } from '../../../learning/off-topic-bound.ts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { mentorModelName } from '../../../versions/model-name.ts'
import { trainingStage } from '../../../versions/version-trainer.ts'
import { ServiceError } from '../../../errors.ts'
import type { Job, NewJob } from '../../../jobs/job.ts'
import type { Enqueued, JobBackend } from '../../../jobs/job-backend.ts'
import { packPayload, unpackPayload } from '../../../jobs/payload.ts'
import type { MentorSource } from '../../../mentor/mentor-source.ts'
import type { RegisteredTraining, TrainingReporter } from '../../../mentor/training-reporter.ts'
import { assertMayRead, callerHeadersOf, callerKey, callerOf } from '../../auth.ts'
import { assertMayEdit } from '../../edit-permission.ts'
import type { TypedApp } from '../../typed-app.ts'
import { JobId } from '../jobs/job-request.ts'
import { EXAMPLE_MENTOR_ID } from '../mentors/example-mentor.ts'
import { MENTOR_ERROR_REPLIES, MentorId, unknownMentor } from '../mentors/mentor-routes.ts'
import { TRAIN_JOB_TYPE } from '../../../answering/mentor-trainer.ts'
import { StatusReply, TrainReply, type TrainingResult } from './training-replies.ts'

/** Options of the training routes. */
export interface TrainRouteOptions {
  readonly mentors: MentorSource
  readonly jobs: JobBackend
  /** Another service that checks who may train, and gets the status of trainings. @default none */
  readonly trainings?: TrainingReporter
}

const TrainRequest = Type.Object(
  {
    mentor: MentorId,
    arch: Type.Optional(Type.Enum(['softmax', 'ridge'], { default: 'softmax' })),
    ping: Type.Optional(Type.Boolean({ description: 'Only check whether the mentor could be trained.' })),
    force: Type.Optional(Type.Boolean({ description: 'Promote the version even when it is worse than the live one.' })),
    offTopic: Type.Optional(
      Type.Union([OffTopicBound, Type.Null()], {
        description:
          'For `softmax`: bound of the off-topic rule. Without it the bound of the live version applies; null sets the default threshold.'
      })
    )
  },
  { examples: [{ mentor: EXAMPLE_MENTOR_ID }, { mentor: EXAMPLE_MENTOR_ID, arch: 'ridge', force: true }] }
)
/** Routes of `/train`: trainings of mentors, as jobs. */
export const trainRoutes: FastifyPluginAsyncTypebox<TrainRouteOptions> = async (app, options) => {
  enqueueTraining(app, options)
  lookAtTraining(app, options)
}

/** `POST /train`. */
function enqueueTraining(app: TypedApp, options: TrainRouteOptions): void {
  const { mentors, trainings: reporter } = options
  app.post(
    '/train',
    {
      config: { scope: 'train' },
      schema: {
        summary: 'Train a mentor',
        description:
          'Enqueues a training of the mentor’s model and returns its `id`, with which its status can be read. A newer request for the same ' +
          'mentor supersedes one that still waits.',
        tags: ['train'],
        headers: Type.Object({
          'idempotency-key': Type.Optional(
            Type.String({ minLength: 1, maxLength: 255, description: 'The same key and body give the same training.' })
          )
        }),
        body: TrainRequest,
        response: { 200: TrainReply, ...MENTOR_ERROR_REPLIES, 409: ERROR_REPLY }
      }
    },
    async (request) => {
      const { mentor, arch = 'softmax', ping = false, force = false, offTopic } = request.body
      if (arch !== 'softmax' && offTopic !== undefined) {
        throw new ServiceError('INVALID_REQUEST', `Cannot train: offTopic is for softmax, and arch is ${arch}`)
      }
      const caller = callerOf(request)
      assertMayRead(caller, mentor)
      const headers = callerHeadersOf(request)
      if ((await mentors.revisionOf(mentor, { caller: headers })) === undefined) throw unknownMentor()
      await assertMayEdit(request, mentor, reporter)
      if (ping) return { message: `Successful ping for mentor: ${mentor}.` }
      const key = request.headers['idempotency-key']
      const owner = callerKey(caller)
      const registered = await reporter?.register(mentor, headers, key && JSON.stringify([owner, key]))
      const training = {
        type: TRAIN_JOB_TYPE,
        input: packPayload({ mentor, arch, force, ...(offTopic !== undefined && { offTopic }) }),
        owner,
        labels: registered?.labels ?? { mentor },
        concurrencyGroup: `${TRAIN_JOB_TYPE}/${mentorModelName(mentor)}`,
        ...(key !== undefined && { idempotencyKey: key })
      }
      const enqueued = await enqueueRegistered(options, training, registered)
      if (enqueued.outcome === 'conflict') {
        throw new ServiceError('CONFLICT', 'Cannot accept the training: its Idempotency-Key was used with another body')
      }
      return { data: acceptedOf(enqueued.job) }
    }
  )
}

/** `GET /train/status/{id}`. */
function lookAtTraining(app: TypedApp, { jobs }: TrainRouteOptions): void {
  app.get(
    '/train/status/:id',
    {
      config: { scope: 'train' },
      schema: {
        summary: 'Get the status of a training',
        description:
          'Returns the progress of the training with this `id`, and its version once it has succeeded. The `id` is in the reply of `POST /train`.',
        tags: ['train'],
        params: Type.Object({ id: JobId }),
        response: { 200: StatusReply, ...MENTOR_ERROR_REPLIES }
      }
    },
    async (request, reply) => {
      const job = await jobs.find(request.params.id)
      if (job?.type !== TRAIN_JOB_TYPE) throw new ServiceError('NOT_FOUND', 'not found')
      assertMayRead(callerOf(request), mentorOf(job))
      void reply.header('cache-control', 'no-store')
      return { data: { ...acceptedOf(job), ...(await trainingStatusOf(job, jobs)) } }
    }
  )
}

/** Makes the `TrainingStatus` of a training's job. */
export async function trainingStatusOf(job: Job, jobs: Pick<JobBackend, 'result'>) {
  const result = job.status === 'SUCCESS' ? await jobs.result(job.id) : undefined
  const error = job.lastError ?? (job.failure === 'CANCELLED' ? 'Cancelled' : undefined)
  return {
    state: job.status,
    created: new Date(job.createdAtMs).toISOString(),
    updated: new Date(job.updatedAtMs).toISOString(),
    progress: job.progress,
    stage: trainingStage(job.progress),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the job of a training has stored
    ...(result !== undefined && { result: unpackPayload(result) as TrainingResult }),
    ...(error !== undefined && { error })
  }
}

/** Enqueues a training, with the id from the other service if there is one. */
async function enqueueRegistered(
  options: TrainRouteOptions,
  training: NewJob,
  registered: RegisteredTraining | undefined
): Promise<Enqueued> {
  const { jobs, trainings: reporter } = options
  const enqueued = await jobs.enqueue({ ...training, ...(registered && { id: registered.id }) })
  if (registered === undefined || enqueued.outcome === 'added') return enqueued
  // Without a key it is not a repetition: the other service returned an id that it had returned before.
  if (training.idempotencyKey === undefined) return jobs.enqueue(training)
  await tellOfRepetition(options, reporter, registered, enqueued)
  return enqueued
}

/** Corrects a repetition that was registered as a new training: reports the first one's status, or the new one as failed. */
async function tellOfRepetition(
  { jobs }: TrainRouteOptions,
  reporter: TrainingReporter | undefined,
  announced: RegisteredTraining,
  enqueued: Enqueued
): Promise<void> {
  const first = enqueued.outcome === 'conflict' ? await jobs.find(enqueued.jobId) : enqueued.job
  if (first?.id === announced.id) await reporter?.tell(first, first.status)
  else await reporter?.tell(announced, 'FAILURE')
}

function acceptedOf(job: Job) {
  return { id: job.id, mentor: mentorOf(job), status: job.status, statusUrl: `/train/status/${job.id}` }
}

function mentorOf(job: Job): string {
  return job.labels['mentor'] ?? ''
}
