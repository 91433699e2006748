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
import type { ReadingLine } from '../reading/reading-line.ts'
import type { JobRouteOptions } from '../server/routes/jobs/enqueue-routes.ts'
import type { Tracer } from '../tracing/span.ts'

/** A stop leaves this much of its deadline to what comes after the jobs. */
const AFTER_JOBS_SECONDS = 5

/** Opens the store and queue of jobs that the settings name. */
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
  // Loaded only where it is wanted: the SDK takes a quarter of a second.
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

/** Options of `/v1/jobs`. */
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
 * Builds the runner of this process. Every process does every type, since on SQS a message for another kind of worker
 * would be handed round.
 * @param moreHandlers of types that are none of the jobs' own, by type
 * @param tracer makes jobs spans. @default nobody does
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
    leaseMs: config.jobsLeaseSeconds * 1000,
    drainMs: Math.max(0, config.shutdownDeadlineSeconds - AFTER_JOBS_SECONDS) * 1000,
    log,
    tracer
  })
}
