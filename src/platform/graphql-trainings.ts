/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { hash, randomBytes } from 'node:crypto'

import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { PermanentJobError, UNSEEN_END_LABEL } from '../jobs/job.ts'
import type { JobBackend } from '../jobs/job-backend.ts'
import type { JobHandler, JobLog } from '../jobs/job-runner.ts'
import { packPayload, unpackPayload } from '../jobs/payload.ts'
import type { CallerHeaders } from '../mentor/mentor-source.ts'
import type { RegisteredTraining, TrainingReporter, TrainingStatus } from '../mentor/training-reporter.ts'
import type { CallerSeal } from './caller-seal.ts'
import { jobErrorOf, type GraphQlClient } from './graphql-client.ts'
import { MENTOR_CAN_EDIT, TRAIN_TASK, UPDATE_MENTOR_TRAINING } from './graphql-operations.ts'

/** Type of the jobs that report the end of a training when that was not possible at once. */
export const REPORT_TRAINING_JOB_TYPE = 'report-training'

/** Name of the label with the mentor of a training. */
const MENTOR_LABEL = 'mentor'
/** Name of the label with the encrypted headers of the caller who asked for it. */
const CALLER_LABEL = 'caller'

const reportInput = Compile(
  Type.Object({
    id: Type.String(),
    labels: Type.Record(Type.String(), Type.String()),
    status: Type.Optional(Type.Enum(['SUCCESS', 'FAILURE']))
  })
)

/** Options of {@link GraphQlTrainings}. */
export interface GraphQlTrainingsOptions {
  readonly client: GraphQlClient
  readonly seal: CallerSeal
  readonly jobs: Pick<JobBackend, 'enqueue'>
  readonly log: JobLog
}

/** Reports trainings to the GraphQL service that keeps the mentors, and asks it who may train. */
export class GraphQlTrainings implements TrainingReporter {
  readonly #options: GraphQlTrainingsOptions

  constructor(options: GraphQlTrainingsOptions) {
    this.#options = options
  }

  /** @throws {GraphQlError} when the service cannot be asked */
  async mayTrain(mentorId: string, caller: CallerHeaders): Promise<boolean> {
    return this.#options.client.run(MENTOR_CAN_EDIT, { mentor: mentorId }, { caller })
  }

  /** @throws {GraphQlError} when the training cannot be registered */
  async register(
    mentorId: string,
    caller: CallerHeaders,
    idempotencyKey: string | undefined
  ): Promise<RegisteredTraining> {
    const taskDocId = idempotencyKey === undefined ? newTaskId() : taskIdOf(idempotencyKey)
    const taskId = await this.#options.client.run(TRAIN_TASK, { taskDocId, mentorId, status: 'QUEUED' }, { caller })
    const sealed = this.#options.seal.seal(caller)
    return {
      id: taskId ?? taskDocId,
      labels: {
        [MENTOR_LABEL]: mentorId,
        [UNSEEN_END_LABEL]: REPORT_TRAINING_JOB_TYPE,
        ...(sealed !== undefined && { [CALLER_LABEL]: sealed })
      }
    }
  }

  callerOf({ labels }: RegisteredTraining): CallerHeaders {
    return this.#options.seal.open(labels[CALLER_LABEL])
  }

  async tell(training: RegisteredTraining, status: TrainingStatus): Promise<void> {
    const { jobs, log } = this.#options
    const { id, labels } = training
    try {
      await this.#send(training, status)
    } catch (error) {
      log.warn({ err: error, jobId: id, status }, 'the status of a training could not be reported')
      // A status that is not final need not be reported later.
      if (status !== 'SUCCESS' && status !== 'FAILURE') return
      try {
        await jobs.enqueue({ type: REPORT_TRAINING_JOB_TYPE, input: packPayload({ id, labels, status }) })
      } catch (enqueueError) {
        log.error({ err: enqueueError, jobId: id, status }, 'the end of a training will not be reported')
      }
    }
  }

  /** Handler of jobs of the type {@link REPORT_TRAINING_JOB_TYPE}. */
  readonly reportJob: JobHandler = async (payload) => {
    const input = unpackPayload(payload)
    if (!reportInput.Check(input))
      throw new PermanentJobError('Cannot report how a training ended: this is not a training')
    try {
      await this.#send(input, input.status ?? 'FAILURE')
    } catch (error) {
      throw jobErrorOf(error)
    }
    return packPayload({ status: input.status ?? 'FAILURE' })
  }

  async #send(training: RegisteredTraining, status: TrainingStatus): Promise<void> {
    const { client } = this.#options
    const { id, labels } = training
    const mentorId = labels[MENTOR_LABEL] ?? ''
    const caller = this.callerOf(training)
    if (status === 'SUCCESS') await client.run(UPDATE_MENTOR_TRAINING, { id: mentorId }, { caller })
    await client.run(TRAIN_TASK, { taskDocId: id, mentorId, status }, { caller })
  }
}

/** Makes an id in the form of MongoDB's ObjectId, which such services often use: seconds, then random bytes. */
function newTaskId(): string {
  const seconds = Math.floor(Date.now() / 1000)
  return seconds.toString(16).padStart(8, '0') + randomBytes(8).toString('hex')
}

/** Makes an id of that form that is always the same for an idempotency key. */
function taskIdOf(idempotencyKey: string): string {
  return hash('sha256', idempotencyKey).slice(0, 24)
}
