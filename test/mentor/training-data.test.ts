/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { ServiceError } from '../../src/errors.ts'
import type { Mentor } from '../../src/mentor/mentor.ts'
import { withTrainingData } from '../../src/mentor/sheet-merge.ts'
import {
  MAX_QUESTIONS,
  readTrainingData,
  questionSheetOf,
  trainingDataOf,
  writeTrainingData
} from '../../src/mentor/training-data.ts'
import { answer, listed, utterance } from './mentors.ts'

const HEADER = 'id,question,paraphrases,answer,topic\n'

test('readTrainingData() reads quoted cells, lists and line breaks', () => {
  const { rows, problems } = readTrainingData(
    `${HEADER}a1,"Who, you?","Your name? | Say ""who""","Me.\nReally.",About me|Names\n`
  )
  assert.deepEqual(problems, [])
  assert.deepEqual(rows, [
    {
      id: 'a1',
      question: 'Who, you?',
      paraphrases: ['Your name?', 'Say "who"'],
      answer: 'Me.\nReally.',
      topics: ['About me', 'Names']
    }
  ])
})

test('readTrainingData() takes columns in any order, some left out, with a byte order mark and CR LF', () => {
  const { rows } = readTrainingData('\ufeffAnswer,Question\r\nBecause.,Why?\r\n')
  assert.equal(rows.length, 1)
  assert.deepEqual(
    { ...rows[0], id: '' },
    { id: '', question: 'Why?', paraphrases: [], answer: 'Because.', topics: [] }
  )
})

test('readTrainingData() takes NA without quotes as missing where texts have quotes, as R writes them', () => {
  const written = [
    '"","id","question","paraphrases","answer","topic"',
    '"1",NA,"What does not available abbreviate to?","NA","NA",NA',
    '"2",NA,"Two?",NA,"Second.","Numbers"',
    '"3","c",NA,"Third?","Third.",NA',
    '"4","d","Four?",NA,NA,NA'
  ].join('\n')
  const { rows, problems } = readTrainingData(written)
  assert.deepEqual(
    rows.map((row) => [row.paraphrases, row.answer, row.topics]),
    [
      [['NA'], 'NA', []],
      [[], 'Second.', ['Numbers']]
    ]
  )
  assert.equal(new Set(rows.map(({ id }) => id)).size, 2)
  assert.deepEqual(problems, [
    { line: 4, message: 'no question' },
    { line: 5, message: 'no answer' }
  ])
  // Where texts need no quotes, NA may be one.
  const [plain] = readTrainingData('id,question,paraphrases,answer\na,"What, again?",NA,One.').rows
  assert.deepEqual(plain?.paraphrases, ['NA'])
})

test('readTrainingData() makes the same id of the same question each time', () => {
  const csv = 'question,answer\nWhy?,Because.\nHow?,So.\n'
  const ids = readTrainingData(csv).rows.map((row) => row.id)
  assert.match(ids[0]!, /^[0-9a-f]{24}$/)
  assert.notEqual(ids[0], ids[1])
  assert.deepEqual(
    readTrainingData(csv).rows.map((row) => row.id),
    ids
  )
})

test('readTrainingData() tells each bad line by its number and keeps the good ones', () => {
  const { rows, problems } = readTrainingData(
    HEADER +
      'a,Who?,,"Two\nlines",\n' + // lines 2 and 3
      'b,,,No question.,\n' +
      'c,Why?,,,\n' +
      'a,How?,,Again.,\n' +
      'd,Too few\n' +
      '\n' +
      'e,😀,?!,Hello.,\n' +
      'f,Where?,,Here.,\n'
  )
  assert.deepEqual(
    rows.map((row) => row.id),
    ['a', 'f']
  )
  assert.deepEqual(problems, [
    { line: 4, message: 'no question' },
    { line: 5, message: 'no answer' },
    { line: 6, message: 'the same id as line 2' },
    { line: 7, message: 'no answer' },
    { line: 9, message: 'no question with a letter or digit, which is all that training keeps' }
  ])
})

test('readTrainingData() tells an id made twice from the same question', () => {
  const { problems } = readTrainingData('question,answer\nWhy?,Because.\nWhy?,So.\n')
  assert.deepEqual(problems, [{ line: 3, message: 'the same id as line 2' }])
})

