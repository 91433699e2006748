/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { DeleteObjectCommand, GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'

import type { Payload } from '../jobs/payload.ts'
import { reach } from './aws-errors.ts'

/** Stores objects in one S3 bucket, for data that is too large for an item of DynamoDB. */
export class S3ObjectStore {
  readonly #client: S3Client
  readonly #bucket: string

  constructor(client: S3Client, bucket: string) {
    this.#client = client
    this.#bucket = bucket
  }

  /** @throws {ServiceError} UNAVAILABLE when S3 cannot be reached */
  async put(key: string, { bytes, contentType }: Payload): Promise<void> {
    const command = new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body: bytes, ContentType: contentType })
    await reach('store an object in S3', () => this.#client.send(command))
  }

  /** @returns `undefined` when there is no such object. @throws {ServiceError} UNAVAILABLE when S3 cannot be reached */
  async get(key: string): Promise<Payload | undefined> {
    return reach('read an object from S3', async () => {
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

  /** Deletes an object, if it exists. @throws {ServiceError} UNAVAILABLE when S3 cannot be reached */
  async delete(key: string): Promise<void> {
    const command = new DeleteObjectCommand({ Bucket: this.#bucket, Key: key })
    await reach('delete an object from S3', () => this.#client.send(command))
  }
}
