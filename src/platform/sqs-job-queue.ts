/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type Message,
  type MessageAttributeValue,
  type SQSClient
} from '@aws-sdk/client-sqs'

import { traceOf, type Job } from '../jobs/job.ts'
import type { Priority } from '../jobs/job-status.ts'
import type { JobMessage, JobQueue, ReceiveRequest } from '../jobs/job-queue.ts'
import { reach } from './aws-errors.ts'
import { MAX_QUEUE_WAIT_SECONDS, queueWait } from './aws-storage.ts'

/** Queues of messages and their options. */
export interface SqsJobQueueOptions {
  readonly queueUrl: string
  /** Queue of bulk jobs. @default `queueUrl`: then bulk jobs share the queue of the others */
  readonly bulkQueueUrl?: string
  /** Queue of copies of dead letters, for an alarm and for AWS's console. @default no copies are sent */
  readonly deadLetterQueueUrl?: string
  /** How long AWS may be silent before the call is retried, in milliseconds. @default 4000 */
  readonly silentMs?: number
}

const MAX_MESSAGES = 10
const MAX_DELAY_SECONDS = 900
const MAX_HIDDEN_SECONDS = 12 * 60 * 60
const MAX_DEAD_LETTER_CALLS = 20
const DEAD_LETTER_LOOK_SECONDS = 5

interface Lane {
  readonly url: string
  /** A receive in progress, which may outlast the call that started it if the other lane had a message first. */
  receiving: Promise<void> | undefined
  messages: JobMessage[]
}

/**
 * Job queue on SQS standard queues: one for interactive jobs, and optionally one for bulk jobs and one for dead letters.
 */
export class SqsJobQueue implements JobQueue {
  readonly #client: SQSClient
  readonly #lanes: Readonly<Record<Priority, Lane>>
  readonly #deadLetterUrl: string | undefined
  readonly #silentMs: number | undefined
  #receiverCount = 0

