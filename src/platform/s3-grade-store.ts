/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { ServiceError } from '../errors.ts'
import { MAX_GRADES, type GradeStore, type QuestionGrade } from '../mentor/graded-questions.ts'
import { sanitize } from '../mentor/sanitize.ts'
import { textIn } from '../storage/stored-record.ts'
import type { AwsStorage } from './aws-storage.ts'
import { RecentValues } from './recent-values.ts'
import { nameDigest } from './name-digest.ts'

/** A stored grade, and who gave it when. */
interface KeptGrade {
  readonly question: string
  /** Null when the question was set aside. */
  readonly answerId: string | null
  readonly by: string
  /** Milliseconds since 1970. */
  readonly atMs: number
}

const MAX_TRIES = 10
const FIRST_RETRY_MS = 20

/** Stores the grades of a mentor as one immutable object in S3, replaced by each change; an item in DynamoDB names the current one. */
export class S3GradeStore implements GradeStore {
  readonly #storage: Pick<AwsStorage, 'table' | 'objects'>
  readonly #keys: RecentValues<string>

  constructor(storage: Pick<AwsStorage, 'table' | 'objects'>) {
    this.#storage = storage
    this.#keys = new RecentValues((mentorId) => this.#objectKey(mentorId))
  }

  async revisionOf(mentorId: string): Promise<string | undefined> {
    return (await this.#keys.get(mentorId))?.split('/').at(-1)
  }

  async gradesOf(mentorId: string): Promise<readonly QuestionGrade[]> {
    const { grades } = await this.#read(mentorId)
    return grades.map(({ question, answerId }) => ({ question, answerId: answerId ?? undefined }))
  }

  async grade(mentorId: string, grades: readonly QuestionGrade[], by: string): Promise<void> {
    const { table, objects } = this.#storage
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const before = await this.#read(mentorId)
      const bySanitized = new Map<string, KeptGrade>()
      const added = grades.map(({ question, answerId }) => ({
        question,
        answerId: answerId ?? null,
        by,
        atMs: Date.now()
      }))
      // The latest first, and only the latest grade of a question.
      for (const one of [...added.toReversed(), ...before.grades]) {
        const key = sanitize(one.question)
        if (!bySanitized.has(key)) bySanitized.set(key, one)
      }
      if (bySanitized.size > MAX_GRADES) {
        throw new ServiceError('CONFLICT', `Cannot grade: a mentor has at most ${MAX_GRADES} graded questions`)
      }
      const objectKey = `grades/${nameDigest(mentorId)}/${randomUUID()}`
      const bytes = new TextEncoder().encode(JSON.stringify([...bySanitized.values()]))
      await objects.put(objectKey, { bytes, contentType: 'application/json' })
      const condition =
        before.objectKey === undefined
          ? { expression: 'attribute_not_exists(pk)' }
          : { expression: 'objectKey = :before', values: { ':before': before.objectKey } }
      const { isWritten } = await table.put({ pk: keyOf(mentorId), objectKey }, condition)
      this.#keys.forget(mentorId)
      const unused = isWritten ? before.objectKey : objectKey
      if (unused !== undefined) await objects.delete(unused)
      if (isWritten) return
      await sleep(Math.random() * FIRST_RETRY_MS * 2 ** tries)
    }
    throw contended()
  }

  async deleteOf(mentorId: string): Promise<void> {
    const before = await this.#storage.table.delete(keyOf(mentorId))
    this.#keys.forget(mentorId)
    if (before !== undefined) await this.#storage.objects.delete(textIn(before, 'objectKey'))
  }

  async #objectKey(mentorId: string): Promise<string | undefined> {
    const item = await this.#storage.table.get(keyOf(mentorId))
    return item && textIn(item, 'objectKey')
  }

  async #read(
    mentorId: string
  ): Promise<{ readonly objectKey: string | undefined; readonly grades: readonly KeptGrade[] }> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const objectKey = await this.#objectKey(mentorId)
      if (objectKey === undefined) return { objectKey, grades: [] }
      const object = await this.#storage.objects.get(objectKey)
      // A missing object was replaced by newer grades meanwhile.
      if (object === undefined) continue
      const grades: KeptGrade[] = JSON.parse(new TextDecoder().decode(object.bytes))
      return { objectKey, grades }
    }
    throw contended()
  }
}

function keyOf(mentorId: string): string {
  return `grades#${nameDigest(mentorId)}`
}

function contended(): ServiceError {
  return new ServiceError('UNAVAILABLE', 'Cannot use the grades: too many others change them at once')
}
