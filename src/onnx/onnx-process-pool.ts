/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { fork, type ChildProcess } from 'node:child_process'
import { ServiceError } from '../errors.ts'
import type { Inspection } from './inspect-onnx.ts'
import { reasonOf } from './runtime-message.ts'

/** An input or output tensor of a model; elements row-major. */
export type OnnxTensor = { readonly name: string; readonly shape: readonly number[] } & (
  | { readonly type: 'float32'; readonly data: Float32Array }
  | { readonly type: 'float64'; readonly data: Float64Array }
  | { readonly type: 'int64'; readonly data: BigInt64Array }
  | { readonly type: 'string'; readonly data: readonly string[] }
)

/** Messages from the pool to a process. */
export type ProcessRequest =
  | { readonly type: 'inspect'; readonly model: Uint8Array }
  | { readonly type: 'load'; readonly key: string; readonly model: Uint8Array }
  | { readonly type: 'unload'; readonly key: string }
  | {
      readonly type: 'run'
      readonly key: string
      readonly inputs: readonly OnnxTensor[]
      readonly outputs: readonly string[]
    }

/** Messages from a process to the pool: `ready` once, then one answer to each request. */
export type ProcessReply =
  | { readonly type: 'ready' }
  | { readonly type: 'done'; readonly value: unknown }
  | { readonly type: 'failed'; readonly message: string }

export interface OnnxProcessPoolOptions {
  readonly processCount: number
  /** Maximum resident memory of one process. Node.js and onnxruntime take some 100 MB of it. */
  readonly memoryLimitBytes: number
  /** Time limit of one request to one model, measured from its turn. */
  readonly timeLimitMs: number
  /** How long an idle process is kept. @default five minutes */
  readonly idleMs?: number
}

/** A model that can be run. The key identifies its bytes. */
export interface RunnableModel {
  readonly key: string
  readonly read: () => Promise<Uint8Array>
}

/** Maximum number of requests that wait for a process; more are refused. */
const MAX_WAITING = 64
/** Maximum number of models loaded in a process; they share its memory limit. */
const MAX_MODELS_A_PROCESS = 4
const START_DEADLINE_MS = 20_000
const DEFAULT_IDLE_MS = 300_000
/** V8's heap in a process: it holds the tensors of a request, no models. */
const HEAP_MEGABYTES = 128

/**
 * Runs models that users upload, in separate processes.
 *
 * Such a model may compute for ever, take all memory or crash onnxruntime. A thread cannot be stopped while it is
 * inside onnxruntime without ending the whole process, so only a process that can be killed enforces a limit. Each is
 * started when first needed, does not see the service's settings, is killed at its limits and replaced for the next
 * request.
 */
export class OnnxProcessPool {
  readonly #options: OnnxProcessPoolOptions
  readonly #slots: ProcessSlot[]
  readonly #waiting: ((slot: ProcessSlot) => void)[] = []

  constructor(options: OnnxProcessPoolOptions) {
    this.#options = options
    this.#slots = Array.from({ length: options.processCount }, () => new ProcessSlot(options))
  }

  /** Number of living processes. */
  get liveCount(): number {
    return this.#slots.filter(({ isLive }) => isLive).length
  }

