/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { randomUUID } from 'node:crypto'

import { ServiceError } from '../errors.ts'
import type { Mentor } from '../mentor/mentor.ts'
import type { FoundMentor, MentorEntry, MentorStore, StoredMentor } from '../mentor/mentor-source.ts'
import { numberIn, optionalIn, textIn, type StoredRecord } from '../storage/stored-record.ts'
import type { AwsStorage } from './aws-storage.ts'
import { RecentValues } from './recent-values.ts'
import { nameDigest } from './name-digest.ts'

/** How to open a {@link S3MentorStore}. */
export interface S3MentorStoreOptions {
  readonly storage: Pick<AwsStorage, 'table' | 'objects'>
  /** Milliseconds since 1970. */
  readonly wallMs?: () => number
  readonly monotonicMs?: () => number
}

/** Name of the list of mentors in the table's index. */
const LIST = 'MENTOR'
/** Tries to read a mentor that is replaced between the read of its item and that of its object. */
const MAX_READ_TRIES = 5

/**
 * Stores mentors as immutable objects in S3, each under a new key. A mentor's item in DynamoDB names the current object, so
 * one write of the item replaces the mentor.
 */
export class S3MentorStore implements MentorStore {
  readonly #storage: Pick<AwsStorage, 'table' | 'objects'>
  readonly #wallMs: () => number
  readonly #revisions: RecentValues<string>

  constructor({ storage, wallMs = Date.now, monotonicMs }: S3MentorStoreOptions) {
    this.#storage = storage
    this.#wallMs = wallMs
    this.#revisions = new RecentValues(async (id) => {
      const item = await storage.table.get(keyOf(id))
      return item && entryOf(item).revision
    }, monotonicMs)
  }

  async revisionOf(id: string): Promise<string | undefined> {
    return this.#revisions.get(id)
  }

  async find(id: string): Promise<FoundMentor | undefined> {
    const found = await this.readJson(id)
    if (found === undefined) return undefined
    const mentor: Mentor = JSON.parse(new TextDecoder().decode(found.json))
    return { mentor, gradedQuestions: [], revision: found.revision, byteLength: found.json.byteLength }
  }

  async readJson(id: string): Promise<Pick<StoredMentor, 'json' | 'revision'> | undefined> {
    const { table, objects } = this.#storage
    for (let tries = 0; tries < MAX_READ_TRIES; tries += 1) {
      const item = await table.get(keyOf(id))
      if (item === undefined) return undefined
      const object = await objects.get(textIn(item, 'objectKey'))
      // A missing object was replaced by a newer one meanwhile.
      if (object !== undefined) return { json: object.bytes, revision: entryOf(item).revision }
    }
    throw new ServiceError('UNAVAILABLE', 'Cannot read the mentor: it keeps being replaced')
  }

  async list(): Promise<readonly MentorEntry[]> {
    const items = await this.#storage.table.list(LIST)
    return items.map((item) => entryOf(item)).toSorted((a, b) => (a.id < b.id ? -1 : 1))
  }

  async put(id: string, mentor: StoredMentor, expected?: string | null): Promise<boolean> {
    const { table, objects } = this.#storage
    const objectKey = `mentors/${nameDigest(id)}/${randomUUID()}.json`
    await objects.put(objectKey, { bytes: mentor.json, contentType: 'application/json' })
    const { name, answerCount, revision } = mentor
    const nowMs = this.#wallMs()
    const item = {
      pk: keyOf(id),
      id,
      // Attributes that the index projects, so that a list need not read each item.
      labels: JSON.stringify({ name, answerCount, revision }),
      updatedAt: nowMs,
      queueState: LIST,
      stateAt: nowMs,
      revision,
      objectKey
    }
    const written = await table.put(item, conditionOf(expected))
    this.#revisions.forget(id)
    if (!written.isWritten) {
      await objects.delete(objectKey)
      return false
    }
    if (written.before !== undefined) await objects.delete(textIn(written.before, 'objectKey'))
    return true
  }

  async delete(id: string): Promise<boolean> {
    const { table, objects } = this.#storage
    const before = await table.delete(keyOf(id))
    this.#revisions.forget(id)
    if (before !== undefined) await objects.delete(textIn(before, 'objectKey'))
    return before !== undefined
  }
}

function conditionOf(expected: string | null | undefined) {
  if (expected === undefined) return undefined
  if (expected === null) return { expression: 'attribute_not_exists(pk)' }
  return { expression: 'revision = :expected', values: { ':expected': expected } }
}

function keyOf(id: string): string {
  return `mentor#${nameDigest(id)}`
}

function entryOf(item: StoredRecord): MentorEntry {
  const labels: StoredRecord = JSON.parse(textIn(item, 'labels'))
  return {
    id: textIn(item, 'id'),
    name: optionalIn(labels, 'name', textIn),
    answerCount: numberIn(labels, 'answerCount'),
    revision: textIn(labels, 'revision'),
    updatedAtMs: numberIn(item, 'updatedAt')
  }
}
