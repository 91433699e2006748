/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { Config } from '../config/settings.ts'
import type { Encoder } from '../embedding/encoder.ts'
import { ENCODE_JOB_TYPE, PARAPHRASE_JOB_TYPE, encodeJob, paraphraseJob, sentencesInput } from '../jobs/encode-job.ts'
import type { JobBackend } from '../jobs/job-backend.ts'
import { JobRunner, type JobHandler, type JobLog } from '../jobs/job-runner.ts'
import { WEBHOOK_JOB_TYPE } from '../jobs/job.ts'
import { SqliteJobBackend } from '../jobs/sqlite-job-backend.ts'
import { webhookJob } from '../jobs/webhook.ts'
import { RECORD_QUESTION_JOB_TYPE } from '../platform/graphql-feedback.ts'
import { REPORT_TRAINING_JOB_TYPE } from '../platform/graphql-trainings.ts'
import type { ReadingLine } from '../reading/reading-line.ts'
import type { JobRouteOptions } from '../server/routes/jobs/enqueue-routes.ts'
import type { Tracer } from '../tracing/span.ts'

/** Jobs that mostly wait for the answer of another service. */
const WAITING_TYPES = new Set([WEBHOOK_JOB_TYPE, RECORD_QUESTION_JOB_TYPE, REPORT_TRAINING_JOB_TYPE])

/** Part of the shutdown deadline that is left for what is closed after the jobs. */
const AFTER_JOBS_SECONDS = 5

/** Opens the job backend that `BACKEND` names. */
export async function openJobBackend(config: Config): Promise<JobBackend> {
  if (config.backend === 'local') {
    return SqliteJobBackend.open({
      path: join(config.dataDir, 'sbert-service.db'),
      maxBytes: config.jobsMaxBytes,
      reserveBytes: config.jobsReserveBytes
    })
  }
  const { jobsQueueUrl, jobsTable, modelsBucket, jobsBulkQueueUrl, jobsDeadLetterQueueUrl } = config
  assert(
    jobsQueueUrl !== undefined && jobsTable !== undefined && modelsBucket !== undefined,
    'The settings of BACKEND=aws were not checked; this is a bug'
  )
  // Loaded only when needed: loading the SDK takes a quarter of a second.
  const { AwsJobBackend } = await import('../platform/aws-job-backend.ts')
  return new AwsJobBackend({
    queueUrl: jobsQueueUrl,
    table: jobsTable,
    bucket: modelsBucket,
    forcePathStyle: config.awsEndpointUrl !== undefined || config.awsEndpointUrlS3 !== undefined,
    ...(jobsBulkQueueUrl !== undefined && { bulkQueueUrl: jobsBulkQueueUrl }),
    ...(jobsDeadLetterQueueUrl !== undefined && { deadLetterQueueUrl: jobsDeadLetterQueueUrl })
  })
}

/** Options of the routes of `/v1/jobs`. */
export function jobRouteOptions(config: Config, backend: JobBackend, line: ReadingLine): JobRouteOptions {
  const input = sentencesInput(config)
  return {
    backend,
    types: new Map([
      [ENCODE_JOB_TYPE, { input, priority: 'bulk' }],
      [PARAPHRASE_JOB_TYPE, { input, priority: 'bulk' }]
    ]),
    line,
    maxJsonDepth: config.maxJsonDepth,
    jobBodyLimitBytes: config.jobsBodyLimitBytes,
    callbacks: config.webhookSecret === undefined ? undefined : { allowsPrivate: config.webhookAllowPrivate }
  }
}

/**
 * Builds the job runner of this process. Every process handles all types of jobs: on SQS, a message for another type of worker
 * would be received and hidden again and again.
 * @param moreHandlers by type of job, beside encoding, paraphrases and callbacks
 * @param tracer makes a span of each try. @default none
 */
export function createJobRunner(
  config: Config,
  backend: JobBackend,
  encoder: Encoder,
  log: JobLog,
  moreHandlers: ReadonlyMap<string, JobHandler>,
  tracer?: Tracer
): JobRunner {
  const handlers = new Map<string, JobHandler>([
    ...moreHandlers,
    [ENCODE_JOB_TYPE, encodeJob(encoder, config)],
    [PARAPHRASE_JOB_TYPE, paraphraseJob(encoder, config)]
  ])
  if (config.webhookSecret !== undefined) {
    const options = { secret: config.webhookSecret, allowsPrivate: config.webhookAllowPrivate }
    handlers.set(WEBHOOK_JOB_TYPE, webhookJob(options))
  }
  return new JobRunner({
    backend,
    handlers,
    concurrency: Math.max(1, config.jobsConcurrency),
    waitingTypes: WAITING_TYPES,
    leaseMs: config.jobsLeaseSeconds * 1000,
    drainMs: Math.max(0, config.shutdownDeadlineSeconds - AFTER_JOBS_SECONDS) * 1000,
    log,
    tracer
  })
}
