/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import type { AnswerRecorder } from '../answering/answer-record.ts'
import type { Config } from '../config/settings.ts'
import type { JobBackend } from '../jobs/job-backend.ts'
import type { JobHandler, JobLog } from '../jobs/job-runner.ts'
import { CachedMentorSource } from '../mentor/cached-mentor-source.ts'
import type { CategoryAnswerSource, MentorSource } from '../mentor/mentor-source.ts'
import type { TrainingReporter } from '../mentor/training-reporter.ts'
import { CallerSeal } from '../platform/caller-seal.ts'
import { GraphQlClient } from '../platform/graphql-client.ts'
import { GraphQlFeedback, RECORD_QUESTION_JOB_TYPE } from '../platform/graphql-feedback.ts'
import { GraphQlMentors } from '../platform/graphql-mentors.ts'
import { GraphQlTrainings, REPORT_TRAINING_JOB_TYPE } from '../platform/graphql-trainings.ts'

/** Mentors of a GraphQL service, and reporters of trainings and asked questions to it. */
export interface GraphQlArea {
  readonly mentors: MentorSource
  readonly categories: CategoryAnswerSource
  readonly trainings: TrainingReporter
  readonly recorder: AnswerRecorder
  /** By type of job. */
  readonly handlers: ReadonlyMap<string, JobHandler>
  close(): Promise<void>
}

/** Creates what `MENTOR_SOURCE=graphql` needs; no request is sent yet. */
export function openGraphQl(config: Config, jobs: JobBackend, log: JobLog): GraphQlArea {
  const { graphqlEndpoint, secretHeaderName, secretHeaderValue } = config
  assert(graphqlEndpoint !== undefined, 'The settings of MENTOR_SOURCE=graphql were not checked; this is a bug')
  const client = new GraphQlClient({
    endpoint: graphqlEndpoint,
    timeoutMs: config.graphqlTimeoutSeconds * 1000,
    maxReplyBytes: config.graphqlReplyLimitBytes,
    ...(secretHeaderName !== undefined &&
      secretHeaderValue !== undefined && { secretHeader: { name: secretHeaderName, value: secretHeaderValue } })
  })
  const secrets = [secretHeaderValue, ...config.jwtSecretKey, ...config.apiSecretKey]
  const seal = new CallerSeal(secrets.filter((secret) => secret !== undefined))
  const source = new GraphQlMentors(client, log)
  const trainings = new GraphQlTrainings({ client, seal, jobs, log })
  const recorder = new GraphQlFeedback({ client, seal, jobs, log })
  return {
    mentors: new CachedMentorSource({
      source,
      maxBytes: config.mentorCacheBytes,
      freshMs: config.mentorFreshSeconds * 1000,
      maxAgeMs: config.mentorMaxAgeSeconds * 1000,
      onStale: (mentorId, error) => {
        log.warn({ err: error, mentor: mentorId }, 'a mentor could not be refreshed: the cached one is used')
      }
    }),
    categories: source,
    trainings,
    recorder,
    handlers: new Map([
      [REPORT_TRAINING_JOB_TYPE, trainings.reportJob],
      [RECORD_QUESTION_JOB_TYPE, recorder.recordJob]
    ]),
    close: () => client.close()
  }
}
