/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { closeSync, openSync, watch, writeSync } from 'node:fs'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'

import { ServiceError, type ErrorCode } from '../errors.ts'
import { PRIVATE_FILE_MODE } from '../storage/private-file.ts'
import { sqliteFaultOf } from '../storage/sqlite-file.ts'
import { SqliteJobStore, type SqliteJobStoreOptions, type StoreEvents } from './sqlite-job-store.ts'

/*
 * The thread that owns a SqliteJobStore. A commit that a 202 relies on waits for the disk (some 3 ms), which must not
 * block the main thread. Calls that arrive while the disk is busy share the next commit (group commit).
 */

/** Options of the thread. */
export interface ThreadOptions extends SqliteJobStoreOptions {
  /** How often to look for other processes' commits, in case the file system does not announce them. */
  readonly lookEveryMs: number
}

/** The operations of the store that the main thread may call. */
export type StoreMethod =
  | 'backlog'
  | 'cancel'
  | 'checkIn'
  | 'claim'
  | 'ended'
  | 'enqueue'
  | 'extend'
  | 'fail'
  | 'find'
  | 'finish'
  | 'list'
  | 'redrive'
  | 'release'
  | 'result'
  | 'room'
  | 'sweep'

/** One call of the store; the caller assigns the id. */
export interface StoreCall {
  readonly callId: number
  readonly method: StoreMethod
  readonly args: readonly unknown[]
}

/** Why a call failed: a {@link ServiceError}'s code and message, or (without a code) a bug. */
export interface StoreFault {
  readonly code: ErrorCode | undefined
  readonly message: string
  readonly retryAfterSeconds?: number
}

/** The answer to one call. */
export type StoreReply =
  | { readonly callId: number; readonly value: unknown }
  | { readonly callId: number; readonly fault: StoreFault }

/** Message from the thread: the file is open, replies and the changes that came with them, or another connection wrote. */
export type ThreadMessage =
  | 'ready'
  | { readonly replies: readonly StoreReply[]; readonly events: StoreEvents }
  | 'foreign-change'

/** Message from the main thread: calls, or that no more will come. */
export type ThreadRequest = readonly StoreCall[] | 'close'

const READING: ReadonlySet<StoreMethod> = new Set(['backlog', 'ended', 'find', 'list', 'result', 'room'])
/** Methods whose effect must survive a power loss. What the others lose is done again or found out again. */
const DURABLE: ReadonlySet<StoreMethod> = new Set(['cancel', 'enqueue', 'redrive'])
/** Maximum number of calls per transaction: bounds how long the first call waits for the last. */
const MAX_CALLS_PER_COMMIT = 512
const LOOK_EVERY_MS_UNWATCHED = 20
/** Buffers of at least this size are transferred instead of copied. */
const MIN_TRANSFER_BYTES = 64 * 1024

assert(parentPort !== null, 'sqlite-job-thread.ts runs as a worker thread; this is a bug')
const port = parentPort
const options: ThreadOptions = workerData
const store = new SqliteJobStore(options)
const wakePath = `${options.path}-wake`
const wakeFile = openSync(wakePath, 'w', PRIVATE_FILE_MODE)
let seenVersion = store.dataVersion()

port.on('message', (first: ThreadRequest) => {
  const waiting: StoreCall[] = []
  let isClosing = false
  for (let request: ThreadRequest | undefined = first; request !== undefined; request = nextRequest()) {
    if (request === 'close') isClosing = true
    else waiting.push(...request)
  }
  for (let start = 0; start < waiting.length; start += MAX_CALLS_PER_COMMIT) {
    const calls = waiting.slice(start, start + MAX_CALLS_PER_COMMIT)
    post(runTogether(calls))
    freeBuffersOf(calls)
  }
  if (isClosing) close()
})

const stopWatching = watchForeignChanges()
port.postMessage('ready' satisfies ThreadMessage)

function nextRequest(): ThreadRequest | undefined {
  return receiveMessageOnPort(port)?.message
}

