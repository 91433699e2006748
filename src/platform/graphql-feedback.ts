/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { randomUUIDv7 } from 'node:crypto'

import { LRUCache } from 'lru-cache'
import { Type, type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import type { AnswerRecord, AnswerRecorder } from '../answering/answer-record.ts'
import { PermanentJobError } from '../jobs/job.ts'
import type { JobBackend } from '../jobs/job-backend.ts'
import type { JobHandler, JobLog } from '../jobs/job-runner.ts'
import { packPayload, unpackPayload } from '../jobs/payload.ts'
import type { CallerHeaders } from '../mentor/mentor-source.ts'
import type { CallerSeal } from './caller-seal.ts'
import { GraphQlError, jobErrorOf, type GraphQlClient } from './graphql-client.ts'
import { USER_QUESTION_CREATE, USER_QUESTION_EXISTS } from './graphql-operations.ts'

/** Type of the jobs that record an asked question which could not be recorded at once. */
export const RECORD_QUESTION_JOB_TYPE = 'record-question'

/** How long an answer waits for its question to be recorded. */
const RECORD_TIMEOUT_MS = 2000
/** Size of the cache of jobs whose last try may have succeeded. */
const MAX_UNCERTAIN = 10_000

const UserQuestion = Type.Object({
  mentor: Type.String(),
  question: Type.String(),
  classifierAnswer: Type.String(),
  classifierAnswerType: Type.String(),
  confidence: Type.Number(),
  chatSessionId: Type.Optional(Type.String())
})
type UserQuestion = Static<typeof UserQuestion>
const recordInput = Compile(
  Type.Object({
    userQuestion: UserQuestion,
    caller: Type.Optional(Type.String({ description: 'Sealed headers.' })),
    mayBeDone: Type.Boolean()
  })
)

/** Options of a {@link GraphQlFeedback}. */
export interface GraphQlFeedbackOptions {
  readonly client: GraphQlClient
  readonly seal: CallerSeal
  readonly jobs: Pick<JobBackend, 'enqueue'>
  readonly log: JobLog
}

/**
 * Records asked questions with a GraphQL service: at once, or by a job while the service is unavailable.
 *
 * `userQuestionCreate` takes no idempotency key, so a retry could make a second record. It is retried only if the service was
 * not reached, if it refused, or if it may have recorded the question but has none like it of that chat session. Without a
 * session the question cannot be told from those of others, and is recorded twice rather than not at all.
 */
export class GraphQlFeedback implements AnswerRecorder {
  readonly #options: GraphQlFeedbackOptions
  readonly #uncertain = new LRUCache<string, true>({ max: MAX_UNCERTAIN })

  constructor(options: GraphQlFeedbackOptions) {
    this.#options = options
  }

  /** @returns the service's id of the record, or the id of the job that will make it */
  async record(answer: AnswerRecord, caller: CallerHeaders): Promise<string> {
    const userQuestion = userQuestionOf(answer)
    try {
      const call = { caller, timeoutMs: RECORD_TIMEOUT_MS }
      return await this.#options.client.run(USER_QUESTION_CREATE, { userQuestion }, call)
    } catch (error) {
      const mayBeDone = error instanceof GraphQlError && error.mayBeDone
      return this.#recordLater(userQuestion, caller, mayBeDone, error)
    }
  }

  /** Handler of jobs of the type {@link RECORD_QUESTION_JOB_TYPE}. */
  readonly recordJob: JobHandler = async (payload, { job }) => {
    const input = unpackPayload(payload)
    if (!recordInput.Check(input)) throw new PermanentJobError('Cannot record a question: the job holds none')
    const { userQuestion } = input
    const { client, seal } = this.#options
    const caller = seal.open(input.caller)
    try {
      if ((input.mayBeDone || this.#uncertain.has(job.id)) && (await this.#exists(userQuestion, caller))) {
        return packPayload({ wasThere: true })
      }
      const id = await client.run(USER_QUESTION_CREATE, { userQuestion }, { caller })
      return packPayload({ id })
    } catch (error) {
      if (error instanceof GraphQlError && error.mayBeDone) this.#uncertain.set(job.id, true)
      throw jobErrorOf(error)
    }
  }

  async #recordLater(
    userQuestion: UserQuestion,
    caller: CallerHeaders,
    mayBeDone: boolean,
    cause: unknown
  ): Promise<string> {
    const { jobs, seal, log } = this.#options
    const id = randomUUIDv7()
    const sealed = seal.seal(caller)
    try {
      const input = packPayload({ userQuestion, mayBeDone, ...(sealed !== undefined && { caller: sealed }) })
      await jobs.enqueue({ id, type: RECORD_QUESTION_JOB_TYPE, priority: 'bulk', input })
      log.warn({ err: cause, jobId: id }, 'an asked question will be recorded later')
    } catch (error) {
      log.error({ err: error, cause }, 'an asked question could not be recorded')
    }
    return id
  }

  async #exists(userQuestion: UserQuestion, caller: CallerHeaders): Promise<boolean> {
    const { mentor, question, chatSessionId } = userQuestion
    if (chatSessionId === undefined) return false
    const filter = { $and: [{ mentor }, { question }, { chatSessionId }] }
    return this.#options.client.run(USER_QUESTION_EXISTS, { filter }, { caller })
  }
}

function userQuestionOf({ mentorId, chatSessionId, ...answer }: AnswerRecord): UserQuestion {
  return {
    mentor: mentorId,
    question: answer.question,
    classifierAnswer: answer.answerId,
    classifierAnswerType: answer.answerType,
    confidence: answer.confidence,
    ...(chatSessionId !== undefined && { chatSessionId })
  }
}