  constructor(client: SQSClient, options: SqsJobQueueOptions) {
    const interactive = laneOf(options.queueUrl)
    this.#client = client
    this.#lanes = {
      interactive,
      bulk: options.bulkQueueUrl === undefined ? interactive : laneOf(options.bulkQueueUrl)
    }
    this.#deadLetterUrl = options.deadLetterQueueUrl
    this.#silentMs = options.silentMs
  }

  /** @param delayMs time until the message is visible: rounded up to seconds, at most 15 minutes */
  async send(job: Pick<Job, 'id' | 'type' | 'priority' | 'labels'>, delayMs = 0): Promise<void> {
    const command = new SendMessageCommand({
      QueueUrl: this.#lanes[job.priority].url,
      MessageBody: JSON.stringify({ id: job.id, type: job.type }),
      ...traceAttributes(job),
      DelaySeconds: Math.min(MAX_DELAY_SECONDS, Math.ceil(Math.max(0, delayMs) / 1000))
    })
    await reach('send a message to SQS', () => this.#client.send(command))
  }

  async sendDeadLetter(job: Pick<Job, 'id' | 'type' | 'labels'>, token: number): Promise<void> {
    if (this.#deadLetterUrl === undefined) return
    const command = new SendMessageCommand({
      QueueUrl: this.#deadLetterUrl,
      MessageBody: JSON.stringify({ id: job.id, type: job.type, deadToken: token }),
      ...traceAttributes(job)
    })
    await reach('send a dead letter to SQS', () => this.#client.send(command))
  }

  /** Removes the copy of a dead letter that was redriven, if it is among the messages of the first calls. */
  async removeDeadLetter(jobId: string): Promise<void> {
    const url = this.#deadLetterUrl
    if (url === undefined) return
    for (let call = 0; call < MAX_DEAD_LETTER_CALLS; call += 1) {
      const messages = await this.#receiveFrom(url, {
        limit: MAX_MESSAGES,
        hiddenSeconds: DEAD_LETTER_LOOK_SECONDS,
        waitSeconds: 0
      })
      const found = messages.find((message) => message.jobId === jobId)
      if (found !== undefined) return this.delete(found.receipt)
      if (messages.length === 0) return
    }
  }

  async receive(request: ReceiveRequest): Promise<JobMessage[]> {
    const limit = Math.min(MAX_MESSAGES, request.limit)
    const order: Priority[] = request.first === 'bulk' ? ['bulk', 'interactive'] : ['interactive', 'bulk']
    const lanes = [...new Set(order.map((priority) => this.#lanes[priority]))]
    this.#receiverCount += 1
    try {
      for (const lane of lanes) {
        if (lane.receiving === undefined) await this.#fill(lane, request, limit, 0)
        if (lane.messages.length > 0) return lane.messages.splice(0, limit)
      }
      const waitSeconds = Math.min(MAX_QUEUE_WAIT_SECONDS, Math.ceil(request.waitMs / 1000))
      if (waitSeconds <= 0 || request.signal?.aborted === true) return []
      await Promise.race(lanes.map((lane) => (lane.receiving ??= this.#fill(lane, request, limit, waitSeconds))))
      const messages = lanes.flatMap((lane) => lane.messages.splice(0))
      await Promise.all(messages.splice(limit).map((message) => this.hide(message.receipt, 0)))
      return messages
    } finally {
      this.#receiverCount -= 1
    }
  }

  async hide(receipt: string, forMs: number): Promise<void> {
    const { url, handle } = this.#partsOf(receipt)
    const command = new ChangeMessageVisibilityCommand({
      QueueUrl: url,
      ReceiptHandle: handle,
      VisibilityTimeout: Math.min(MAX_HIDDEN_SECONDS, Math.ceil(forMs / 1000))
    })
    await reach('extend a message of SQS', () => ignoringStale(() => this.#client.send(command)))
  }

  async delete(receipt: string): Promise<void> {
    const { url, handle } = this.#partsOf(receipt)
    await this.#delete(url, handle)
  }

  async count(): Promise<{ readonly waitingCount: number; readonly receivedCount: number }> {
    const urls = [...new Set(Object.values(this.#lanes).map((lane) => lane.url))]
    const counts = await Promise.all(
      urls.map(async (QueueUrl) => {
        const command = new GetQueueAttributesCommand({
          QueueUrl,
          AttributeNames: [
            'ApproximateNumberOfMessages',
            'ApproximateNumberOfMessagesDelayed',
            'ApproximateNumberOfMessagesNotVisible'
          ]
        })
        const { Attributes = {} } = await reach('count the messages of SQS', () => this.#client.send(command))
        return {
          waiting:
            Number(Attributes['ApproximateNumberOfMessages']) +
            Number(Attributes['ApproximateNumberOfMessagesDelayed']),
          received: Number(Attributes['ApproximateNumberOfMessagesNotVisible'])
        }
      })
    )
    return {
      waitingCount: counts.reduce((sum, count) => sum + count.waiting, 0),
      receivedCount: counts.reduce((sum, count) => sum + count.received, 0)
    }
  }

  async #fill(lane: Lane, request: ReceiveRequest, limit: number, waitSeconds: number): Promise<void> {
    try {
      const hiddenSeconds = Math.ceil(request.hiddenMs / 1000)
      const wanted = { limit, hiddenSeconds, waitSeconds, signal: request.signal }
      const messages = await this.#receiveFrom(lane.url, wanted)
      if (this.#receiverCount > 0) lane.messages.push(...messages)
      // No call waits for them any more: makes them visible at once, for other workers.
      else await Promise.all(messages.map((message) => this.hide(message.receipt, 0)))
    } finally {
      lane.receiving = undefined
    }
  }

  async #receiveFrom(
    url: string,
    wanted: { limit: number; hiddenSeconds: number; waitSeconds: number; signal?: AbortSignal | undefined }
  ): Promise<JobMessage[]> {
    const command = new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: wanted.limit,
      VisibilityTimeout: wanted.hiddenSeconds,
      WaitTimeSeconds: wanted.waitSeconds
    })
    return reach('receive messages of SQS', async () => {
      try {
        const { waitSeconds, signal } = wanted
        const options = {
          ...queueWait(waitSeconds, this.#silentMs),
          ...(signal !== undefined && { abortSignal: signal })
        }
        const { Messages = [] } = await this.#client.send(command, options)
        return Messages.map((message) => this.#read(url, message))
      } catch (error) {
        if (wanted.signal?.aborted === true) return []
        throw error
      }
    })
  }

  /** Reads a message. One that is not ours becomes one about a job that does not exist, which workers delete. */
  #read(url: string, message: Message): JobMessage {
    const receipt = JSON.stringify([url, message.ReceiptHandle ?? ''])
    const body = parsed(message.Body ?? '')
    return {
      jobId: typeof body['id'] === 'string' ? body['id'] : '',
      type: typeof body['type'] === 'string' ? body['type'] : '',
      deadToken: typeof body['deadToken'] === 'number' ? body['deadToken'] : undefined,
      receipt
    }
  }

  #partsOf(receipt: string): { url: string; handle: string } {
    const [url, handle]: [string, string] = JSON.parse(receipt)
    return { url, handle }
  }

  async #delete(QueueUrl: string, ReceiptHandle: string): Promise<void> {
    const command = new DeleteMessageCommand({ QueueUrl, ReceiptHandle })
    await reach('delete a message of SQS', () => ignoringStale(() => this.#client.send(command)))
  }
}

function laneOf(url: string): Lane {
  return { url, receiving: undefined, messages: [] }
}

/** The trace headers of a job as message attributes, for other programs that read the queue. */
function traceAttributes({ labels }: Pick<Job, 'labels'>): {
  MessageAttributes?: Record<string, MessageAttributeValue>
} {
  const attributes = Object.entries(traceOf(labels))
  if (attributes.length === 0) return {}
  const asText = attributes.map(([name, StringValue]) => [name, { DataType: 'String', StringValue }] as const)
  return { MessageAttributes: Object.fromEntries(asText) }
}

function parsed(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

/** Calls SQS, and ignores its error for the receipt of a message that was redelivered or deleted since. */
async function ignoringStale(call: () => Promise<unknown>): Promise<void> {
  try {
    await call()
  } catch (error) {
    const isStale =
      error instanceof Error && /^(ReceiptHandleIsInvalid|MessageNotInflight|InvalidParameterValue)/.test(error.name)
    if (!isStale) throw error
  }
}
