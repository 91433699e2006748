/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import {
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  TransactWriteCommand,
  UpdateCommand,
  type PutCommandInput
} from '@aws-sdk/lib-dynamodb'

import type { Job, JobPolicy } from '../jobs/job.ts'
import type { Clock, DeadLetterQuery, JobPage, JobQuery } from '../jobs/job-backend.ts'
import type { AddOptions, JobTable, NewRecord, StoredJob, StoredPayload, WriteOptions } from '../jobs/job-table.ts'
import type { LeaseSighting } from '../jobs/lease-watch.ts'
import type { Payload } from '../jobs/payload.ts'
import { isOver, type GroupState, type JobRecord, type Step, type Transition } from '../jobs/transitions.ts'
import { numberIn, textIn, type StoredRecord } from '../storage/stored-record.ts'
import { reach } from './aws-errors.ts'
import {
  attributesOf,
  entryKey,
  fieldsOf,
  groupIn,
  groupKey,
  idempotencyKeyOf,
  jobIn,
  jobKey,
  jobRecordIn,
  placeOf,
  secondsOf
} from './dynamo-job-item.ts'
import { DynamoJobLists } from './dynamo-job-lists.ts'
import { pageOfDeadLetters, pageOfJobs } from './dynamo-job-pages.ts'
import { updateOf, type ItemUpdate, type WriteItem } from './dynamo-write.ts'
import type { JobPayloads } from './job-payloads.ts'

/** Options of a {@link DynamoJobTable}. */
export interface DynamoJobTableOptions {
  /** A table as `job-resources.json` describes it. */
  readonly name: string
  readonly payloads: JobPayloads
  readonly policy: JobPolicy
  readonly clock: Clock
}

/** Names of DynamoDB's errors for a condition that did not hold, or a conflict with another transaction. */
const REFUSALS: ReadonlySet<string> = new Set([
  'ConditionalCheckFailedException',
  'TransactionCanceledException',
  'TransactionConflictException'
])

/** Stores jobs as items of a DynamoDB table, each with an additional small item that lists it. */
export class DynamoJobTable implements JobTable {
  readonly #database: DynamoDBDocumentClient
  readonly #name: string
  readonly #lists: DynamoJobLists
  readonly #payloads: JobPayloads
  readonly #policy: JobPolicy
  readonly #clock: Clock

  constructor(client: DynamoDBClient, { name, payloads, policy, clock }: DynamoJobTableOptions) {
    this.#database = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } })
    this.#name = name
    this.#lists = new DynamoJobLists(this.#database, name)
    this.#payloads = payloads
    this.#policy = policy
    this.#clock = clock
  }

  async get(id: string): Promise<StoredJob | undefined> {
    const item = await this.#item(jobKey(id))
    return item && this.#stored(item)
  }