function refusal(csv: string): ServiceError {
  try {
    readTrainingData(csv)
  } catch (error) {
    if (error instanceof ServiceError) return error
    throw error
  }
  return assert.fail('nothing was refused')
}

test('readTrainingData() refuses a file without the columns it needs, and names them', () => {
  for (const csv of ['', 'id,text\n1,Why?\n']) {
    assert.deepEqual(refusal(csv).fields, { question: ['required field'], answer: ['required field'] })
  }
  assert.match(refusal('question,answer,question\n').message, /names question twice/)
})

test('readTrainingData() refuses broken quotes with the line, and does not quote the text', () => {
  const error = refusal(`${HEADER}a,Who?,,Me.,\nb,"my secret" x,,Me.,\n`)
  assert.equal(error.code, 'INVALID_REQUEST')
  assert.match(error.message, /line 3 is not CSV/)
  assert.ok(!error.message.includes('secret'))
})

test('readTrainingData() refuses more questions than a mentor may have', () => {
  const line = 'q,a\n'
  assert.equal(refusal(`question,answer\n${line.repeat(MAX_QUESTIONS + 1)}`).code, 'PAYLOAD_TOO_LARGE')
  assert.equal(readTrainingData(`question,answer\n${line.repeat(MAX_QUESTIONS)}`).rows.length, 1)
})

const text = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 12 })
  .map((value) => value.replaceAll('\ufeff', '').trim())
  .filter((value) => value !== '')
const tricky = fc.array(fc.constantFrom('\\', '|', '"', ',', '\n', '\r', ' ', 'a', "'"), { minLength: 1, maxLength: 8 })
const cell = fc.oneof(
  text,
  tricky.map((parts) => parts.join('').trim()).filter((value) => value !== '')
)
const row = fc.record(
  {
    id: cell,
    question: cell.map((value) => `q ${value}`),
    paraphrases: fc.array(cell, { maxLength: 4 }),
    answer: cell,
    topics: fc.array(cell, { maxLength: 3 })
  },
  { noNullPrototype: true }
)

test('readTrainingData() reads back whatever writeTrainingData() wrote', () => {
  const rows = fc.uniqueArray(row, { selector: (one) => one.id, maxLength: 6 })
  fc.assert(
    fc.property(rows, (written) => {
      const { rows: read, problems } = readTrainingData(writeTrainingData(written))
      assert.deepEqual({ read, problems }, { read: written, problems: [] })
    }),
    { numRuns: 500 }
  )
})

const video: Mentor = {
  mentorType: 'VIDEO',
  name: 'Ada',
  topics: [{ name: 'Life' }],
  questions: [{ question: { _id: 'q-a' }, topics: [{ name: 'Life' }, { name: 'Work' }] }],
  answers: [
    answer('a', 'Who are you?', {
      markdownTranscript: '**Answer a.**',
      webMedia: { type: 'video', tag: 'web', url: 'https://media.example/a.mp4' },
      question: { paraphrases: ['Your name?'] }
    }),
    answer('off', 'Skipped?', { status: 'SKIP' }),
    utterance('u', '_OFF_TOPIC_')
  ],
  orphanedCompleteAnswers: [answer('o', 'Orphan?')]
}

test('trainingDataOf() gives what counts, with the topics of the question, and utterances by name', () => {
  assert.deepEqual(
    trainingDataOf(video).map(({ id, question, topics }) => [id, question, topics]),
    [
      ['a', 'Who are you?', ['Life', 'Work']],
      ['o', 'Orphan?', []],
      ['u', '_OFF_TOPIC_', []]
    ]
  )
})

/** All answers by id, with what may be absent or null as null. */
function byId(mentor: Mentor) {
  const answers = [...(mentor.answers ?? []), ...(mentor.orphanedCompleteAnswers ?? [])]
  return Object.fromEntries(
    answers.map((one) => [
      one._id,
      {
        ...one,
        markdownTranscript: one.markdownTranscript ?? null,
        question: { ...one.question, name: one.question.name ?? null }
      }
    ])
  )
}