  /**
   * Inspects a file without loading it as a model. The limits apply here too, since a file can be crafted to be
   * expensive to read.
   * @throws {ServiceError} UNPROCESSABLE at a limit, OVERLOADED when too much waits
   */
  async inspect(model: Uint8Array): Promise<Inspection> {
    return this.#withSlot(async (slot) => {
      const inspection = await slot.request({ type: 'inspect', model })
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what onnx-process.ts answers to this request
      return inspection as Inspection
    })
  }

  /**
   * Runs a model; loads it first where it is not loaded.
   * @param outputs names of the outputs to return
   * @throws {ServiceError} UNPROCESSABLE at a limit, or when the model cannot be loaded or fails; OVERLOADED when too much
   *   waits; what `read` throws
   */
  async run(
    model: RunnableModel,
    inputs: readonly OnnxTensor[],
    outputs: readonly string[]
  ): Promise<readonly OnnxTensor[]> {
    return this.#withSlot(async (slot) => {
      await slot.load(model)
      const results = await slot.request({ type: 'run', key: model.key, inputs, outputs })
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what onnx-process.ts answers to this request
      return results as readonly OnnxTensor[]
    }, model.key)
  }

  /** Ends the processes; the requests that they run fail. */
  async close(): Promise<void> {
    await Promise.all(this.#slots.map(async (slot) => slot.close()))
  }

  async #withSlot<Result>(work: (slot: ProcessSlot) => Promise<Result>, key?: string): Promise<Result> {
    const slot = await this.#takeSlot(key)
    try {
      return await work(slot)
    } finally {
      slot.release()
      if (!slot.isTaken) this.#waiting.shift()?.(slot.take())
    }
  }

  /**
   * Takes a free slot: one with the model loaded, else one with a process, else an empty one; or waits for the next
   * that becomes free.
   */
  async #takeSlot(key: string | undefined): Promise<ProcessSlot> {
    const free = this.#slots.filter(({ isTaken }) => !isTaken)
    const slot = free.find((one) => key !== undefined && one.has(key)) ?? free.find(({ isLive }) => isLive) ?? free[0]
    if (slot !== undefined) return slot.take()
    if (this.#waiting.length >= MAX_WAITING) {
      const message = `Cannot run the model: ${MAX_WAITING} requests wait for a process`
      throw new ServiceError('OVERLOADED', message, { retryAfterSeconds: Math.ceil(this.#options.timeLimitMs / 1000) })
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}

/** A slot of the pool: at most one process, which handles one request at a time. */
class ProcessSlot {
  isTaken = false
  readonly #options: OnnxProcessPoolOptions
  readonly #loadedKeys = new Set<string>()
  #child: ChildProcess | undefined
  #running: PromiseWithResolvers<unknown> | undefined
  #idleTimer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: OnnxProcessPoolOptions) {
    this.#options = options
  }

  get isLive(): boolean {
    return this.#child !== undefined
  }

  has(key: string): boolean {
    return this.#loadedKeys.has(key)
  }

  take(): this {
    clearTimeout(this.#idleTimer)
    this.isTaken = true
    return this
  }

  release(): void {
    this.isTaken = false
    this.#idleTimer = setTimeout(
      () => void this.#stop('was without work'),
      this.#options.idleMs ?? DEFAULT_IDLE_MS
    ).unref()
  }

  /** Loads a model unless it is loaded; may unload another one for it. */
  async load({ key, read }: RunnableModel): Promise<void> {
    if (this.#loadedKeys.delete(key)) {
      this.#loadedKeys.add(key) // Most recently used: unloaded last.
      return
    }
    const model = await read()
    const [oldest] = this.#loadedKeys
    if (oldest !== undefined && this.#loadedKeys.size >= MAX_MODELS_A_PROCESS) {
      this.#loadedKeys.delete(oldest)
      await this.request({ type: 'unload', key: oldest })
    }
    await this.request({ type: 'load', key, model })
    this.#loadedKeys.add(key)
  }

  async request(request: ProcessRequest): Promise<unknown> {
    if (this.#isClosed) throw failed(STOPPING)
    const child = this.#child ?? (await this.#start())
    const { timeLimitMs } = this.#options
    return this.#settled(child, timeLimitMs, `took longer than ${timeLimitMs} ms`, () => child.send(request))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#stop(STOPPING)
  }

  async #stop(why: string): Promise<void> {
    clearTimeout(this.#idleTimer)
    const child = this.#child
    if (child === undefined) return
    const exited = new Promise((resolve) => child.once('exit', resolve))
    this.#end(child, why)
    await exited
  }

  async #start(): Promise<ChildProcess> {
    const { memoryLimitBytes, timeLimitMs } = this.#options
    const { NODE_COMPILE_CACHE: compileCache } = process.env
    const child = fork(new URL('onnx-process.ts', import.meta.url), [String(memoryLimitBytes), String(timeLimitMs)], {
      // Keys and passwords of the service are in its environment.
      env: compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache },
      execArgv: [`--max-old-space-size=${HEAP_MEGABYTES}`],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc']
    })
    this.#child = child
    child.on('message', (reply: ProcessReply) => {
      if (reply.type === 'failed') this.#running?.reject(failed(`could not be run: ${reasonOf(reply.message)}`))
      else this.#running?.resolve(reply.type === 'done' ? reply.value : undefined)
    })
    child.on('error', () => this.#end(child, 'could not be reached'))
    child.once('exit', (_code, signal) => {
      // Killed by someone else: its own watchdog or the system, because of its memory.
      this.#end(child, signal === 'SIGKILL' ? `took more than ${memoryLimitBytes} bytes of memory` : 'crashed')
    })
    await this.#settled(child, START_DEADLINE_MS, `did not start within ${START_DEADLINE_MS} ms`, () => undefined)
    return child
  }

  /**
   * Resolves with the process's answer to the request that `begin` sends; rejects when the process is killed before.
   */
  async #settled(child: ChildProcess, limitMs: number, atLimit: string, begin: () => void): Promise<unknown> {
    const running = Promise.withResolvers<unknown>()
    this.#running = running
    const timer = setTimeout(() => this.#end(child, atLimit), limitMs)
    try {
      begin()
      return await running.promise
    } finally {
      clearTimeout(timer)
      this.#running = undefined
    }
  }

  /** Kills a process unless it has ended, and rejects its request; the next request gets another process. */
  #end(child: ChildProcess, why: string): void {
    if (this.#child !== child) return
    this.#child = undefined
    this.#loadedKeys.clear()
    this.#running?.reject(failed(why))
    child.kill('SIGKILL')
  }
}

const STOPPING = 'was stopped, since the service stops'

function failed(why: string): ServiceError {
  return new ServiceError('UNPROCESSABLE', `Cannot run the model: it ${why}`)
}
