/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { StoredPayload } from '../jobs/job-table.ts'
import type { Payload } from '../jobs/payload.ts'
import { optionalIn, textIn, type StoredRecord } from '../storage/stored-record.ts'
import resources from './job-resources.json' with { type: 'json' }
import type { S3ObjectStore } from './s3-object-store.ts'

/** Maximum size of a payload in the item itself. Two of them and the other attributes fit into DynamoDB's limit of 400 KB per item. */
const MAX_INLINE_BYTES = 190 * 1024

/** Stores inputs and results of jobs: small ones in their items, large ones as objects in the bucket. */
export class JobPayloads {
  readonly #objects: S3ObjectStore

  constructor(objects: S3ObjectStore) {
    this.#objects = objects
  }

  /** @returns attributes for the item of the job */
  async keep(name: 'input' | 'result', place: string, { contentType, bytes }: Payload): Promise<StoredPayload> {
    if (bytes.byteLength <= MAX_INLINE_BYTES) return { [`${name}Type`]: contentType, [`${name}Bytes`]: bytes }
    const key = `${resources.bucket.prefix}${place}`
    await this.#objects.put(key, { contentType, bytes })
    return { [`${name}Key`]: key }
  }

  /** Reads a payload that {@link JobPayloads.keep} stored; `undefined` when there is none, or it has been deleted. */
  async fetch(name: 'input' | 'result', item: StoredRecord): Promise<Payload | undefined> {
    const key = optionalIn(item, `${name}Key`, textIn)
    if (key !== undefined) return this.#objects.get(key)
    const bytes = item[`${name}Bytes`]
    if (!(bytes instanceof Uint8Array)) return undefined
    return { contentType: textIn(item, `${name}Type`), bytes: new Uint8Array(bytes) }
  }
}
