/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { S3Client } from '@aws-sdk/client-s3'
import { SQSClient } from '@aws-sdk/client-sqs'

import { DEFAULT_JOB_POLICY } from '../jobs/job.ts'
import { SYSTEM_CLOCK } from '../jobs/job-backend.ts'
import { TableJobBackend, type TableJobOptions } from '../jobs/table-job-backend.ts'
import { clientConfig, queueClientConfig } from './aws-storage.ts'
import { DynamoJobTable } from './dynamo-job-table.ts'
import { JobPayloads } from './job-payloads.ts'
import { S3ObjectStore } from './s3-object-store.ts'
import { SqsJobQueue, type SqsJobQueueOptions } from './sqs-job-queue.ts'

/** How to reach the queue, table and bucket; what is left out has its default. */
export interface AwsJobBackendOptions extends SqsJobQueueOptions, TableJobOptions {
  /** A table as `job-resources.json` describes it. */
  readonly table: string
  /** Bucket for inputs and results of more than 190 KiB, under the prefix `jobs/`. */
  readonly bucket: string
  /** @default the SDK's, from AWS_REGION */
  readonly region?: string
  /** URLs of emulators. @default the SDK's, from `AWS_ENDPOINT_URL` and the variables for single services */
  readonly endpoints?: { readonly sqs?: string; readonly dynamodb?: string; readonly s3?: string }
  /** Whether the bucket's name is in the path, not in the host name, as emulators of S3 need it. @default whether `endpoints.s3` is given */
  readonly forcePathStyle?: boolean
}

/** Job backend on AWS: jobs in DynamoDB, messages about them in SQS, large payloads in S3. */
export class AwsJobBackend extends TableJobBackend {
  readonly #clients: readonly { destroy(): void }[]

  constructor(options: AwsJobBackendOptions) {
    const { endpoints = {}, region, silentMs } = options
    const dynamodb = new DynamoDBClient(clientConfig(region, endpoints.dynamodb, silentMs))
    const sqs = new SQSClient(queueClientConfig(region, endpoints.sqs, silentMs))
    const forcePathStyle = options.forcePathStyle ?? endpoints.s3 !== undefined
    const s3 = new S3Client({ ...clientConfig(region, endpoints.s3, silentMs), forcePathStyle })
    const table = new DynamoJobTable(dynamodb, {
      name: options.table,
      payloads: new JobPayloads(new S3ObjectStore(s3, options.bucket)),
      policy: options.policy ?? DEFAULT_JOB_POLICY,
      clock: options.clock ?? SYSTEM_CLOCK
    })
    super(table, new SqsJobQueue(sqs, options), options)
    this.#clients = [dynamodb, sqs, s3]
  }

  override async close(): Promise<void> {
    await super.close()
    for (const client of this.#clients) client.destroy()
  }
}
