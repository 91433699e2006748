/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Job } from '../../src/jobs/job.ts'
import type { JobMessage, JobQueue, ReceiveRequest } from '../../src/jobs/job-queue.ts'
import type { SimulatedProcess, World } from './world.ts'

interface Message {
  readonly jobId: string
  readonly type: string
  visibleAtMs: number
  /** Receipt of the last delivery; older receipts have no effect. */
  receipt: string
}

/** Probability that a message is lost, or delivered twice, while faults are on. */
const LOSS = 0.03
const DOUBLING = 0.05

/** The queue that all processes share: its messages come in any order, and perhaps twice or not at all. */
export class SimulatedQueue {
  readonly #world: World
  #messages: Message[] = []
  #waiting: (() => boolean)[] = []
  #deliveryCount = 0

  constructor(world: World) {
    this.#world = world
  }

  get messageCount(): number {
    return this.#messages.length
  }

  send({ id, type }: Pick<Job, 'id' | 'type'>, delayMs: number): void {
    const { random, areFaultsOn } = this.#world
    if (areFaultsOn && random.chance(LOSS)) return
    for (let copies = areFaultsOn && random.chance(DOUBLING) ? 2 : 1; copies > 0; copies -= 1) {
      const message = { jobId: id, type, visibleAtMs: 0, receipt: '' }
      this.#messages.push(message)
      this.#show(message, delayMs)
    }
  }

  /** Answers as soon as there are messages, or with none after a time. */
  receive({ limit, hiddenMs, waitMs }: ReceiveRequest, reply: (messages: JobMessage[]) => void): void {
    const tryNow = (): boolean => {
      const visible = this.#messages.filter((message) => message.visibleAtMs <= this.#world.nowMs)
      if (visible.length === 0) return false
      const taken: JobMessage[] = []
      while (visible.length > 0 && taken.length < limit) {
        const [message] = visible.splice(this.#world.random.below(visible.length), 1)
        if (message === undefined) break
        this.#deliveryCount += 1
        message.receipt = String(this.#deliveryCount)
        this.#show(message, hiddenMs)
        taken.push({ jobId: message.jobId, type: message.type, deadToken: undefined, receipt: message.receipt })
      }
      reply(taken)
      return true
    }
    if (tryNow()) return
    this.#waiting.push(tryNow)
    this.#world.after(waitMs, () => {
      if (!this.#waiting.includes(tryNow)) return
      this.#waiting = this.#waiting.filter((each) => each !== tryNow)
      reply([])
    })
  }

  hide(receipt: string, forMs: number): void {
    const message = this.#messages.find((each) => each.receipt === receipt)
    if (message !== undefined) this.#show(message, forMs)
  }

  delete(receipt: string): void {
    this.#messages = this.#messages.filter((each) => each.receipt !== receipt)
  }

  /** Shows a message after a time, at once to someone who waits. */
  #show(message: Message, afterMs: number): void {
    message.visibleAtMs = this.#world.nowMs + Math.max(0, afterMs)
    this.#world.after(afterMs, () => {
      const waiting = this.#waiting
      this.#waiting = []
      this.#waiting.push(...waiting.filter((tryNow) => !tryNow()))
    })
  }
}

/** The queue as one process reaches it. */
export class RemoteQueue implements JobQueue {
  readonly #queue: SimulatedQueue
  readonly #process: SimulatedProcess

  constructor(queue: SimulatedQueue, process: SimulatedProcess) {
    this.#queue = queue
    this.#process = process
  }

  async send(job: Pick<Job, 'id' | 'type' | 'priority'>, delayMs = 0): Promise<void> {
    return this.#process.call(() => this.#queue.send(job, delayMs))
  }

  async receive(request: ReceiveRequest): Promise<JobMessage[]> {
    const { signal } = request
    if (signal?.aborted === true) return []
    const received = this.#process.request<JobMessage[]>((reply) => this.#queue.receive(request, reply))
    if (signal === undefined) return received
    const aborted = Promise.withResolvers<JobMessage[]>()
    const abort = (): void => aborted.resolve([])
    signal.addEventListener('abort', abort, { once: true })
    try {
      return await Promise.race([received, aborted.promise])
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  async hide(receipt: string, forMs: number): Promise<void> {
    return this.#process.call(() => this.#queue.hide(receipt, forMs))
  }

  async delete(receipt: string): Promise<void> {
    return this.#process.call(() => this.#queue.delete(receipt))
  }

  async count(): Promise<{ waitingCount: number; receivedCount: number }> {
    return this.#process.call(() => ({ waitingCount: this.#queue.messageCount, receivedCount: 0 }))
  }

  async sendDeadLetter(): Promise<void> {
    return undefined
  }

  async removeDeadLetter(): Promise<void> {
    return undefined
  }
}
