/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReadingLine } from '../../src/reading/reading-line.ts'

const LIMITS = { maxWaitingBodies: 3, maxWaitingOfCaller: 2, readingMemoryBytes: 16_777_216 }

/** A thread that runs these lines; `workerData` is what it got. */
const thread = (code: string): URL =>
  new URL(
    `data:text/javascript,import { parentPort, workerData } from 'node:worker_threads';${encodeURIComponent(code)}`
  )
const ECHO = thread(`parentPort.postMessage({ result: workerData.bytes[0] })`)
const bytes = (value: number): Uint8Array => Uint8Array.of(value)

test('ReadingLine lets callers take turns, and refuses what goes beyond a caller’s share or all room', async () => {
  const line = new ReadingLine(LIMITS)
  const order: number[] = []
  const read = async (callerKey: string, value: number): Promise<void> => {
    order.push(await line.read<number>(ECHO, { bytes: bytes(value) }, { callerKey }))
  }
  const reading = [read('a', 1), read('a', 2), read('a', 3)]
  await assert.rejects(read('a', 4), { code: 'TOO_MANY_REQUESTS', retryAfterSeconds: 5 })
  reading.push(read('b', 5))
  await assert.rejects(read('c', 6), { code: 'OVERLOADED', retryAfterSeconds: 5 })
  assert.equal(line.length, 4)
  await Promise.all(reading)
  assert.deepEqual(order, [1, 5, 2, 3])
  assert.equal(line.length, 0)
})

test('ReadingLine drops who leaves, waiting or being read, and goes on with the next', async () => {
  const line = new ReadingLine(LIMITS)
  const left = new AbortController()
  const reader = { callerKey: 'a', signal: left.signal }
  const busy = line.read(thread('setInterval(() => {}, 1000)'), { bytes: bytes(1) }, reader)
  const waiting = line.read(ECHO, { bytes: bytes(2) }, reader)
  const next = line.read<number>(ECHO, { bytes: bytes(3) }, { callerKey: 'b' })
  left.abort(new Error('the caller left'))
  await assert.rejects(waiting, /the caller left/)
  await assert.rejects(busy, /the caller left/)
  assert.equal(await next, 3)
  await assert.rejects(line.read(ECHO, { bytes: bytes(4) }, reader), /the caller left/)
})

test('ReadingLine: a thread that refuses, fails or takes too long ends its own body alone', async () => {
  const line = new ReadingLine(LIMITS)
  const read = async (code: string): Promise<unknown> =>
    line.read(thread(code), { bytes: bytes(1) }, { callerKey: 'a' })
  await assert.rejects(read(`parentPort.postMessage({ refusal: { code: 'CONFLICT', message: 'no' } })`), {
    code: 'CONFLICT',
    message: 'no'
  })
  await assert.rejects(read(`throw new TypeError('a bug')`), /a bug/)
  await assert.rejects(read('process.exit(0)'), /ended without a result/)
  const impatient = new ReadingLine({ ...LIMITS, maxReadingMs: 200 })
  const endless = thread('setInterval(() => {}, 1000)')
  await assert.rejects(impatient.read(endless, { bytes: bytes(1) }, { callerKey: 'a' }), {
    code: 'PAYLOAD_TOO_LARGE',
    message: /more than the 200 ms/
  })
  assert.equal(impatient.length, 0)
  assert.equal(await line.read(ECHO, { bytes: bytes(7) }, { callerKey: 'a' }), 7)
})
