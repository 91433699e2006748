/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { MentorUpload } from '../../src/mentor/mentor-upload.ts'
import { createUploadReader } from '../../src/mentor/read-upload.ts'
import { ReadingLine } from '../../src/reading/reading-line.ts'

const LINE = new ReadingLine({ maxWaitingBodies: 4, maxWaitingOfCaller: 4, readingMemoryBytes: 268_435_456 })
const READER = { callerKey: 'caller-1' }

function tableOf(rowCount: number): MentorUpload {
  const rows = Array.from({ length: rowCount }, (_, i) => `a${i},What is ${i}?,${'word '.repeat(100)}`)
  return { format: 'csv', bytes: new TextEncoder().encode(['id,question,answer', ...rows].join('\n')) }
}

test('createUploadReader(): the event loop turns while a large upload is read, and not for a small one', async () => {
  const read = createUploadReader(LINE, {})
  const turnsOf = async (upload: MentorUpload): Promise<number> => {
    const reading = read(upload, READER)
    let turnCount = 0
    while ((await Promise.race([reading, nextTurn()])) === undefined) turnCount += 1
    assert.equal((await reading).summary.problems.length, 0)
    return turnCount
  }
  const large = await turnsOf(tableOf(5000))
  assert(large > 100, `${large} turns`)
  assert.equal(await turnsOf(tableOf(10)), 0)
})

test('createUploadReader(): one large upload that is none does not keep the next from being read', async () => {
  const read = createUploadReader(LINE, {})
  const { bytes } = tableOf(5000)
  const other = bytes.slice()
  const broken = read({ format: 'json', bytes }, READER)
  const good = read({ format: 'csv', bytes: other }, READER)
  await assert.rejects(broken, { code: 'INVALID_REQUEST', message: /^Cannot read the body: it is not JSON: line 1/ })
  assert.equal((await good).summary.answerCount, 5000)
})
