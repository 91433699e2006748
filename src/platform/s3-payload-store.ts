/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'

import type { Payload } from '../jobs/payload.ts'
import { reach } from './aws-errors.ts'

/** Payloads that are too large for an item of DynamoDB, as objects in S3. A lifecycle rule of the bucket deletes them. */
export class S3PayloadStore {
  readonly #client: S3Client
  readonly #bucket: string

  constructor(client: S3Client, bucket: string) {
    this.#client = client
    this.#bucket = bucket
  }

  /** @throws {ServiceError} UNAVAILABLE when S3 cannot be reached */
  async put(key: string, payload: Payload): Promise<void> {
    await reach('store a payload in S3', () =>
      this.#client.send(
        new PutObjectCommand({
          Bucket: this.#bucket,
          Key: key,
          Body: payload.bytes,
          ContentType: payload.contentType
        })
      )
    )
  }

  /** The payload, or `undefined` when it has been deleted. @throws {ServiceError} UNAVAILABLE when S3 cannot be reached */
  async get(key: string): Promise<Payload | undefined> {
    return reach('read a payload from S3', async () => {
      try {
        const reply = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }))
        const bytes = (await reply.Body?.transformToByteArray()) ?? new Uint8Array()
        return { contentType: reply.ContentType ?? 'application/octet-stream', bytes: new Uint8Array(bytes) }
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined
        throw error
      }
    })
  }
}
