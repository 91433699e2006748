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

/** Finds the entities that a text mentions. */
export interface EntityFinder {
  /**
   * @throws {ServiceError} UNAVAILABLE when the text takes far longer than usual
   */
  find(text: string): Promise<readonly EntityMention[]>
}

/** Options of {@link ThreadedEntityFinder}. */
export interface ThreadedEntityFinderOptions {
  /** Idle time after which the thread ends. @default 60000 */
  readonly idleMs?: number
  /** Maximum time for a text; beyond it the thread is terminated. @default 10000 */
  readonly textDeadlineMs?: number
  /** The program of the thread. @default entity-worker.ts */
  readonly workerUrl?: URL
}

/**
 * Maximum number of characters of a text that are read: compromise's time grows with the square of a sentence's length.
 */
export const MAX_READ_CHARACTERS = 20_000

/** Memory of the cache of mentions, in bytes. */
const CACHE_BYTES = 8_388_608

/**
 * Finds entities in a separate thread, which starts with the first text and ends when it is idle. Mentions of a text
 * are cached. The thread reads one text at a time, so callers with several texts take turns.
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

  /** Ends the thread; a text that is being read is abandoned. */
  async close(): Promise<void> {
    clearTimeout(this.#idleTimer)
    // Safe at any point: this thread runs only JavaScript, onnxruntime runs in others.
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
    // A failure between two texts concerns no caller.
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
