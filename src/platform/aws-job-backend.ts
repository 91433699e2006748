/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { S3Client } from '@aws-sdk/client-s3'
import { SQSClient } from '@aws-sdk/client-sqs'
import {
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
  type PutCommandInput,
  type QueryCommandInput,
  type TransactWriteCommandInput
} from '@aws-sdk/lib-dynamodb'

import { ServiceError } from '../errors.ts'
import {
  DEFAULT_JOB_POLICY,
  LEASE_LOST_TEXT,
  SUPERSEDED_TEXT,
  afterFailure,
  fingerprintOf,
  firstLane,
  isEnded,
  noticeOf,
  queuedJob,
  type FailedTry,
  type Job,
  type JobPolicy,
  type NewJob
} from '../jobs/job.ts'
import {
  SYSTEM_CLOCK,
  type Backlog,
  type Changed,
  type Claim,
  type ClaimRequest,
  type Clock,
  isListed,
  noCursor,
  type DeadLetterQuery,
  type Enqueued,
  type JobBackend,
  type JobPage,
  type JobQuery,
  type Lease,
  type LeaseOutcome,
  type Swept
} from '../jobs/job-backend.ts'
import { LeaseWatch, type LeaseSighting } from '../jobs/lease-watch.ts'
import type { Payload } from '../jobs/payload.ts'
import { numberIn, optionalIn, textIn, type StoredRecord } from '../storage/stored-record.ts'
import { reach } from './aws-errors.ts'
import { clientConfig } from './aws-storage.ts'
import { entryKey, fieldsOf, jobIn, jobItemIn, jobKey, type JobItem, type ListName } from './dynamo-job-item.ts'
import resources from './job-resources.json' with { type: 'json' }
import { S3ObjectStore } from './s3-object-store.ts'
import { SqsJobQueue, type JobMessage, type SqsJobQueueOptions } from './sqs-job-queue.ts'

/** How to reach the queue, table and bucket; what is left out has its default. */
export interface AwsJobBackendOptions extends SqsJobQueueOptions {
  /** A table as `job-resources.json` describes it. */
  readonly table: string
  /** Holds inputs and results above 190 KB, below `jobs/`. */
  readonly bucket: string
  /** @default the SDK's, from AWS_REGION */
  readonly region?: string
  /** Emulators. @default the SDK's, from AWS_ENDPOINT_URL and its kin */
  readonly endpoints?: { readonly sqs?: string; readonly dynamodb?: string; readonly s3?: string }
  /** Buckets in the path, not in the host name: emulators of S3 need it. @default when `endpoints.s3` is given */
  readonly forcePathStyle?: boolean
  readonly policy?: JobPolicy
  readonly clock?: Clock
  /** From 0 (included) to 1 (excluded); draws the waits before another try. */
  readonly random?: () => number
}

/** A payload up to this size lies in the item. Two of them, and the rest, fit into the 400 KB that an item may have. */
const MAX_INLINE_BYTES = 190 * 1024
/** A job that stands as unsent, or as waiting although its queue is empty, for this long has lost its message. */
const RESEND_AFTER_MS = 30_000
/** Entries that one page of a list looks at, and that one query does. */
const MAX_LISTED_ENTRIES = 1000
const LISTED_ENTRIES_A_QUERY = 100
const FIRST_LOOK_MS = 50
const LAST_LOOK_MS = 2000
/** Other writers come between reading and writing a job now and then, but not often. */
const MAX_WRITE_TRIES = 10
/** A worker's message for a worker of another kind is shown again after this. */
const UNWANTED_MS = 10_000
/** A job whose group is at work is looked at again after this, should nobody tell that the group is free. */
const GROUP_BUSY_MS = 10_000
/** Bound of the first wait of a writer whom others of the group were ahead of. */
const GROUP_RETRY_MS = 20
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2

/** One part of a transaction. */
type WriteItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number]

/** The item of a group: which of its jobs is at work, and which waits. It changes in one transaction with theirs. */
interface GroupItem {
  readonly waitingId: string | undefined
  readonly runningId: string | undefined
}

/** How a job's item is to change. */
interface Change {
  readonly job: Job
  /** The list it stands in from now on. */
  readonly list?: ListName
  readonly expiresAtMs?: number
  /** Fields beside the job's own. */
  readonly fields?: Readonly<Record<string, unknown>>
  /** Only if no heartbeat came since the item was read. */
  readonly isSilent?: boolean
}

/**
 * Keeps jobs in DynamoDB, tells of them by SQS, and puts large payloads into S3: for many machines.
 *
 * The item in the table is the truth, a message is a hint to look at it. So every item is written first, as UNSENT, the
 * message is sent second, and the item marked third; a sweep sends what lay unsent for too long. A message too many
 * finds a job that is taken, and is deleted; a message lost is sent again.
 */
