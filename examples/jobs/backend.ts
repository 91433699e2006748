/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { SqliteJobBackend, type JobBackend } from 'sbert-service/jobs'

/** What a producer enqueues. */
export interface Question {
  readonly text: string
}

/** What a consumer makes of it. */
export interface WordCount {
  readonly words: number
}

/** Opens the queue that producer and consumer share: a SQLite file, or with BACKEND=aws SQS, DynamoDB and S3. */
export async function openBackend(): Promise<JobBackend> {
  if (process.env['BACKEND'] !== 'aws') {
    return SqliteJobBackend.open({ path: process.env['JOBS_DATABASE'] ?? 'data/example-jobs.db' })
  }
  // Loaded only where it is wanted, with the AWS SDK.
  const { AwsJobBackend } = await import('sbert-service/jobs/aws')
  return new AwsJobBackend({
    queueUrl: variable('JOBS_QUEUE_URL'),
    table: variable('JOBS_TABLE'),
    bucket: variable('MODELS_BUCKET'),
    forcePathStyle: process.env['AWS_ENDPOINT_URL_S3'] !== undefined
  })
}

function variable(name: string): string {
  const value = process.env[name]
  if (value === undefined) throw new Error(`Set ${name}, or leave BACKEND=aws out`)
  return value
}