test('withTrainingData() of the training data as it was changes nothing', () => {
  const rows = readTrainingData(writeTrainingData(trainingDataOf(video))).rows
  const after = withTrainingData(video, rows)
  assert.deepEqual(byId(after), byId(video))
  assert.deepEqual(after.questions, video.questions)
  assert.deepEqual(
    after.orphanedCompleteAnswers?.map((one) => one._id),
    ['o']
  )
  assert.deepEqual([after.name, after.mentorType, after.topics], [video.name, video.mentorType, video.topics])
})

test('questionSheetOf() gives each question once, by its id, in the order of answers; put back it changes nothing', () => {
  const twice = answer('u2', '_OFF_TOPIC_')
  const mentor: Mentor = {
    ...video,
    answers: [
      utterance('u', '_OFF_TOPIC_'),
      ...(video.answers ?? []).filter(({ _id }) => _id !== 'u'),
      { ...twice, question: utterance('u', '_OFF_TOPIC_').question },
      answer('b', 'Where?')
    ]
  }
  const rows = questionSheetOf(mentor)
  assert.deepEqual(
    rows.map((one) => [one.id, one.question, one.topics, one.answer]),
    [
      ['q-u', '_OFF_TOPIC_', [], 'Answer u.'],
      ['q-a', 'Who are you?', ['Life', 'Work'], 'Answer a.'],
      ['q-b', 'Where?', [], 'Answer b.'],
      ['q-o', 'Orphan?', [], 'Answer o.']
    ]
  )
  const after = withTrainingData(mentor, readTrainingData(writeTrainingData(rows)).rows)
  assert.deepEqual(byId(after), byId(mentor))
  assert.deepEqual(
    questionSheetOf(after).map(({ id }) => id),
    ['q-u', 'q-a', 'q-b', 'q-o']
  )
  const changed = withTrainingData(
    mentor,
    rows.filter(({ id }) => id !== 'q-b').map((one) => ({ ...one, paraphrases: ['New?'] }))
  )
  assert.equal(byId(changed)['b'], undefined)
  assert.deepEqual(byId(changed)['u2']?.question.paraphrases, ['New?'], 'of the other answer to the question too')
  const fresh = withTrainingData(undefined, rows)
  assert.deepEqual(
    new Set(trainingDataOf(fresh).map(({ id }) => id)),
    new Set(rows.map(({ id }) => id)),
    'where there was no such mentor the sheet is all that is known'
  )
})

test('withTrainingData() changes texts and topics, adds and takes away answers, and keeps media', () => {
  const after = withTrainingData(video, [
    { id: 'a', question: 'Who is it?', paraphrases: [], answer: 'Ada.', topics: ['Names'] },
    { id: 'new', question: 'Since when?', paraphrases: ['When?'], answer: 'Today.', topics: [] }
  ])
  assert.deepEqual(
    after.answers?.map((one) => [one._id, one.question.question, one.transcript]),
    [
      ['a', 'Who is it?', 'Ada.'],
      ['new', 'Since when?', 'Today.'],
      ['off', 'Skipped?', 'Answer off.']
    ]
  )
  assert.equal(after.answers?.[0]?.webMedia?.url, 'https://media.example/a.mp4')
  assert.equal(after.answers?.[0]?.markdownTranscript, null, 'rich text of the former transcript')
  assert.deepEqual(after.orphanedCompleteAnswers, [])
  assert.deepEqual(
    after.questions?.map((entry) => [entry.question._id, entry.topics]),
    [
      ['q-a', [{ name: 'Names' }]],
      ['q-new', []]
    ]
  )
})

test('withTrainingData() makes a CHAT mentor of a table alone, and back again', () => {
  const { rows } = readTrainingData(`${HEADER}a,Who?,Your name?,Me.,Names\nu,_OFF_TOPIC_,,Ask me another.,\n`)
  const mentor = withTrainingData(undefined, rows)
  assert.equal(mentor.mentorType, 'CHAT')
  assert.deepEqual(trainingDataOf(mentor), rows)
  assert.deepEqual(withTrainingData(mentor, trainingDataOf(mentor)), mentor)
  assert.deepEqual(
    mentor.questions?.map((entry) => entry.question._id),
    listed(mentor.answers![0]!).map((entry) => entry.question._id)
  )
})