export class AwsJobBackend implements JobBackend {
  readonly #table: string
  readonly #database: DynamoDBDocumentClient
  readonly #queue: SqsJobQueue
  readonly #payloads: S3ObjectStore
  readonly #clients: readonly { destroy(): void }[]
  readonly #policy: JobPolicy
  readonly #clock: Clock
  readonly #random: () => number
  readonly #watch = new LeaseWatch()
  readonly #background = new Set<Promise<void>>()
  #claimCount = 0

  constructor(options: AwsJobBackendOptions) {
    const { endpoints = {}, region } = options
    const dynamodb = new DynamoDBClient(clientConfig(region, endpoints.dynamodb))
    const sqs = new SQSClient(clientConfig(region, endpoints.sqs))
    const forcePathStyle = options.forcePathStyle ?? endpoints.s3 !== undefined
    const s3 = new S3Client({ ...clientConfig(region, endpoints.s3), forcePathStyle })
    this.#clients = [dynamodb, sqs, s3]
    this.#table = options.table
    this.#database = DynamoDBDocumentClient.from(dynamodb, { marshallOptions: { removeUndefinedValues: true } })
    this.#queue = new SqsJobQueue(sqs, options)
    this.#payloads = new S3ObjectStore(s3, options.bucket)
    this.#policy = options.policy ?? DEFAULT_JOB_POLICY
    this.#clock = options.clock ?? SYSTEM_CLOCK
    this.#random = options.random ?? Math.random
  }

