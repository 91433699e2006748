/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LogSampler, type LeftOutLines } from '../../src/server/log-sampler.ts'
import { createSampledLogger } from '../../src/server/request-log.ts'

const INFO = 30
const ERROR = 50

/** A sampler, and what it has told. */
function samplerOf(linesPerSecond: number): { sampler: LogSampler; told: LeftOutLines[] } {
  const told: LeftOutLines[] = []
  return { sampler: new LogSampler(linesPerSecond, (leftOut) => told.push(leftOut)), told }
}

/** Errors from two places of the code. */
const failures = {
  ofRoute: (message: string) => new TypeError(message),
  ofStore: (message: string) => new TypeError(message)
}

test('LogSampler lets through so many lines of a kind in a second, then tells how many it left out', () => {
  const { sampler, told } = samplerOf(3)
  const line = { method: 'GET', route: '/v1/encode', statusCode: 200 }
  const admitted = Array.from({ length: 10 }, (_, i) =>
    sampler.admit(INFO, { ...line, reqId: String(i) }, 'request', i)
  )
  assert.equal(admitted.filter(Boolean).length, 3)
  assert.deepEqual(told, [])
  assert.equal(sampler.admit(INFO, line, 'request', 1000), true)
  assert.deepEqual(told, [{ level: INFO, message: 'request', ...line, leftOutCount: 7 }])
  sampler.tell(2000)
  assert.equal(told.length, 1, 'nothing is told of a second in which nothing was left out')
})

test('LogSampler tells kinds apart by level, message, status, route, and where an error comes from', () => {
  const { sampler } = samplerOf(1)
  const lines: [number, unknown, string?][] = [
    [INFO, { method: 'GET', route: '/a', statusCode: 200 }, 'request'],
    [INFO, { method: 'GET', route: '/a', statusCode: 500 }, 'request'],
    [INFO, { method: 'GET', route: '/b', statusCode: 200 }, 'request'],
    [INFO, { code: 'HPE_INVALID_METHOD' }, 'unreadable request'],
    [INFO, 'a line of its own'],
    [ERROR, { err: failures.ofRoute('one') }, 'request failed'],
    [ERROR, { err: failures.ofStore('one') }, 'request failed']
  ]
  for (const [level, fields, message] of lines) assert.ok(sampler.admit(level, fields, message, 0), String(message))
  for (const [level, fields, message] of lines) assert.ok(!sampler.admit(level, fields, message, 1), String(message))
  // Whatever an error says, which a caller may have a part in: it is the same error.
  assert.ok(!sampler.admit(ERROR, { err: failures.ofRoute('two') }, 'request failed', 2))
})

test('LogSampler holds a bounded number of kinds, and leaves out nothing of what ends the process', () => {
  const { sampler, told } = samplerOf(2)
  let admitted = 0
  for (let kind = 0; kind < 10_000; kind += 1) if (sampler.admit(INFO, {}, `line ${kind}`, 0)) admitted += 1
  assert.ok(admitted < 600, String(admitted))
  for (let line = 0; line < 10; line += 1) assert.ok(sampler.admit(60, {}, 'failed', 0))
  sampler.tell(0)
  assert.deepEqual(told, [{ level: INFO, message: 'other lines', leftOutCount: 10_000 - admitted }])
})

test('LogSampler writes all lines where it is told to', () => {
  const { sampler } = samplerOf(0)
  for (let line = 0; line < 5000; line += 1) assert.ok(sampler.admit(INFO, {}, 'request', 0))
})

test('a flooded log has its share of equal lines, one of how many there were more, and every error of another kind', () => {
  const lines: { msg: string; level: number; line?: string; leftOutCount?: number; reqId?: string }[] = []
  const { logger, sampler } = createSampledLogger('info', 5, { write: (line) => void lines.push(JSON.parse(line)) })
  for (let i = 0; i < 1000; i += 1) {
    logger.child({ reqId: String(i) }).info({ method: 'GET', statusCode: 401, durationMs: i }, 'request')
    if (i === 500) logger.child({ reqId: String(i) }).error({ err: new RangeError('a bug') }, 'request failed')
  }
  sampler.tell(performance.now())
  const requests = lines.filter(({ msg }) => msg === 'request')
  const [note, ...more] = lines.filter(({ msg }) => msg === 'equal lines were left out')
  // A slow machine may need more than a second for these.
  const leftOutCount = [note, ...more].reduce((sum, line) => sum + (line?.leftOutCount ?? 0), 0)
  assert.equal(requests.length + leftOutCount, 1000)
  assert.ok(requests.length <= 5 * (more.length + 2))
  assert.deepEqual([note?.line, note?.level], ['request', INFO])
  assert.deepEqual(
    lines.filter(({ level }) => level === ERROR).map(({ msg, reqId }) => [msg, reqId]),
    [['request failed', '500']]
  )
})
