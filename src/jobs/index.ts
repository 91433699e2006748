/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/*
 * `sbert-service/jobs`: work for later, kept in memory or in a SQLite file. The backend on SQS, DynamoDB and S3 is in
 * `sbert-service/jobs/aws`, so that programs that do not use it need not load the AWS SDK.
 */
export { Consumer, type ConsumerOptions } from './consumer.ts'
export { JobFailedError, Producer, type PostOptions, type ProducerOptions, type ResultStatus } from './producer.ts'
export { DEFAULT_JOB_POLICY, PermanentJobError, type Job, type JobPolicy } from './job.ts'
export { type Failure, type Priority } from './job-status.ts'
export type { Clock, JobBackend } from './job-backend.ts'
export type { JobContext, JobLog } from './job-runner.ts'
export { MemoryJobBackend, type MemoryJobBackendOptions } from './memory-job-backend.ts'
export { SqliteJobBackend, type SqliteJobBackendOptions } from './sqlite-job-backend.ts'
export { ServiceError, type ErrorCode } from '../errors.ts'