  async enqueue(job: NewJob): Promise<Enqueued> {
    const fingerprint = fingerprintOf(job)
    const record = queuedJob(job, this.#clock.wallMs())
    const [input] = await Promise.all([
      this.#stored(`${record.id}/input-${randomUUID()}`, 'input', job.input),
      this.#addEntry(record)
    ])
    const put = this.#newItem(record, fingerprint, input)
    let staleId = ''
    for (let tries = 0; tries < MAX_WRITE_TRIES; tries += 1) {
      const group = await this.#groupOf(record)
      const isAdded = await this.#transact('add a job', [
        { Put: put },
        ...(job.idempotencyKey === undefined
          ? []
          : [this.#keyPut(keyOf(record.owner, job.idempotencyKey), record.id, staleId)]),
        ...(group === undefined ? [] : [this.#groupUpdate(record, group, { ...group, waitingId: record.id })])
      ])
      if (isAdded) {
        // Whoever claims the outdated job sees that it is, so a crash here does no harm.
        if (group?.waitingId !== undefined) await this.#supersede(group.waitingId)
        await this.#announce(record)
        return { outcome: 'added', job: record }
      }
      const keyedId =
        job.idempotencyKey === undefined ? undefined : await this.#idOfKey(record.owner, job.idempotencyKey)
      const earlier = (await this.#live(record.id)) ?? (keyedId === undefined ? undefined : await this.#live(keyedId))
      if (earlier !== undefined) {
        if (earlier.fingerprint !== fingerprint) return { outcome: 'conflict', jobId: earlier.job.id }
        return { outcome: 'existing', job: earlier.job }
      }
      // The key's job is over its time, or was never written: the key is free.
      staleId = keyedId ?? ''
      if (group !== undefined) await sleep(Math.random() * GROUP_RETRY_MS * 2 ** tries)
    }
    if (job.concurrencyGroup !== undefined) throw contended()
    throw new Error('Cannot add a job: it neither is there nor can be written; this is a bug')
  }

  async find(id: string): Promise<Job | undefined> {
    return (await this.#live(id))?.job
  }

  async result(id: string): Promise<Payload | undefined> {
    const item = await this.#get(jobKey(id))
    if (item === undefined || this.#isOver(jobItemIn(item))) return undefined
    return this.#fetched(item, 'result')
  }

  async list(query: JobQuery): Promise<JobPage> {
    if (query.status === 'DEAD') return this.deadLetters(query)
    const jobs: Job[] = []
    let last = query.after === undefined ? undefined : keysIn(query.after, 'ENTRY')
    for (let looked = 0; looked < MAX_LISTED_ENTRIES; looked += LISTED_ENTRIES_A_QUERY) {
      const options = { ScanIndexForward: false, ...(last !== undefined && { ExclusiveStartKey: last }) }
      const page = await this.#list('ENTRY', { ...options, Limit: LISTED_ENTRIES_A_QUERY })
      // What never changes of a job is in its entry.
      const entries = page.items.filter(
        (entry) =>
          (query.owner === undefined || entry['owner'] === query.owner) &&
          (query.type === undefined || entry['type'] === query.type)
      )
      const found = await Promise.all(entries.map(async (entry) => this.#live(textIn(entry, 'id'))))
      for (const [index, item] of found.entries()) {
        if (item === undefined || !isListed(item.job, query)) continue
        jobs.push(item.job)
        if (jobs.length < query.limit) continue
        const isLast = page.last === undefined && entries.length === index + 1
        return { jobs, next: isLast ? undefined : cursorOf(entries[index]!) }
      }
      last = page.last
      if (last === undefined) return { jobs, next: undefined }
    }
    return { jobs, next: cursorOf({ id: idOfEntry(last), stateAt: last?.['stateAt'] }) }
  }

  async deadLetters(query: DeadLetterQuery): Promise<JobPage> {
    const found: StoredRecord[] = []
    let last = query.after === undefined ? undefined : keysIn(query.after, 'DEAD')
    do {
      const options = { ScanIndexForward: false, ...(last !== undefined && { ExclusiveStartKey: last }) }
      const page = await this.#list('DEAD', { ...options, Limit: query.limit + 1 })
      const wanted = page.items.filter(
        (item) => isListed(jobIn(item), query) && numberIn(item, 'expiresAt') > this.#clock.wallMs()
      )
      found.push(...wanted)
      last = page.last
    } while (last !== undefined && found.length <= query.limit)
    const shown = found.slice(0, query.limit)
    const lastShown = found.length > query.limit ? shown.at(-1) : undefined
    return { jobs: shown.map((item) => jobIn(item)), next: lastShown && cursorOf(lastShown) }
  }

  async claim(request: ClaimRequest): Promise<readonly Claim[]> {
    const deadlineMs = this.#clock.monotonicMs() + request.waitMs
    for (;;) {
      this.#claimCount += 1
      const messages = await this.#queue.receive({
        first: firstLane(this.#claimCount),
        limit: request.limit,
        hiddenMs: request.leaseMs,
        waitMs: Math.max(0, deadlineMs - this.#clock.monotonicMs()),
        signal: request.signal
      })
      const claims = await Promise.all(messages.map((message) => this.#claimByMessage(message, request)))
      const claimed = claims.filter((claim) => claim !== undefined)
      if (claimed.length > 0 || request.signal?.aborted === true) return claimed
      if (messages.length === 0 && this.#clock.monotonicMs() >= deadlineMs) return []
    }
  }

  async extend(lease: Lease, progress?: number): Promise<LeaseOutcome> {
    const isHeld = await this.#succeeds('extend a lease', () =>
      this.#database.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { pk: jobKey(lease.jobId) },
          ConditionExpression: '#status = :running AND #token = :token',
          UpdateExpression: `ADD beat :one SET updatedAt = :now${progress === undefined ? '' : ', progress = :progress'}`,
          ExpressionAttributeNames: { '#status': 'status', '#token': 'token' },
          ExpressionAttributeValues: {
            ':running': 'IN_PROGRESS',
            ':token': lease.token,
            ':one': 1,
            ':now': this.#clock.wallMs(),
            ...(progress !== undefined && { ':progress': progress })
          }
        })
      )
    )
    if (!isHeld) return 'lost'
    if (lease.receipt !== undefined) await this.#queue.hide(lease.receipt, lease.leaseMs)
    return 'held'
  }

  async finish(lease: Lease, result: Payload): Promise<LeaseOutcome> {
    // Named by the token, so that a late worker cannot replace what its successor stored.
    const fields = await this.#stored(`${lease.jobId}/result-${lease.token}`, 'result', result)
    return this.#settle(lease, (item) => this.#ended({ ...item.job, status: 'SUCCESS', progress: 1 }, fields))
  }

  async fail(lease: Lease, failed: FailedTry): Promise<LeaseOutcome> {
    return this.#settle(lease, (item) => this.#failed(item, failed, this.#random()))
  }

  async release(lease: Lease): Promise<LeaseOutcome> {
    return this.#settle(lease, (item) => this.#queued({ ...item.job, attempts: item.job.attempts - 1 }, 0))
  }

  async cancel(id: string): Promise<Changed> {
    return this.#changeUnlessRefused(id, async (item) => {
      if (item.job.failure === 'CANCELLED') return 'done'
      if (isEnded(item.job)) return 'refused'
      return this.#ended({ ...item.job, status: 'FAILURE', failure: 'CANCELLED' })
    })
  }

  async redrive(id: string): Promise<Changed> {
    let wasDead = false
    const changed = await this.#changeUnlessRefused(id, async (item) => {
      if (item.job.failure !== 'DEAD' && item.job.failure !== 'PERMANENT') return 'refused'
      if ((await this.#groupOf(item.job))?.waitingId !== undefined) return 'refused'
      wasDead = item.job.failure === 'DEAD'
      return this.#queued({ ...item.job, failure: undefined, attempts: 0 }, 0)
    })
    if (changed.outcome === 'changed' && wasDead) this.#later(this.#queue.removeDeadLetter(id))
    return changed
  }

  /** DynamoDB tells nobody of a change: it is asked, ever more slowly, at most every 2 s. */
  async waitUntilEnded(id: string, timeoutMs: number, signal?: AbortSignal): Promise<Job | undefined> {
    const deadlineMs = this.#clock.monotonicMs() + timeoutMs
    for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(LAST_LOOK_MS, pauseMs * 1.5)) {
      const job = await this.find(id)
      const leftMs = deadlineMs - this.#clock.monotonicMs()
      if (job === undefined || isEnded(job) || leftMs <= 0 || signal?.aborted === true) return job
      await sleep(Math.min(pauseMs, leftMs), undefined, signal && { signal }).catch(() => undefined)
    }
  }

  async sweep(): Promise<Swept> {
    const expiredLeaseCount = await this.#takeBackSilentJobs()
    const resentCount = await this.#resendLostMessages()
    // What is over its time is deleted by DynamoDB's time to live and by the bucket's lifecycle rule.
    return { expiredLeaseCount, deletedCount: 0, resentCount }
  }

  async backlog(): Promise<Backlog> {
    const [{ waitingCount, receivedCount }, dead] = await Promise.all([this.#queue.count(), this.#all('DEAD')])
    return { queuedCount: waitingCount, inProgressCount: receivedCount, deadCount: dead.length }
  }

  async room(): Promise<undefined> {
    return undefined
  }

  async checkIn(workerId: string, ttlMs: number): Promise<number> {
    const nowMs = this.#clock.wallMs()
    const expiresAt = nowMs + ttlMs
    const item = {
      pk: `worker#${workerId}`,
      queueState: 'WORKER',
      stateAt: expiresAt,
      expiresAt,
      ttl: secondsOf(expiresAt)
    }
    await reach('check a worker in', () => this.#database.send(new PutCommand({ TableName: this.#table, Item: item })))
    const living = await this.#all('WORKER', nowMs + 1)
    // The index may lag behind what was just written.
    return Math.max(1, living.length)
  }

  async close(): Promise<void> {
    await Promise.all(this.#background)
    for (const client of this.#clients) client.destroy()
  }

  // Messages and claims

  /** Sends the message of an item that stands as UNSENT. When that fails, a sweep does it. */
  async #announce(job: Job, delayMs = 0): Promise<void> {
    try {
      await this.#queue.send(job, delayMs)
    } catch {
      return
    }
    this.#later(this.#markSent(job))
  }

  async #markSent(job: Job): Promise<void> {
    await this.#succeeds('mark a job as sent', () =>
      this.#database.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { pk: jobKey(job.id) },
          ConditionExpression: 'queueState = :unsent AND runAt = :runAt',
          UpdateExpression: 'SET queueState = :queued',
          ExpressionAttributeValues: { ':unsent': 'UNSENT', ':queued': 'QUEUED', ':runAt': job.runAtMs }
        })
      )
    )
  }

  async #claimByMessage(message: JobMessage, request: ClaimRequest): Promise<Claim | undefined> {
    if (message.deadToken !== undefined) {
      const item = await this.#live(message.jobId)
      if (item?.job.failure === 'DEAD' && item.token === message.deadToken) await this.redrive(message.jobId)
      await this.#queue.delete(message.receipt)
      return undefined
    }
    if (message.type !== '' && !request.types.includes(message.type)) {
      await this.#queue.hide(message.receipt, UNWANTED_MS)
      return undefined
    }
    const item = (await this.#claimAlone(message.jobId, request)) ?? (await this.#claimOfGroup(message.jobId, request))
    if (item === undefined) {
      // Taken, ended or gone: whoever has the job does not need this message, and a sweep makes a new one if he dies.
      await this.#queue.delete(message.receipt)
      return undefined
    }
    const { job, token } = jobItemIn(item)
    const lease = { jobId: job.id, token, leaseMs: request.leaseMs, receipt: message.receipt }
    try {
      const input = await this.#fetched(item, 'input')
      if (input !== undefined) return { job, input, lease }
      await this.fail(lease, { message: 'The input is gone', isPermanent: true })
    } catch {
      await this.release(lease)
    }
    return undefined
  }

  /** Claims a job of no group that is QUEUED. @returns its item */
  async #claimAlone(id: string, request: ClaimRequest): Promise<StoredRecord | undefined> {
    let item: StoredRecord | undefined
    await this.#succeeds('claim a job', async () => {
      const update = this.#claimUpdate(id, request, ' AND attribute_not_exists(concurrencyGroup)')
      const { Attributes } = await this.#database.send(new UpdateCommand({ ...update, ReturnValues: 'ALL_NEW' }))
      item = Attributes
    })
    return item
  }

