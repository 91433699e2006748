/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Worker } from 'node:worker_threads'
import { ServiceError, type ErrorCode } from '../errors.ts'

/** Limits of the line of large bodies and of reading one. */
export interface ReadingLimits {
  /** Maximum number of bodies that wait while one is read. */
  readonly maxWaitingBodies: number
  /** Maximum number of waiting bodies of one caller. */
  readonly maxWaitingOfCaller: number
  /** Maximum heap of the thread that reads a body. */
  readonly readingMemoryBytes: number
  /**
   * Maximum time to read a body, since a heap that is nearly full can take minutes to overflow.
   * @default {@link MAX_READING_MS}
   */
  readonly maxReadingMs?: number
}

/** Reading limits from the settings. */
export function readingLimitsOf(
  config: Pick<ReadingLimits, 'maxWaitingBodies' | 'readingMemoryBytes'> & { readonly maxCallerPercent: number }
): ReadingLimits {
  const { maxWaitingBodies, readingMemoryBytes, maxCallerPercent } = config
  const maxWaitingOfCaller = Math.max(1, Math.floor((maxWaitingBodies * maxCallerPercent) / 100))
  return { maxWaitingBodies, maxWaitingOfCaller, readingMemoryBytes }
}

/** The caller for whom a body is read. */
export interface Reader {
  readonly callerKey: string
  /** Aborts when nobody waits for the result any more. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Message from a thread: its result or a refusal. A refusal is plain data, since errors lose their class between
 * threads.
 */
export type ReadingMessage<Result> =
  | { readonly result: Result }
  | {
      readonly refusal: { readonly code: ErrorCode; readonly message: string; readonly fields: ServiceError['fields'] }
    }

/** Worker data of a thread: the body to read and what it needs besides. */
export interface ThreadData {
  readonly bytes: Uint8Array
  readonly [name: string]: unknown
}

interface Waiting {
  readonly callerKey: string
  readonly begin: () => void
}

const RETRY_AFTER_SECONDS = 5
/** Maximum time to read a body. The largest take some seconds, on a busy machine some tens of seconds. */
export const MAX_READING_MS = 120_000
const BYTES_PER_MB = 1_048_576
/** Heap for a thread's code and garbage, besides the values whose size is limited beforehand. */
const THREAD_MB = 64

/**
 * Reads large bodies (mentors, tables and jobs) one at a time in a thread, since each takes a core and several times
 * its size in memory. Waiting callers take turns, and an aborted call leaves the line at once.
 */
export class ReadingLine {
  readonly #limits: ReadingLimits
  readonly #waiting: Waiting[] = []
  #current: string | undefined

  constructor(limits: ReadingLimits) {
    this.#limits = limits
  }

  /** Number of bodies that wait or are read. */
  get length(): number {
    return this.#waiting.length + (this.#current === undefined ? 0 : 1)
  }

  /** Maximum heap of a value that a thread of this line parses. */
  get maxJsonHeapBytes(): number {
    return this.#limits.readingMemoryBytes
  }

  /**
   * Runs a thread when it is this body's turn, and returns its result.
   * @param url the thread's file; it gets `data` as its `workerData` and posts one {@link ReadingMessage}
   * @throws {ServiceError} what the thread refuses; TOO_MANY_REQUESTS or OVERLOADED when the line is full;
   *   PAYLOAD_TOO_LARGE when the thread runs out of memory; the signal's reason when it aborts
   */
  async read<Result>(url: URL, data: ThreadData, reader: Reader): Promise<Result> {
    await this.#turn(reader)
    try {
      reader.signal?.throwIfAborted()
      return await readInThread<Result>(url, data, this.#limits, reader.signal)
    } finally {
      this.#next()
    }
  }

  /** Waits for this body's turn, which {@link #next} ends. */
  async #turn({ callerKey, signal }: Reader): Promise<void> {
    signal?.throwIfAborted()
    if (this.#current === undefined) {
      this.#current = callerKey
      return
    }
    const ofCaller = this.#waiting.filter((waiting) => waiting.callerKey === callerKey).length
    if (ofCaller >= this.#limits.maxWaitingOfCaller) throw refusal('TOO_MANY_REQUESTS', 'of this caller')
    if (this.#waiting.length >= this.#limits.maxWaitingBodies) throw refusal('OVERLOADED', 'of all callers')
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiting: Waiting = { callerKey, begin: resolve }
    this.#waiting.push(waiting)
    const leave = (): void => {
      const index = this.#waiting.indexOf(waiting)
      if (index < 0) return
      this.#waiting.splice(index, 1)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', leave, { once: true })
    try {
      await promise
    } finally {
      signal?.removeEventListener('abort', leave)
    }
  }

  /** Gives the turn to the first waiting body of another caller than the last, else to the first. */
  #next(): void {
    const other = this.#waiting.findIndex(({ callerKey }) => callerKey !== this.#current)
    const [waiting] = this.#waiting.splice(Math.max(0, other), 1)
    this.#current = waiting?.callerKey
    waiting?.begin()
  }
}

/**
 * Converts an error of a reading thread to the message for it.
 * @throws any error that is not a ServiceError: it is a bug
 */
export function refusalOf(error: unknown): ReadingMessage<never> {
  if (!(error instanceof ServiceError)) throw error
  const { code, message, fields } = error
  return { refusal: { code, message, fields } }
}

async function readInThread<Result>(
  url: URL,
  data: ThreadData,
  { readingMemoryBytes, maxReadingMs = MAX_READING_MS }: ReadingLimits,
  signal: AbortSignal | undefined
): Promise<Result> {
  const { buffer, byteLength } = data.bytes
  const thread = new Worker(url, {
    name: 'reading',
    workerData: data,
    // A body that is a view of a larger buffer is copied.
    transferList: buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [],
    resourceLimits: { maxOldGenerationSizeMb: Math.ceil((1.5 * readingMemoryBytes) / BYTES_PER_MB) + THREAD_MB }
  })
  const { promise, resolve, reject } = Promise.withResolvers<ReadingMessage<Result>>()
  const leave = (): void => reject(signal?.reason)
  signal?.addEventListener('abort', leave, { once: true })
  const timer = setTimeout(() => {
    const tooLong = `Cannot read the body: it takes more than the ${maxReadingMs} ms allowed for one`
    reject(new ServiceError('PAYLOAD_TOO_LARGE', tooLong))
  }, maxReadingMs)
  thread.once('message', resolve)
  thread.once('error', (error) => {
    const isFull = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    const tooLarge = 'Cannot read the body: it takes more memory than one body may take'
    reject(isFull ? new ServiceError('PAYLOAD_TOO_LARGE', tooLarge) : error)
  })
  thread.once('exit', () => reject(new Error('Cannot read a body: its thread ended without a result; this is a bug')))
  try {
    const message = await promise
    if ('result' in message) return message.result
    const { code, message: text, fields } = message.refusal
    throw new ServiceError(code, text, fields === undefined ? {} : { fields })
  } finally {
    signal?.removeEventListener('abort', leave)
    clearTimeout(timer)
    await thread.terminate()
  }
}

function refusal(code: 'TOO_MANY_REQUESTS' | 'OVERLOADED', whose: string): ServiceError {
  return new ServiceError(code, `Cannot read the body: as many large ones ${whose} wait as may`, {
    retryAfterSeconds: RETRY_AFTER_SECONDS
  })
}