  async group(name: string): Promise<GroupState> {
    return groupIn((await this.#item(groupKey(name))) ?? {})
  }

  async idOfKey(key: string): Promise<string | undefined> {
    const item = await this.#item(idempotencyKeyOf(key))
    return item && textIn(item, 'jobId')
  }

  async keep(name: 'input' | 'result', place: string, payload: Payload): Promise<StoredPayload> {
    return this.#payloads.keep(name, place, payload)
  }

  /** Written before the job: lists skip an entry without a job, but would miss a job without an entry. */
  async addEntry({ id, owner, type, createdAtMs }: Job): Promise<void> {
    const ttl = secondsOf(createdAtMs + 2 * this.#policy.retentionMs)
    const Item = { pk: entryKey(id), id, owner, type, queueState: 'ENTRY', stateAt: createdAtMs, ttl }
    await reach('list a job', () => this.#database.send(new PutCommand({ TableName: this.#name, Item })))
  }

  async add(added: NewRecord, { staleId, group }: AddOptions): Promise<boolean> {
    const { concurrencyGroup = '', id } = added.record.job
    return this.#transact('add a job', [
      { Put: this.#jobPut(added) },
      ...(added.key === undefined ? [] : [this.#keyPut(added.key, id, staleId)]),
      ...(group === undefined ? [] : [this.#groupUpdate(concurrencyGroup, ...group)])
    ])
  }

  async write(before: JobRecord, transition: Transition, options: WriteOptions): Promise<boolean> {
    const { id, status, concurrencyGroup = '' } = before.job
    const { set, add } = transition.change
    const update = updateOf(this.#name, {
      pk: jobKey(id),
      set: { ...attributesOf(set), ...options.result, ...placeOf(transition) },
      add,
      only: { status, token: before.token, ...(options.isSilent && { beat: before.beat }) }
    })
    const { group, notice } = options
    const groupAfter = transition.group
    const isGroupChanged = group?.waitingId !== groupAfter?.waitingId || group?.runningId !== groupAfter?.runningId
    return this.#transact('write a job', [
      { Update: update },
      ...(notice === undefined ? [] : [{ Put: this.#jobPut(notice) }]),
      ...(group !== undefined && groupAfter !== undefined && isGroupChanged
        ? [this.#groupUpdate(concurrencyGroup, group, groupAfter)]
        : [])
    ])
  }

  async claim(id: string, { from, set, add }: Step): Promise<StoredJob | undefined> {
    const place = { queueState: 'IN_PROGRESS', stateAt: set.updatedAtMs }
    const only = { status: from, concurrencyGroup: undefined }
    const item = await this.#update('claim a job', {
      pk: jobKey(id),
      set: { ...attributesOf(set), ...place },
      add,
      only
    })
    return item && this.#stored(item)
  }

  async extend(id: string, token: number, { from, set, add }: Step): Promise<boolean> {
    const only = { status: from, token }
    const item = await this.#update('extend a lease', { pk: jobKey(id), set: attributesOf(set), add, only }, 'NONE')
    return item !== undefined
  }

  async markSent({ id, runAtMs }: Job): Promise<void> {
    const only = { queueState: 'UNSENT', runAt: runAtMs }
    await this.#update('mark a job as sent', { pk: jobKey(id), set: { queueState: 'QUEUED' }, only }, 'NONE')
  }

  async list(query: JobQuery): Promise<JobPage> {
    return pageOfJobs(this.#lists, query, async (id) => {
      const record = (await this.get(id))?.record
      return record === undefined || isOver(record, this.#clock.wallMs()) ? undefined : record.job
    })
  }

  async deadLetters(query: DeadLetterQuery): Promise<JobPage> {
    return pageOfDeadLetters(this.#lists, query, this.#clock.wallMs())
  }

  async deadCount(): Promise<number> {
    return (await this.#lists.all('DEAD')).length
  }

  async leases(): Promise<LeaseSighting[]> {
    return (await this.#lists.all('IN_PROGRESS')).map((item) => ({
      jobId: textIn(item, 'id'),
      token: numberIn(item, 'token'),
      beat: numberIn(item, 'beat'),
      leaseMs: numberIn(item, 'leaseMs')
    }))
  }

  async waitingSince(beforeMs: number, isSent: boolean): Promise<Job[]> {
    const items = await this.#lists.all(isSent ? 'QUEUED' : 'UNSENT', { toMs: beforeMs })
    return items.map((item) => jobIn(item))
  }

  async checkIn(workerId: string, ttlMs: number): Promise<number> {
    const nowMs = this.#clock.wallMs()
    const expiresAt = nowMs + ttlMs
    const place = { queueState: 'WORKER', stateAt: expiresAt, expiresAt, ttl: secondsOf(expiresAt) }
    const command = new PutCommand({ TableName: this.#name, Item: { pk: `worker#${workerId}`, ...place } })
    await reach('check a worker in', () => this.#database.send(command))
    return (await this.#lists.all('WORKER', { fromMs: nowMs + 1 })).length
  }

  #stored(item: StoredRecord): StoredJob {
    return {
      record: jobRecordIn(item),
      isOfKey: (key) => {
        // Items of earlier versions do not have the attribute.
        const pk = item['idempotencyKey']
        return pk === undefined || pk === idempotencyKeyOf(key)
      },
      payload: async (name) => this.#payloads.fetch(name, item)
    }
  }

  #jobPut({ record, input, key }: NewRecord): PutCommandInput & { TableName: string } {
    const { job, fingerprint, token, beat, leaseMs } = record
    return {
      TableName: this.#name,
      Item: {
        pk: jobKey(job.id),
        ...fieldsOf(job),
        ...input,
        fingerprint,
        token,
        beat,
        leaseMs,
        idempotencyKey: key === undefined ? '' : idempotencyKeyOf(key),
        queueState: 'UNSENT',
        stateAt: job.createdAtMs
      },
      ConditionExpression: 'attribute_not_exists(pk) OR expiresAt <= :now',
      ExpressionAttributeValues: { ':now': this.#clock.wallMs() }
    }
  }

  /** Makes the write that takes a key, on the condition that it is free or belongs to the expired job `staleId`. */
  #keyPut(key: string, jobId: string, staleId: string): WriteItem {
    return {
      Put: {
        TableName: this.#name,
        Item: { pk: idempotencyKeyOf(key), jobId, ttl: this.#ttl() },
        ConditionExpression: 'attribute_not_exists(pk) OR jobId = :staleId',
        ExpressionAttributeValues: { ':staleId': staleId }
      }
    }
  }

  /** Makes the write that changes a group, on the condition that it is still as it was read. */
  #groupUpdate(name: string, before: GroupState, after: GroupState): WriteItem {
    const set = { waitingId: after.waitingId, runningId: after.runningId, ttl: this.#ttl() }
    const only = { waitingId: before.waitingId, runningId: before.runningId }
    return { Update: updateOf(this.#name, { pk: groupKey(name), set, only }) }
  }

  /** Time to live of items that belong to a job: twice its retention, so that they outlive it. */
  #ttl(): number {
    return secondsOf(this.#clock.wallMs() + 2 * this.#policy.retentionMs)
  }

  async #item(pk: string): Promise<StoredRecord | undefined> {
    const command = new GetCommand({ TableName: this.#name, Key: { pk }, ConsistentRead: true })
    const { Item } = await reach('read a job', () => this.#database.send(command))
    return Item
  }

  /** @returns the item afterwards (an empty one for `NONE`), or `undefined` when the condition did not hold */
  async #update(action: string, update: ItemUpdate, ReturnValues: 'ALL_NEW' | 'NONE' = 'ALL_NEW') {
    let item: StoredRecord | undefined
    await this.#succeeds(action, async () => {
      const command = new UpdateCommand({ ...updateOf(this.#name, update), ReturnValues })
      const { Attributes = {} } = await this.#database.send(command)
      item = Attributes
    })
    return item
  }

  /** Writes all items, or none when one of the conditions does not hold. @returns whether they were written */
  async #transact(action: string, items: readonly WriteItem[]): Promise<boolean> {
    const [{ Put, Update } = {}, ...others] = items
    return this.#succeeds(action, async () => {
      // A single item costs half as much outside of a transaction.
      if (others.length === 0 && Put !== undefined) return this.#database.send(new PutCommand(Put))
      if (others.length === 0 && Update !== undefined) return this.#database.send(new UpdateCommand(Update))
      return this.#database.send(new TransactWriteCommand({ TransactItems: [...items] }))
    })
  }

  /** Runs a conditional write. @returns whether its condition held */
  async #succeeds(action: string, write: () => Promise<unknown>): Promise<boolean> {
    return reach(action, async () => {
      try {
        await write()
        return true
      } catch (error) {
        if (error instanceof Error && REFUSALS.has(error.name)) return false
        throw error
      }
    })
  }
}
