/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { AnswerWriteBuffer, type BufferedAnswer } from '../answering/answer-write-buffer.ts'
import type { AnswerRecord, AnswerRecordStore, AskedQuestion, AskedQuestions } from '../answering/answer-record.ts'
import { nameIn, numberIn, optionalIn, textIn } from '../storage/stored-record.ts'
import type { DynamoTable } from './dynamo-table.ts'
import { nameDigest } from './name-digest.ts'

/** How long a record is kept, so that people can grade it. */
const RECORD_DAYS = 365
/** Items that are written at a time. DynamoDB would throttle more on a table that was idle before. */
const ITEMS_AT_A_TIME = 25
const UNMATCHED_TYPES = ['CLASSIFIER', 'OFF_TOPIC'] as const

/**
 * Stores records as items of DynamoDB, with their id as key; the table's index lists them by mentor, oldest first. The
 * table deletes them after {@link RECORD_DAYS} days.
 */
export class DynamoAnswerRecorder implements AnswerRecordStore, AskedQuestions {
  readonly #table: DynamoTable
  readonly #writeBuffer: AnswerWriteBuffer

  /** @param onError called when records could not be written yet, or were dropped */
  constructor(table: DynamoTable, onError: (error: unknown) => void) {
    this.#table = table
    this.#writeBuffer = new AnswerWriteBuffer((records) => this.#write(records), onError)
  }

  async record(answer: AnswerRecord): Promise<string> {
    return this.#writeBuffer.add(answer)
  }

  async askedOf(mentorId: string, limit: number): Promise<readonly AskedQuestion[]> {
    await this.flush()
    const asked: AskedQuestion[] = []
    for await (const page of this.#table.pages(listOf(mentorId, true), { latestFirst: true, limit })) {
      for (let from = 0; from < page.length; from += ITEMS_AT_A_TIME) {
        const keys = page.slice(from, from + ITEMS_AT_A_TIME).map((item) => textIn(item, 'pk'))
        const items = await Promise.all(keys.map((pk) => this.#table.get(pk)))
        for (const item of items) {
          // A missing item has been deleted since the index was read.
          if (item === undefined) continue
          asked.push({
            question: textIn(item, 'question'),
            answerType: nameIn(UNMATCHED_TYPES, item, 'answerType'),
            confidence: numberIn(item, 'confidence'),
            margin: optionalIn(item, 'margin', numberIn),
            askedAtMs: numberIn(item, 'stateAt')
          })
        }
      }
      if (asked.length >= limit) break
    }
    return asked.slice(0, limit)
  }

  async deleteOf(mentorId: string): Promise<void> {
    await this.flush()
    for (const isUnmatched of [true, false]) {
      for await (const page of this.#table.pages(listOf(mentorId, isUnmatched))) {
        await inTurns(page, async (item) => {
          await this.#table.delete(textIn(item, 'pk'))
        })
      }
    }
  }

  async flush(): Promise<void> {
    await this.#writeBuffer.flush()
  }

  async #write(records: readonly BufferedAnswer[]): Promise<void> {
    await inTurns(records, async ({ id, askedAtMs, mentorId, ...answer }) => {
      await this.#table.put({
        pk: `answer#${id}`,
        id,
        mentor: mentorId,
        ...answer,
        queueState: listOf(
          mentorId,
          UNMATCHED_TYPES.some((type) => type === answer.answerType)
        ),
        stateAt: askedAtMs,
        ttl: Math.ceil(askedAtMs / 1000) + RECORD_DAYS * 86_400
      })
    })
  }
}

async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < items.length; from += ITEMS_AT_A_TIME) {
    await Promise.all(items.slice(from, from + ITEMS_AT_A_TIME).map((item) => work(item)))
  }
}

/** Name of the list, in the table's index, of a mentor's records; those for review have a list of their own. */
function listOf(mentorId: string, isUnmatched: boolean): string {
  return `${isUnmatched ? 'UNMATCHED' : 'MATCHED'}#${nameDigest(mentorId)}`
}
