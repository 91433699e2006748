/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import { S3Client } from '@aws-sdk/client-s3'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'

import { DynamoTable } from './dynamo-table.ts'
import { S3ObjectStore } from './s3-object-store.ts'

/** Table, bucket and endpoints; what is left out has its default. */
export interface AwsStorageOptions {
  /** A table as `job-resources.json` describes it. */
  readonly table: string
  readonly bucket: string
  /** @default the SDK's, from AWS_REGION */
  readonly region?: string
  /** URLs of emulators. @default the SDK's, from `AWS_ENDPOINT_URL` and the variables for single services */
  readonly endpoints?: { readonly dynamodb?: string; readonly s3?: string }
  /** Whether the bucket's name is in the path, not in the host name, as emulators of S3 need it. @default whether `endpoints.s3` is given */
  readonly forcePathStyle?: boolean
  /** How long AWS may be silent before the call is retried, in milliseconds. @default 4000 */
  readonly silentMs?: number
}

/** A table for small data that changes, and a bucket for large data that does not. */
export interface AwsStorage {
  readonly table: DynamoTable
  readonly objects: S3ObjectStore
  close(): void
}

/** Creates the clients of both; no request is sent yet. */
export function openAwsStorage(options: AwsStorageOptions): AwsStorage {
  const { region, endpoints = {}, forcePathStyle = endpoints.s3 !== undefined, silentMs } = options
  const dynamodb = new DynamoDBClient(clientConfig(region, endpoints.dynamodb, silentMs))
  const s3 = new S3Client({ ...clientConfig(region, endpoints.s3, silentMs), forcePathStyle })
  const documents = DynamoDBDocumentClient.from(dynamodb, { marshallOptions: { removeUndefinedValues: true } })
  return {
    table: new DynamoTable(documents, options.table),
    objects: new S3ObjectStore(s3, options.bucket),
    close() {
      dynamodb.destroy()
      s3.destroy()
    }
  }
}

/** How long AWS may be silent: much longer than a slow answer takes. By default the SDK would wait for ever. */
const SILENT_MS = 4000
/** How long a whole request may take; one of S3 may carry a large model. */
const REQUEST_MS = 60_000
/** The longest wait of a receive that SQS allows. */
export const MAX_QUEUE_WAIT_SECONDS = 20

type ClientConfig = Pick<DynamoDBClientConfig, 'region' | 'endpoint' | 'requestHandler'>

/** Options of a client of DynamoDB or S3. */
export function clientConfig(
  region: string | undefined,
  endpoint: string | undefined,
  silentMs = SILENT_MS
): ClientConfig {
  return configOf(region, endpoint, {
    connectionTimeout: silentMs,
    socketTimeout: silentMs,
    requestTimeout: REQUEST_MS
  })
}

/**
 * Options of a client of SQS. A receive that waits for messages is silent for up to 20 s, so that call must extend its
 * timeout by {@link queueWait}.
 */
export function queueClientConfig(
  region: string | undefined,
  endpoint: string | undefined,
  silentMs = SILENT_MS
): ClientConfig {
  return configOf(region, endpoint, {
    connectionTimeout: silentMs,
    socketTimeout: queueWait(MAX_QUEUE_WAIT_SECONDS, silentMs).requestTimeout,
    requestTimeout: silentMs
  })
}

/** Options of a call of SQS that waits for up to `waitSeconds`. */
export function queueWait(waitSeconds: number, silentMs = SILENT_MS): { readonly requestTimeout: number } {
  return { requestTimeout: waitSeconds * 1000 + silentMs }
}

function configOf(
  region: string | undefined,
  endpoint: string | undefined,
  requestHandler: { connectionTimeout: number; socketTimeout: number; requestTimeout: number }
): ClientConfig {
  return {
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    requestHandler: { ...requestHandler, throwOnRequestTimeout: true }
  }
}