function runTogether(calls: readonly StoreCall[]): StoreReply[] {
  const isDurable = calls.some((call) => DURABLE.has(call.method))
  const isReading = calls.every((call) => READING.has(call.method))
  const work = (): StoreReply[] => calls.map((call) => ({ callId: call.callId, value: run(call) }))
  try {
    return isReading ? work() : store.transact(isDurable, work)
  } catch (error) {
    // The transaction was rolled back. Run one by one, only the call at fault fails.
    store.takeEvents()
    const [call] = calls
    if (calls.length > 1 || call === undefined) return calls.flatMap((each) => runTogether([each]))
    return [{ callId: call.callId, fault: faultOf(error) }]
  }
}

function run(call: StoreCall): unknown {
  return Reflect.apply(store[call.method], store, call.args)
}

function post(replies: readonly StoreReply[]): void {
  const events = store.takeEvents()
  const message: ThreadMessage = { replies, events }
  port.postMessage(message, largeBuffersOf(replies))
  if (events.hasQueued || events.endedIds.length > 0) wakeOthers()
}

function largeBuffersOf(value: unknown, found: ArrayBuffer[] = []): ArrayBuffer[] {
  if (value instanceof Uint8Array) {
    const { buffer, byteLength } = value
    if (byteLength >= MIN_TRANSFER_BYTES && buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) {
      found.push(buffer)
    }
  } else if (typeof value === 'object' && value !== null) {
    // Each call and each reply of the thread is walked through: no arrays are made on the way.
    for (const name in value) largeBuffersOf(Reflect.get(value, name), found)
  }
  return found
}

/** Frees the buffers of inputs that were written: an idle thread collects no garbage, and would keep the last large ones. */
function freeBuffersOf(calls: readonly StoreCall[]): void {
  for (const buffer of largeBuffersOf(calls)) if (!buffer.detached) buffer.transfer(0)
}

const RETRY_AFTER_SECONDS = 30

function faultOf(error: unknown): StoreFault {
  if (!(error instanceof Error)) return { code: undefined, message: String(error) }
  if (error instanceof ServiceError) {
    const { code, message, retryAfterSeconds } = error
    return { code, message, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) }
  }
  switch (sqliteFaultOf(error)) {
    case 'full': {
      const message = 'Cannot write to the job store: the disk is full'
      return { code: 'UNAVAILABLE', message, retryAfterSeconds: RETRY_AFTER_SECONDS }
    }
    case 'too-big':
      return { code: 'PAYLOAD_TOO_LARGE', message: 'Cannot write to the job store: the payload is too large' }
    case 'machine':
      return { code: 'UNAVAILABLE', message: `Cannot use the job store: ${error.message}` }
    case undefined:
      break
  }
  return { code: undefined, message: error.stack ?? error.message }
}

/** Tells the main thread if another process (or another backend in this one) has committed. */
function lookForForeignChange(): void {
  const version = store.dataVersion()
  if (version === seenVersion) return
  seenVersion = version
  port.postMessage('foreign-change' satisfies ThreadMessage)
}

/** Looks for foreign changes whenever the wake file is written, and at intervals. @returns a function that stops it */
function watchForeignChanges(): () => void {
  let watcher: ReturnType<typeof watch> | undefined
  let timer = setInterval(lookForForeignChange, options.lookEveryMs)
  const lookOften = (): void => {
    clearInterval(timer)
    timer = setInterval(lookForForeignChange, LOOK_EVERY_MS_UNWATCHED)
  }
  try {
    watcher = watch(wakePath, lookForForeignChange)
    watcher.on('error', lookOften)
  } catch {
    // The system has no watches left (inotify's limit), or none at all.
    lookOften()
  }
  return () => {
    watcher?.close()
    clearInterval(timer)
  }
}

/**
 * Wakes the other processes that use the file. A watch on the database itself would not do: its write-ahead log changes some
 * milliseconds before the commit takes effect, and the commit takes effect in shared memory, which cannot be watched.
 */
function wakeOthers(): void {
  writeSync(wakeFile, 'w', 0)
}

function close(): void {
  stopWatching()
  store.close()
  closeSync(wakeFile)
  port.close()
}
