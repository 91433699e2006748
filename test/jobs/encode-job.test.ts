/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Embeddings, EncodeOptions } from '../../src/embedding/encoder.ts'
import { ServiceError } from '../../src/errors.ts'
import { unpackEmbeddings } from '../../src/jobs/embeddings-result.ts'
import { LINES_TYPE, countLines, encodeJob, paraphraseJob } from '../../src/jobs/encode-job.ts'
import { queuedJob } from '../../src/jobs/job.ts'
import type { JobContext } from '../../src/jobs/job-runner.ts'
import { packPayload } from '../../src/jobs/payload.ts'
import { StandInEncoder, embeddingOf } from '../server/test-app.ts'

const LIMITS = { maxTextCharacters: 100 }

function context(signal = new AbortController().signal): JobContext & { readonly told: number[] } {
  const told: number[] = []
  const job = queuedJob({ id: 'job-1', type: 'encode', owner: 'key-a', input: packPayload(null) }, 0)
  return { job, signal, told, progress: (fraction) => told.push(fraction) }
}

/** Turns the first calls away, as a full encoder does. */
class FullEncoder extends StandInEncoder {
  refusals = 2

  override async encode(sentences: readonly string[], options?: EncodeOptions): Promise<Embeddings> {
    if (this.refusals > 0) {
      this.refusals -= 1
      throw new ServiceError('OVERLOADED', 'Cannot encode: full', { retryAfterSeconds: 0 })
    }
    return super.encode(sentences, options)
  }
}

test('encodeJob() encodes a part at a time in the bulk lane, for its owner, and tells its progress', async () => {
  const encoder = new StandInEncoder()
  const told = context()
  const sentences = Array.from({ length: 600 }, (_, index) => `sentence ${index}`)
  const { values, rows } = unpackEmbeddings(await encodeJob(encoder, LIMITS)(packPayload({ sentences }), told))
  assert.deepEqual(
    encoder.calls.map((call) => call.length),
    [256, 256, 88]
  )
  assert(encoder.options.every((options) => options?.lane === 'bulk' && options.callerKey === 'key-a'))
  assert.deepEqual(told.told, [256 / 600, 512 / 600, 1])
  assert.equal(rows.length, 600)
  for (const index of [0, 255, 256, 599]) {
    assert.deepEqual(values.subarray(index * 384, (index + 1) * 384), embeddingOf(`sentence ${index}`))
  }
})

test('encodeJob() waits for room instead of failing', async () => {
  const encoder = new FullEncoder()
  const result = await encodeJob(encoder, LIMITS)(packPayload({ sentences: ['a'] }), context())
  assert.equal(encoder.refusals, 0)
  assert.deepEqual(unpackEmbeddings(result).values, embeddingOf('a'))
})

test('encodeJob() stops when the job is no longer its own', async () => {
  const stop = new AbortController()
  stop.abort(new Error('cancelled'))
  await assert.rejects(encodeJob(new StandInEncoder(), LIMITS)(packPayload({ sentences: ['a'] }), context(stop.signal)))
})

test('encodeJob() marks what was cut, and fails for good where nothing may be', async () => {
  const long = 'x '.repeat(300).trim()
  const encoder = new StandInEncoder()
  const limits = { maxTextCharacters: 1000 }
  const { rows } = unpackEmbeddings(
    await encodeJob(encoder, limits)(packPayload({ sentences: [long, 'short'], truncate: 'start' }), context())
  )
  assert.deepEqual(
    rows.map((row) => 'isTruncated' in row && row.isTruncated),
    [true, false]
  )
  assert.equal(encoder.options[0]?.truncate, 'start')
  await assert.rejects(encodeJob(encoder, limits)(packPayload({ sentences: [long], truncate: 'none' }), context()), {
    code: 'INVALID_REQUEST'
  })
})

test('encodeJob() of lines refuses a text that is too long, and only that', async () => {
  const lines = [JSON.stringify({ query: 'x'.repeat(101) }), JSON.stringify({ query: 'x'.repeat(100) })].join('\n')
  const input = { contentType: LINES_TYPE, bytes: new TextEncoder().encode(lines) }
  const { rows, values } = unpackEmbeddings(await encodeJob(new StandInEncoder(), LIMITS)(input, context()))
  assert('error' in rows[0]! && /longer than 100/.test(rows[0].error.message))
  assert(!('error' in rows[1]!))
  assert.deepEqual(values.subarray(384), embeddingOf('x'.repeat(100)))
})

test('encodeJob() and paraphraseJob() refuse an input of another shape for good', async () => {
  for (const job of [encodeJob(new StandInEncoder(), LIMITS), paraphraseJob(new StandInEncoder(), LIMITS)]) {
    for (const input of [null, {}, { sentences: 'a' }, { sentences: [1] }, { sentences: ['a'], truncate: 'middle' }]) {
      await assert.rejects(job(packPayload(input), context()), { code: 'INVALID_REQUEST' })
    }
  }
})

test('countLines() counts what is not blank', () => {
  assert.equal(countLines(Buffer.from(''), 9), 0)
  assert.equal(countLines(Buffer.from('\n \r\n\t\n'), 9), 0)
  assert.equal(countLines(Buffer.from('a\n\n  b\r\nc'), 9), 3)
  assert.equal(countLines(Buffer.from('a\n'.repeat(9)), 4), 5, 'and stops once there are too many')
})