  /** Claims a job that is QUEUED and whose group is free, or sees to it that it is looked at later. @returns its item */
  async #claimOfGroup(id: string, request: ClaimRequest): Promise<StoredRecord | undefined> {
    for (let tries = 0; tries < MAX_WRITE_TRIES; tries += 1) {
      const item = await this.#live(id)
      const group = item && (await this.#groupOf(item.job))
      if (group === undefined || item?.job.status !== 'QUEUED') return undefined
      if (group.waitingId !== id) {
        await this.#supersede(id)
        return undefined
      }
      if (group.runningId !== undefined) {
        // A new message: this one's receives would be counted, as if the job had failed so often.
        await this.#write(item, this.#queued(item.job, GROUP_BUSY_MS))
        return undefined
      }
      const isClaimed = await this.#transact('claim a job', [
        { Update: this.#claimUpdate(id, request, '') },
        this.#groupUpdate(item.job, group, { waitingId: undefined, runningId: id })
      ])
      if (isClaimed) return this.#get(jobKey(id))
    }
    return undefined
  }

  #claimUpdate(id: string, request: ClaimRequest, condition: string) {
    return {
      TableName: this.#table,
      Key: { pk: jobKey(id) },
      ConditionExpression: `#status = :waiting${condition}`,
      UpdateExpression:
        'SET #status = :running, queueState = :running, stateAt = :now, updatedAt = :now, leaseMs = :leaseMs, ' +
        'beat = :zero, progress = :zero ADD attempts :one, #token :one',
      ExpressionAttributeNames: { '#status': 'status', '#token': 'token' },
      ExpressionAttributeValues: {
        ':waiting': 'QUEUED',
        ':running': 'IN_PROGRESS',
        ':now': this.#clock.wallMs(),
        ':leaseMs': request.leaseMs,
        ':zero': 0,
        ':one': 1
      }
    }
  }

  // Groups

  async #groupOf(job: Job): Promise<GroupItem | undefined> {
    if (job.concurrencyGroup === undefined) return undefined
    const item = (await this.#get(groupKey(job.concurrencyGroup))) ?? {}
    return { waitingId: optionalIn(item, 'waitingId', textIn), runningId: optionalIn(item, 'runningId', textIn) }
  }

  /** Changes the group's item, if it is still as it was read. */
  #groupUpdate(job: Job, before: GroupItem, after: GroupItem): WriteItem {
    const names = ['waitingId', 'runningId'] as const
    const conditions = names.map((name) =>
      before[name] === undefined ? `attribute_not_exists(${name})` : `${name} = :${name}Before`
    )
    const setting = names.filter((name) => after[name] !== undefined).map((name) => `${name} = :${name}`)
    const removed = names.filter((name) => after[name] === undefined)
    return {
      Update: {
        TableName: this.#table,
        Key: { pk: groupKey(job.concurrencyGroup ?? '') },
        ConditionExpression: conditions.join(' AND '),
        UpdateExpression:
          `SET ${[...setting, '#ttl = :ttl'].join(', ')}` + (removed.length > 0 ? ` REMOVE ${removed.join(', ')}` : ''),
        ExpressionAttributeNames: { '#ttl': 'ttl' },
        ExpressionAttributeValues: {
          // As long as any of its jobs may be read, and then some.
          ':ttl': secondsOf(this.#clock.wallMs() + 2 * this.#policy.retentionMs),
          ...valuesOf(names, before, 'Before'),
          ...valuesOf(names, after, '')
        }
      }
    }
  }

  /** Ends a job that a newer one of its group has taken the place of. */
  async #supersede(id: string): Promise<void> {
    await this.#changeUnlessRefused(id, async ({ job }) =>
      job.status === 'QUEUED' ? this.#superseded(job) : 'refused'
    )
  }

  #superseded(job: Job): Change {
    return this.#ended({ ...job, status: 'FAILURE', failure: 'CANCELLED', lastError: SUPERSEDED_TEXT })
  }

  /** Sends the message of the job that waits for a group which has become free. */
  async #wake(id: string): Promise<void> {
    const item = await this.#live(id)
    if (item?.job.status === 'QUEUED') await this.#write(item, this.#queued(item.job, 0))
  }

  // Changes of a job

  async #settle(lease: Lease, decide: (item: JobItem) => Change): Promise<LeaseOutcome> {
    for (let tries = 0; tries < MAX_WRITE_TRIES; tries += 1) {
      const item = await this.#live(lease.jobId)
      if (item?.job.status !== 'IN_PROGRESS' || item.token !== lease.token) return 'lost'
      if (!(await this.#write(item, decide(item)))) continue
      if (lease.receipt !== undefined) this.#later(this.#queue.delete(lease.receipt))
      return 'held'
    }
    throw contended()
  }

  async #changeUnlessRefused(
    id: string,
    decide: (item: JobItem) => Promise<Change | 'refused' | 'done'>
  ): Promise<Changed> {
    for (let tries = 0; tries < MAX_WRITE_TRIES; tries += 1) {
      const item = await this.#live(id)
      if (item === undefined) return { outcome: 'missing' }
      const change = await decide(item)
      if (change === 'refused') return { outcome: 'refused', job: item.job }
      if (change === 'done') return { outcome: 'changed', job: item.job }
      if (await this.#write(item, change)) return { outcome: 'changed', job: change.job }
    }
    throw contended()
  }

  #failed(item: JobItem, failed: FailedTry, random: number): Change {
    const { message: lastError } = failed
    const next = afterFailure(item.job.attempts, failed, this.#policy, random)
    if (next.status === 'QUEUED') return this.#queued({ ...item.job, lastError }, next.delayMs)
    return this.#ended({ ...item.job, status: 'FAILURE', failure: next.failure, lastError })
  }

  #queued(job: Job, delayMs: number): Change {
    const nowMs = this.#clock.wallMs()
    return {
      job: { ...job, status: 'QUEUED', progress: 0, updatedAtMs: nowMs, runAtMs: nowMs + delayMs },
      list: 'UNSENT'
    }
  }

  #ended(job: Job, fields: Readonly<Record<string, unknown>> = {}): Change {
    const nowMs = this.#clock.wallMs()
    return {
      job: { ...job, updatedAtMs: nowMs },
      expiresAtMs: nowMs + this.#policy.retentionMs,
      fields,
      ...(job.failure === 'DEAD' && { list: 'DEAD' })
    }
  }

  /**
   * Writes a change, together with the notice that it may owe, if the item is still as it was read; then sends messages.
   * @returns whether it was
   */
  async #write(item: JobItem, wanted: Change): Promise<boolean> {
    const group = await this.#groupOf(item.job)
    const isOutdated =
      wanted.job.status === 'QUEUED' && group?.waitingId !== undefined && group.waitingId !== wanted.job.id
    const change = isOutdated ? this.#superseded(wanted.job) : wanted
    const { job, list, expiresAtMs } = change
    const groupAfter = group && groupChange(item.job, job.status, group)
    const update = this.#updateOf(
      item,
      {
        ...fieldsOf(job),
        ...change.fields,
        queueState: list,
        stateAt: list === undefined ? undefined : job.updatedAtMs,
        expiresAt: expiresAtMs,
        ttl: expiresAtMs === undefined ? undefined : secondsOf(expiresAtMs)
      },
      change.isSilent === true
    )
    const notice = isEnded(job) ? noticeOf(job) : undefined
    const noticeJob = notice && queuedJob(notice, this.#clock.wallMs())
    const items: WriteItem[] = [{ Update: update }]
    if (notice !== undefined && noticeJob !== undefined) {
      const input = await this.#stored(`${noticeJob.id}/input`, 'input', notice.input)
      await this.#addEntry(noticeJob)
      items.push({ Put: this.#newItem(noticeJob, fingerprintOf(notice), input) })
    }
    if (group !== undefined && groupAfter !== undefined) items.push(this.#groupUpdate(item.job, group, groupAfter))
    if (!(await this.#transact('write a job', items))) return false
    if (groupAfter?.runningId === undefined && groupAfter?.waitingId !== undefined && groupAfter.waitingId !== job.id) {
      this.#later(this.#wake(groupAfter.waitingId))
    }
    if (list === 'UNSENT') await this.#announce(job, job.runAtMs - job.updatedAtMs)
    if (list === 'DEAD') this.#later(this.#queue.sendDeadLetter(job, item.token))
    if (noticeJob !== undefined) await this.#announce(noticeJob)
    return true
  }

  #updateOf(item: JobItem, fields: Record<string, unknown>, isSilent: boolean) {
    const names = Object.keys(fields)
    const setNames = names.filter((name) => fields[name] !== undefined)
    const removedNames = names.filter((name) => fields[name] === undefined)
    const setting = setNames.map((name) => `#${name} = :${name}`).join(', ')
    const removing = removedNames.map((name) => `#${name}`).join(', ')
    return {
      TableName: this.#table,
      Key: { pk: jobKey(item.job.id) },
      ConditionExpression: `#status = :wasStatus AND #token = :wasToken${isSilent ? ' AND #beat = :wasBeat' : ''}`,
      UpdateExpression: `SET ${setting}${removing === '' ? '' : ` REMOVE ${removing}`}`,
      ExpressionAttributeNames: Object.fromEntries(
        [...names, 'token', ...(isSilent ? ['beat'] : [])].map((name) => [`#${name}`, name])
      ),
      ExpressionAttributeValues: {
        ...Object.fromEntries(setNames.map((name) => [`:${name}`, fields[name]])),
        ':wasStatus': item.job.status,
        ':wasToken': item.token,
        ...(isSilent && { ':wasBeat': item.beat })
      }
    }
  }

  // Sweeping

  async #takeBackSilentJobs(): Promise<number> {
    const running = await this.#all('IN_PROGRESS')
    const sightings = running.map((item) => ({
      jobId: textIn(item, 'id'),
      token: numberIn(item, 'token'),
      beat: numberIn(item, 'beat'),
      leaseMs: numberIn(item, 'leaseMs')
    }))
    const silent = this.#watch.look(sightings, this.#clock.monotonicMs())
    const random = this.#random()
    const taken = await Promise.all(
      silent.map((sighting, index) => this.#takeBack(sighting, (random + index * GOLDEN_RATIO) % 1))
    )
    return taken.filter(Boolean).length
  }

  /** The index lags behind the table, so the table is asked again before the job is taken from its worker. */
  async #takeBack(sighting: LeaseSighting, random: number): Promise<boolean> {
    const item = await this.#live(sighting.jobId)
    if (item?.job.status !== 'IN_PROGRESS' || item.token !== sighting.token || item.beat !== sighting.beat) return false
    return this.#write(item, {
      ...this.#failed(item, { message: LEASE_LOST_TEXT, isPermanent: false }, random),
      isSilent: true
    })
  }

  async #resendLostMessages(): Promise<number> {
    const beforeMs = this.#clock.wallMs() - RESEND_AFTER_MS
    const unsent = await this.#all('UNSENT', undefined, beforeMs)
    // A queue that is empty while jobs wait has lost their messages; a full one may just be slow.
    const waiting = await this.#all('QUEUED', undefined, beforeMs)
    const { waitingCount } = waiting.length > 0 ? await this.#queue.count() : { waitingCount: 0 }
    const lost = waitingCount === 0 ? [...unsent, ...waiting] : unsent
    const resent = await Promise.all(lost.map((item) => this.#resend(jobIn(item))))
    return resent.filter(Boolean).length
  }

  async #resend(seen: Job): Promise<boolean> {
    const item = await this.#live(seen.id)
    if (item?.job.status !== 'QUEUED' || item.job.runAtMs !== seen.runAtMs) return false
    // A new time in its list gives the message time to arrive before the next sweep.
    const job = { ...item.job, updatedAtMs: this.#clock.wallMs() }
    return this.#write(item, { job, list: 'UNSENT' })
  }

  // The table

  #newItem(
    job: Job,
    fingerprint: string,
    input: Readonly<Record<string, unknown>>
  ): PutCommandInput & { TableName: string } {
    return {
      TableName: this.#table,
      Item: {
        pk: jobKey(job.id),
        ...fieldsOf(job),
        ...input,
        fingerprint,
        token: 0,
        beat: 0,
        leaseMs: 0,
        queueState: 'UNSENT',
        stateAt: job.createdAtMs
      },
      ConditionExpression: 'attribute_not_exists(pk) OR expiresAt <= :now',
      ExpressionAttributeValues: { ':now': this.#clock.wallMs() }
    }
  }

  /** Lists a job that is about to be written: an entry without a job is passed over, a job without one would not be seen. */
  async #addEntry({ id, owner, type, createdAtMs }: Job): Promise<void> {
    const Item = {
      pk: entryKey(id),
      id,
      owner,
      type,
      queueState: 'ENTRY',
      stateAt: createdAtMs,
      ttl: secondsOf(createdAtMs + 2 * this.#policy.retentionMs)
    }
    await reach('list a job', () => this.#database.send(new PutCommand({ TableName: this.#table, Item })))
  }

  /** The record of a key, if it is free or belongs to a job that is over its time. */
  #keyPut(key: string, jobId: string, staleId: string): WriteItem {
    // A key is remembered for as long as its job may be read, and then some.
    const ttl = secondsOf(this.#clock.wallMs() + 2 * this.#policy.retentionMs)
    return {
      Put: {
        TableName: this.#table,
        Item: { pk: key, jobId, ttl },
        ConditionExpression: 'attribute_not_exists(pk) OR jobId = :staleId',
        ExpressionAttributeValues: { ':staleId': staleId }
      }
    }
  }

  /** Writes all, or nothing when one of the conditions does not hold. @returns whether it was written */
  async #transact(action: string, items: readonly WriteItem[]): Promise<boolean> {
    const [{ Put, Update } = {}, ...others] = items
    return this.#succeeds(action, async () => {
      // A single item costs half as much outside of a transaction.
      if (others.length === 0 && Put !== undefined) return this.#database.send(new PutCommand(Put))
      if (others.length === 0 && Update !== undefined) return this.#database.send(new UpdateCommand(Update))
      return this.#database.send(new TransactWriteCommand({ TransactItems: [...items] }))
    })
  }

  async #idOfKey(owner: string, idempotencyKey: string): Promise<string | undefined> {
    const item = await this.#get(keyOf(owner, idempotencyKey))
    return item && textIn(item, 'jobId')
  }

  async #live(id: string): Promise<JobItem | undefined> {
    const record = await this.#get(jobKey(id))
    const item = record && jobItemIn(record)
    return item === undefined || this.#isOver(item) ? undefined : item
  }

  #isOver(item: JobItem): boolean {
    return item.expiresAtMs !== undefined && item.expiresAtMs <= this.#clock.wallMs()
  }

  async #get(pk: string): Promise<StoredRecord | undefined> {
    const command = new GetCommand({ TableName: this.#table, Key: { pk }, ConsistentRead: true })
    const { Item } = await reach('read a job', () => this.#database.send(command))
    return Item
  }

  /** Every item of a list, oldest first, within bounds of time (included). */
  async #all(list: ListName, fromMs = 0, toMs = Number.MAX_SAFE_INTEGER): Promise<StoredRecord[]> {
    const items: StoredRecord[] = []
    let last: Record<string, unknown> | undefined
    do {
      const page = await this.#list(list, last === undefined ? {} : { ExclusiveStartKey: last }, fromMs, toMs)
      items.push(...page.items)
      last = page.last
    } while (last !== undefined)
    return items
  }

  async #list(
    list: ListName,
    options: Partial<QueryCommandInput>,
    fromMs = 0,
    toMs = Number.MAX_SAFE_INTEGER
  ): Promise<{ items: StoredRecord[]; last: Record<string, unknown> | undefined }> {
    const command = new QueryCommand({
      TableName: this.#table,
      IndexName: resources.table.index.name,
      KeyConditionExpression: 'queueState = :list AND stateAt BETWEEN :from AND :to',
      ExpressionAttributeValues: { ':list': list, ':from': fromMs, ':to': toMs },
      ...options
    })
    const { Items = [], LastEvaluatedKey } = await reach('list jobs', () => this.#database.send(command))
    return { items: Items, last: LastEvaluatedKey }
  }

  /** Runs a conditional write. @returns false when its condition did not hold, or another transaction was at it */
  async #succeeds(action: string, write: () => Promise<unknown>): Promise<boolean> {
    return reach(action, async () => {
      try {
        await write()
        return true
      } catch (error) {
        const isRefused =
          error instanceof Error &&
          ['ConditionalCheckFailedException', 'TransactionCanceledException', 'TransactionConflictException'].includes(
            error.name
          )
        if (isRefused) return false
        throw error
      }
    })
  }

  // Payloads

  async #stored(key: string, name: 'input' | 'result', payload: Payload): Promise<Record<string, unknown>> {
    if (payload.bytes.byteLength <= MAX_INLINE_BYTES) {
      return { [`${name}Type`]: payload.contentType, [`${name}Bytes`]: payload.bytes }
    }
    const objectKey = `${resources.bucket.prefix}${key}`
    await this.#payloads.put(objectKey, payload)
    return { [`${name}Key`]: objectKey }
  }

  async #fetched(item: StoredRecord, name: 'input' | 'result'): Promise<Payload | undefined> {
    const objectKey = optionalIn(item, `${name}Key`, textIn)
    if (objectKey !== undefined) return this.#payloads.get(objectKey)
    const bytes = item[`${name}Bytes`]
    if (!(bytes instanceof Uint8Array)) return undefined
    return { contentType: textIn(item, `${name}Type`), bytes: new Uint8Array(bytes) }
  }

  /** Goes on behind the caller's back: what fails here, a sweep mends or nobody misses. */
  #later(work: Promise<unknown>): void {
    const quiet = work.then(
      () => undefined,
      () => undefined
    )
    this.#background.add(quiet)
    void quiet.finally(() => this.#background.delete(quiet))
  }
}

