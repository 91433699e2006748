/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { ServiceError } from '../../src/errors.ts'
import {
  DEFAULT_JOB_POLICY,
  LEASE_LOST_TEXT,
  PermanentJobError,
  ServiceAwayError,
  UNSEEN_END_LABEL,
  afterFailure,
  errorText,
  failedTry,
  fingerprintOf,
  firstLane,
  isPermanentError,
  noticeOf,
  queuedJob,
  type Job
} from '../../src/jobs/job.ts'
import { packPayload, unpackPayload } from '../../src/jobs/payload.ts'

test('afterFailure() draws the wait from a range that doubles up to its bound', () => {
  const policy = { ...DEFAULT_JOB_POLICY, maxReceives: 20, retryBaseMs: 1000, retryMaxMs: 60_000 }
  const longest = [1, 2, 3, 6, 7, 19].map((attempts) =>
    afterFailure(attempts, { isPermanent: false }, policy, 0.999_999)
  )
  assert.deepEqual(
    longest.map((next) => next.status === 'QUEUED' && next.delayMs),
    [999, 1999, 3999, 31_999, 59_999, 59_999]
  )
  assert.deepEqual(afterFailure(3, { isPermanent: false }, policy, 0), { status: 'QUEUED', delayMs: 0 })
  assert.deepEqual(afterFailure(3, { isPermanent: false }, policy, 0.5), { status: 'QUEUED', delayMs: 2000 })
})

test('afterFailure() gives up at the fifth try, and at once on a permanent error', () => {
  assert.equal(afterFailure(4, { isPermanent: false }, DEFAULT_JOB_POLICY, 0).status, 'QUEUED')
  assert.deepEqual(afterFailure(5, { isPermanent: false }, DEFAULT_JOB_POLICY, 0), {
    status: 'FAILURE',
    failure: 'DEAD'
  })
  assert.deepEqual(afterFailure(1, { isPermanent: true }, DEFAULT_JOB_POLICY, 0), {
    status: 'FAILURE',
    failure: 'PERMANENT'
  })
})

test('afterFailure() waits for days for a service that is away, with waits of 5 minutes at most', () => {
  const away = { isPermanent: false, isAway: true }
  const waits = Array.from({ length: 1999 }, (_, i) => afterFailure(i + 1, away, DEFAULT_JOB_POLICY, 0.5))
  const totalMs = waits.reduce((sum, next) => sum + (next.status === 'QUEUED' ? next.delayMs : Number.NaN), 0)
  assert.ok(totalMs > 3 * 86_400_000 && totalMs < 4 * 86_400_000, `${totalMs} ms`)
  assert.deepEqual(waits.at(-1), { status: 'QUEUED', delayMs: 150_000 })
  assert.deepEqual(afterFailure(2000, away, DEFAULT_JOB_POLICY, 0.5), { status: 'FAILURE', failure: 'DEAD' })
  assert.deepEqual(failedTry(new ServiceAwayError('gone')), { message: 'gone', ...away })
})

test('noticeOf() tells the type of the label of what ended without a handler, and of nothing else', () => {
  const labels = { mentor: 'noor', [UNSEEN_END_LABEL]: 'told' }
  const job = queuedJob({ id: 'a', type: 'train', input: packPayload({}), owner: 'o', labels }, 0)
  const notice = (change: Partial<Job>) => noticeOf({ ...job, status: 'FAILURE', ...change })
  for (const unseen of [{ failure: 'CANCELLED' }, { failure: 'DEAD', lastError: LEASE_LOST_TEXT }] as const) {
    const told = notice(unseen)
    assert.deepEqual([told?.type, told?.owner, told && unpackPayload(told.input)], ['told', 'o', { id: 'a', labels }])
  }
  assert.equal(notice({ failure: 'DEAD', lastError: 'the handler said no' }), undefined)
  assert.equal(notice({ failure: 'PERMANENT' }), undefined)
  assert.equal(notice({ status: 'SUCCESS' }), undefined)
  assert.equal(notice({ failure: 'CANCELLED', labels: {} }), undefined)
})

test('noticeOf() carries the trace of the job on, and nothing else of its labels', () => {
  const trace = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'vendor=abc' }
  const labels = { mentor: 'noor', [UNSEEN_END_LABEL]: 'told', ...trace }
  const job = queuedJob({ type: 'train', input: packPayload({}), labels }, 0)
  const ended = { ...job, status: 'FAILURE', failure: 'CANCELLED' } as const
  assert.deepEqual(noticeOf(ended)?.labels, trace)
  assert.deepEqual(noticeOf({ ...ended, callbackUrl: 'https://example.org/' })?.labels, trace)
  assert.deepEqual(noticeOf({ ...ended, labels: { [UNSEEN_END_LABEL]: 'told' } })?.labels, {})
})

test('the default policy has no wait that an SQS message cannot make', () => {
  assert(DEFAULT_JOB_POLICY.retryMaxMs <= 900_000)
})

test('isPermanentError() tells the fault of the input from the fault of the moment', () => {
  assert.equal(isPermanentError(new PermanentJobError('bad')), true)
  assert.equal(isPermanentError(new ServiceError('INVALID_REQUEST', 'bad')), true)
  assert.equal(isPermanentError(new ServiceError('TOO_MANY_REQUESTS', 'later')), false)
  assert.equal(isPermanentError(new ServiceError('OVERLOADED', 'later')), false)
  assert.equal(isPermanentError(new TypeError('a bug')), false)
  assert.equal(isPermanentError('a string'), false)
})

test('errorText() keeps the message, cut to 2000 characters', () => {
  assert.equal(errorText(new Error('boom')), 'boom')
  assert.equal(errorText('boom'), 'boom')
  assert.equal(errorText(new Error('x'.repeat(5000))).length, 2000)
})

test('fingerprintOf() tells type, input and callback apart', () => {
  const job = { type: 'a', input: packPayload({ n: 1 }) }
  assert.equal(fingerprintOf(job), fingerprintOf({ ...job, owner: 'x', idempotencyKey: 'k', priority: 'bulk' }))
  const others = [
    { ...job, type: 'b' },
    { ...job, input: packPayload({ n: 2 }) },
    { ...job, input: { ...job.input, contentType: 'application/jsonl' } },
    { ...job, callbackUrl: 'https://example.org' }
  ]
  assert.equal(new Set([job, ...others].map((each) => fingerprintOf(each))).size, 5)
})

test('firstLane() looks at bulk every eighth time', () => {
  const lanes = Array.from({ length: 16 }, (_, index) => firstLane(index + 1))
  assert.deepEqual(
    lanes.flatMap((lane, index) => (lane === 'bulk' ? [index + 1] : [])),
    [8, 16]
  )
})

test('packPayload() and unpackPayload() carry JSON values and bytes', () => {
  for (const value of [{ a: [1, 'é', null] }, 'text', 0, null, Uint8Array.of(1, 2, 255)]) {
    assert.deepEqual(unpackPayload(packPayload(value)), value)
  }
  assert.equal(unpackPayload(packPayload(undefined)), null)
  assert.throws(() => packPayload(1n), TypeError)
})
