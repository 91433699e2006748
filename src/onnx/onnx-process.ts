/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The program of a process that runs models that users upload. It has limits and may be killed at any moment:
// onnxruntime cannot be stopped while it computes, and terminating a thread inside it would end the whole service.

import { getPriority, setPriority } from 'node:os'
import { Worker } from 'node:worker_threads'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { inspectOnnx } from './inspect-onnx.ts'
import type { OnnxTensor, ProcessReply, ProcessRequest } from './onnx-process-pool.ts'
import { WATCH_STATE, type WatchdogData } from './onnx-watchdog.ts'

/** Niceness added to the service's own, so that its own models run first. */
const NICENESS = 10
const LEAST_PRIORITY = 19

/** Without an arena, the memory of a run is freed after it. */
const SESSION_OPTIONS = { intraOpNumThreads: 1, interOpNumThreads: 1, enableCpuMemArena: false } as const

const [memoryLimitBytes, timeLimitMs] = process.argv.slice(2).map(Number)
if (memoryLimitBytes === undefined || timeLimitMs === undefined || process.send === undefined) {
  throw new Error('onnx-process.ts is started by its pool only: this is a bug')
}
// Added to the niceness that it inherits from the service: raising the priority again would need a privilege.
setPriority(Math.min(LEAST_PRIORITY, getPriority() + NICENESS))
const watched = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
const watchdogData: WatchdogData = { watched, memoryLimitBytes, timeLimitMs }
// With its own limits, this process cannot outlive the service with a model that never ends.
const watchdog = new Worker(new URL('onnx-watchdog.ts', import.meta.url), { workerData: watchdogData })
watchdog.once('exit', () => process.kill(process.pid, 'SIGKILL'))
const sessions = new Map<string, InferenceSession>()

// The service has ended.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.on('message', (request: ProcessRequest) => {
  void reply(request)
})
send({ type: 'ready' })

async function reply(request: ProcessRequest): Promise<void> {
  watch(WATCH_STATE.working)
  try {
    send({ type: 'done', value: await perform(request) })
  } catch (error) {
    send({ type: 'failed', message: error instanceof Error ? error.message : String(error) })
  } finally {
    watch(WATCH_STATE.idle)
  }
}

async function perform(request: ProcessRequest): Promise<unknown> {
  if (request.type === 'inspect') return inspectOnnx(request.model)
  if (request.type === 'run') return run(request)
  await sessions.get(request.key)?.release()
  sessions.delete(request.key)
  if (request.type === 'load') sessions.set(request.key, await InferenceSession.create(request.model, SESSION_OPTIONS))
  return undefined
}

async function run({ key, inputs, outputs }: ProcessRequest & { type: 'run' }): Promise<OnnxTensor[]> {
  const session = sessions.get(key)
  if (session === undefined) throw new Error('The model is not loaded: this is a bug')
  const feeds = Object.fromEntries(inputs.map(({ name, type, shape, data }) => [name, tensorOf(type, data, shape)]))
  const results = await session.run(feeds, [...outputs])
  return outputs.map((name) => {
    const { type, data, dims: shape } = results[name]!
    if (Array.isArray(data)) return { name, type: 'string', shape, data }
    if (type === 'float32' && data instanceof Float32Array) return { name, type, shape, data }
    if (type === 'float64' && data instanceof Float64Array) return { name, type, shape, data }
    if (type === 'int64' && data instanceof BigInt64Array) return { name, type, shape, data }
    throw new Error(`Output type ${type} is not supported`)
  })
}

function tensorOf(type: OnnxTensor['type'], data: OnnxTensor['data'], shape: readonly number[]): Tensor {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- OnnxTensor pairs the two as Tensor wants them
  return new Tensor(type as 'float32', data as Float32Array, shape)
}

function watch(state: number): void {
  Atomics.store(watched, 0, state)
  Atomics.notify(watched, 0)
}

function send(message: ProcessReply): void {
  process.send?.(message)
}