/** Key of the record that remembers which job an idempotency key belongs to. */
function keyOf(owner: string, idempotencyKey: string): string {
  return `key#${createHash('sha256')
    .update(JSON.stringify([owner, idempotencyKey]))
    .digest('base64url')}`
}

/** What a change of a job means for its group; none when the group has already gone over to another job. */
function groupChange(job: Job, status: Job['status'], group: GroupItem): GroupItem | undefined {
  const { waitingId, runningId } = group
  if (job.status === 'IN_PROGRESS' && runningId === job.id) {
    return status === 'QUEUED' ? { waitingId: job.id, runningId: undefined } : { waitingId, runningId: undefined }
  }
  if (job.status === 'QUEUED' && isEnded({ ...job, status }) && waitingId === job.id) {
    return { waitingId: undefined, runningId }
  }
  return isEnded(job) && status === 'QUEUED' ? { waitingId: job.id, runningId } : undefined
}

/** Key of the item of a group. */
function groupKey(group: string): string {
  return `group#${createHash('sha256').update(group).digest('base64url')}`
}

function valuesOf(names: readonly (keyof GroupItem)[], group: GroupItem, suffix: string): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => (group[name] === undefined ? [] : [[`:${name}${suffix}`, group[name]]]))
  )
}

function secondsOf(ms: number): number {
  return Math.ceil(ms / 1000)
}

/** Where a page ends, in a form that callers hand back without a look inside. */
function cursorOf(item: StoredRecord): string {
  return Buffer.from(JSON.stringify([textIn(item, 'id'), numberIn(item, 'stateAt')])).toString('base64url')
}

function keysIn(cursor: string, list: 'DEAD' | 'ENTRY'): Record<string, unknown> {
  try {
    const [id, stateAt]: [unknown, unknown] = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (typeof id !== 'string' || typeof stateAt !== 'number') throw noCursor()
    return { pk: list === 'DEAD' ? jobKey(id) : entryKey(id), queueState: list, stateAt }
  } catch {
    throw noCursor()
  }
}

/** Of the key at which a query of entries ended. */
function idOfEntry(key: Record<string, unknown> | undefined): string {
  return String(key?.['pk']).slice(entryKey('').length)
}

function contended(): ServiceError {
  return new ServiceError('UNAVAILABLE', 'Cannot write a job: too many writers at once')
}
