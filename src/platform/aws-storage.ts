/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { S3Client } from '@aws-sdk/client-s3'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'

import { DynamoTable } from './dynamo-table.ts'
import { S3ObjectStore } from './s3-object-store.ts'

/** Where the table and the bucket are; what is left out has its default. */
export interface AwsStorageOptions {
  /** A table as `job-resources.json` describes it. */
  readonly table: string
  readonly bucket: string
  /** @default the SDK's, from AWS_REGION */
  readonly region?: string
  /** Emulators. @default the SDK's, from AWS_ENDPOINT_URL and its kin */
  readonly endpoints?: { readonly dynamodb?: string; readonly s3?: string }
  /** Buckets in the path, not in the host name: emulators of S3 need it. @default when `endpoints.s3` is given */
  readonly forcePathStyle?: boolean
}

/** A table for small data that changes, and a bucket for large data that does not. */
export interface AwsStorage {
  readonly table: DynamoTable
  readonly objects: S3ObjectStore
  close(): void
}

/** Opens both; nothing is asked of AWS yet. */
export function openAwsStorage(options: AwsStorageOptions): AwsStorage {
  const { region, endpoints = {}, forcePathStyle = endpoints.s3 !== undefined } = options
  const dynamodb = new DynamoDBClient(clientConfig(region, endpoints.dynamodb))
  const s3 = new S3Client({ ...clientConfig(region, endpoints.s3), forcePathStyle })
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

/** Options of every client of the SDK. */
export function clientConfig(
  region: string | undefined,
  endpoint: string | undefined
): { region?: string; endpoint?: string } {
  return { ...(region !== undefined && { region }), ...(endpoint !== undefined && { endpoint }) }
}
