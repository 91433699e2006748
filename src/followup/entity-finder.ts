/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createHash } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { LRUCache } from 'lru-cache'
import { ServiceError } from '../errors.ts'
import type { EntityMention } from './entities.ts'
import type { EntityMessage } from './entity-worker.ts'

/** Finds what a text mentions. */
export interface EntityFinder {
  /**
   * @throws {ServiceError} UNAVAILABLE when the text takes far longer than texts do
   */
  find(text: string): Promise<readonly EntityMention[]>
}

/** How a {@link ThreadedEntityFinder} behaves. */
export interface ThreadedEntityFinderOptions {
  /** Without work for so long the thread ends. @default 60000 */
  readonly idleMs?: number
  /** A text that takes longer costs the thread its life. @default 10000 */
  readonly textDeadlineMs?: number
  /** What the thread runs. @default entity-worker.ts */
  readonly workerUrl?: URL
}

/** Characters of a text that are read: compromise's time grows with the square of a sentence that never ends. */
export const MAX_READ_CHARACTERS = 20_000

/** Memory for what texts mention, in bytes. */
const CACHE_BYTES = 8_388_608

/**
 * Finds entities in a thread of its own, which begins with the first text and ends when there is none for a while.
 * What a text mentions is remembered. One text at a time: callers who have several take turns.
 */
export class ThreadedEntityFinder implements EntityFinder {
  readonly #idleMs: number
  readonly #textDeadlineMs: number
  readonly #workerUrl: URL
  readonly #known = new LRUCache<string, readonly EntityMention[]>({
    maxSize: CACHE_BYTES,
    sizeCalculation: (mentions) => mentions.reduce((bytes, { text }) => bytes + text.length * 2 + 64, 128)
  })
  #thread: Worker | undefined
  #idleTimer: NodeJS.Timeout | undefined
  #latest: Promise<unknown> = Promise.resolve()

  constructor(options: ThreadedEntityFinderOptions = {}) {
    this.#idleMs = options.idleMs ?? 60_000
    this.#textDeadlineMs = options.textDeadlineMs ?? 10_000
    this.#workerUrl = options.workerUrl ?? new URL('entity-worker.ts', import.meta.url)
  }

  async find(text: string): Promise<readonly EntityMention[]> {
    const read = text.slice(0, MAX_READ_CHARACTERS)
    const key = createHash('sha256').update(read).digest('base64')
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const finding = this.#latest.then(() => this.#find(read))
    this.#latest = finding.catch(() => undefined)
    const mentions = await finding
    this.#known.set(key, mentions)
    return mentions
  }

  /** Ends the thread. A text that is being read is given up. */
  async close(): Promise<void> {
    clearTimeout(this.#idleTimer)
    // Plain JavaScript may be ended at any point; onnxruntime is in other threads.
    await this.#thread?.terminate()
  }

  async #find(text: string): Promise<readonly EntityMention[]> {
    clearTimeout(this.#idleTimer)
    const thread = (this.#thread ??= this.#start())
    const { promise, resolve, reject } = Promise.withResolvers<EntityMessage>()
    const onExit = () => reject(new Error('Cannot find entities: the thread ended'))
    thread.once('message', resolve).once('error', reject).once('exit', onExit)
    const deadline = setTimeout(() => {
      const message = `Cannot find entities: one text takes over ${this.#textDeadlineMs} ms`
      reject(new ServiceError('UNAVAILABLE', message))
    }, this.#textDeadlineMs)
    try {
      thread.postMessage(text)
      const reply = await promise
      if ('error' in reply) throw new Error('Cannot find entities', { cause: reply.error })
      this.#endWhenIdle()
      return reply.mentions
    } catch (error) {
      this.#thread = undefined
      await thread.terminate()
      throw error
    } finally {
      clearTimeout(deadline)
      thread.off('message', resolve).off('error', reject).off('exit', onExit)
    }
  }

  #start(): Worker {
    const thread = new Worker(this.#workerUrl, { name: 'entities' })
    // One that fails between two texts is missed by nobody.
    thread.on('error', () => undefined)
    thread.once('exit', () => {
      if (this.#thread === thread) this.#thread = undefined
    })
    return thread
  }

  #endWhenIdle(): void {
    this.#idleTimer = setTimeout(() => {
      const thread = this.#thread
      this.#thread = undefined
      void thread?.terminate()
    }, this.#idleMs).unref()
  }
}
