/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { readMentorUpload, type MentorUpload } from '../../src/mentor/mentor-upload.ts'
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

const MENTOR = {
  name: 'Noor',
  answers: [{ _id: 'a', status: 'COMPLETE', transcript: 'Me.', question: { _id: 'q', question: 'Who?' } }]
}

function readOne(format: 'csv' | 'json', body: string, before?: object) {
  const bytes = new TextEncoder().encode(body)
  const stored = before && { before: new TextEncoder().encode(JSON.stringify(before)) }
  return readMentorUpload({ format, bytes, ...stored }, {})
}

test('readMentorUpload() takes a mentor out of the reply that a GraphQL service gave', () => {
  for (const body of [{ data: { mentor: MENTOR } }, { mentor: MENTOR }, { data: MENTOR }, MENTOR]) {
    const { summary, mentor } = readOne('json', JSON.stringify(body))
    assert.deepEqual([summary.answerCount, mentor.name], [1, 'Noor'])
  }
})

test('readMentorUpload() refuses JSON that has nothing of a mentor, which would take all answers away', () => {
  const wanted =
    'Cannot read the mentor: a JSON object with one of ' +
    'name, mentorType, subjects, topics, questions, answers, orphanedCompleteAnswers is wanted'
  for (const body of [
    {},
    [MENTOR],
    { Answers: [] },
    { answers: null },
    { data: { mentor: null } },
    { data: [] },
    'x',
    null
  ]) {
    assert.throws(() => readOne('json', JSON.stringify(body)), { code: 'INVALID_REQUEST', message: wanted })
  }
  assert.equal(readOne('json', '{"answers":[]}').summary.answerCount, 0)
})

test('readMentorUpload() refuses a table without a good line, which would take all answers away', () => {
  const header = 'id,question,paraphrases,answer,topic'
  const noLine =
    'Cannot store the table: it has a header of 5 columns, and no line after it ' +
    '(curl --data takes line breaks away, --data-binary keeps them)'
  const badLines = 'Cannot store the table: no line of it can be taken: line 2: 6 cells, 5 wanted (and 1 more)'
  for (const before of [undefined, MENTOR]) {
    assert.throws(() => readOne('csv', `${header}\n`, before), { code: 'INVALID_REQUEST', message: noLine })
    assert.throws(() => readOne('csv', `${header}\na,Who, is it?,,Me.,t\nb,,,It.,\n`, before), {
      message: badLines,
      fields: { table: ['line 2: 6 cells, 5 wanted', 'line 3: no question'] }
    })
  }
  assert.throws(() => readOne('csv', `${header}a,Who?,,Me.,b,What?,,It.,`, MENTOR), /header of 12 columns, and no line/)
  assert.equal(readOne('csv', `${header}\n`, { name: 'New', answers: [] }).mentor.name, 'New')
})
