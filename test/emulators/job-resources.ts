/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs'

import type { AwsJobBackendOptions } from '../../src/platform/aws-job-backend.ts'
import type { AwsStorageOptions } from '../../src/platform/aws-storage.ts'
import resources from '../../src/platform/job-resources.json' with { type: 'json' }

/** Where each emulator listens. */
type Emulated = Readonly<Record<'sqs' | 'dynamodb' | 's3', { readonly url: string }>>

/** Makes queues, a table and a bucket, as job-resources.json describes them, that nobody else uses. */
export async function createJobResources(emulators: Emulated, name: string): Promise<AwsJobBackendOptions> {
  const [queueUrls, storage] = await Promise.all([
    createJobQueues(emulators, name),
    createStorageResources(emulators, name)
  ])
  const endpoints = { ...storage.endpoints, sqs: emulators.sqs.url }
  return { ...queueUrls, ...storage, endpoints }
}

/** Makes the table and the bucket alone. */
export async function createStorageResources(emulators: Emulated, name: string): Promise<AwsStorageOptions> {
  const endpoints = { dynamodb: emulators.dynamodb.url, s3: emulators.s3.url }
  await Promise.all([createTable(endpoints.dynamodb, name), createBucket(endpoints.s3, name)])
  return { table: name, bucket: name, region: 'us-east-1', endpoints }
}

/** Makes the three queues; one that is there is left as it is. */
export async function createJobQueues(
  emulators: Emulated,
  name: string
): Promise<{ queueUrl: string; bulkQueueUrl: string; deadLetterQueueUrl: string }> {
  const client = new SQSClient({ endpoint: emulators.sqs.url, region: 'us-east-1' })
  const { queue } = resources
  const create = async (suffix: string): Promise<string> => {
    const command = new CreateQueueCommand({
      QueueName: `${name}${suffix}`,
      Attributes: {
        VisibilityTimeout: String(queue.visibilityTimeoutSeconds),
        MessageRetentionPeriod: String(queue.messageRetentionSeconds),
        ReceiveMessageWaitTimeSeconds: String(queue.receiveWaitTimeSeconds)
      }
    })
    const { QueueUrl = '' } = await client.send(command)
    return QueueUrl
  }
  const [queueUrl = '', bulkQueueUrl = '', deadLetterQueueUrl = ''] = await Promise.all(
    ['', '-bulk', '-dead'].map((suffix) => create(suffix))
  )
  client.destroy()
  return { queueUrl, bulkQueueUrl, deadLetterQueueUrl }
}

async function createTable(endpoint: string, name: string): Promise<void> {
  const client = new DynamoDBClient({ endpoint, region: 'us-east-1' })
  const { key, index } = resources.table
  await client.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: key, AttributeType: 'S' },
        { AttributeName: index.hashKey, AttributeType: 'S' },
        { AttributeName: index.rangeKey, AttributeType: 'N' }
      ],
      KeySchema: [{ AttributeName: key, KeyType: 'HASH' }],
      GlobalSecondaryIndexes: [
        {
          IndexName: index.name,
          KeySchema: [
            { AttributeName: index.hashKey, KeyType: 'HASH' },
            { AttributeName: index.rangeKey, KeyType: 'RANGE' }
          ],
          Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: index.projectedAttributes }
        }
      ]
    })
  )
  client.destroy()
}

async function createBucket(endpoint: string, name: string): Promise<void> {
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true })
  await client.send(new CreateBucketCommand({ Bucket: name }))
  client.destroy()
}
