/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Mentor, MentorAnswer } from '../../src/mentor/mentor.ts'
import { mergeSheet } from '../../src/mentor/sheet-merge.ts'
import { questionSheetOf, readTrainingData, trainingDataOf, writeTrainingData } from '../../src/mentor/training-data.ts'
import { csvLine } from '../../src/table/csv-line.ts'
import { answer, listed } from './mentors.ts'

/** Video, markdown and ids of the platform's form. */
const MEDIA = {
  markdownTranscript: '**Answer.**',
  webMedia: { type: 'video', tag: 'web', url: 'https://media.example/web.mp4' },
  mobileMedia: { type: 'video', tag: 'mobile', url: 'https://media.example/mobile.mp4' },
  vttMedia: { type: 'subtitles', tag: 'en', url: 'https://media.example/en.vtt' },
  externalVideoIds: { wistiaId: 'w1' }
}

/**
 * The sheet as the service wrote it that this one takes the place of: every answer, also those that do not count; each question
 * once, where it came first and as it came last; the text of an utterance, not its name; lists joined without escapes.
 */
function originalSheetOf(mentor: Mentor): string {
  const rows = new Map<string, { cells: string[]; topics: string[] }>()
  for (const { transcript, question } of [...(mentor.answers ?? []), ...(mentor.orphanedCompleteAnswers ?? [])]) {
    const cells = [question._id, question.question, (question.paraphrases ?? []).join('|'), transcript ?? '']
    rows.set(question._id, { cells, topics: [] })
  }
  for (const { question, topics } of mentor.questions ?? []) {
    rows.get(question._id)?.topics.push(...(topics ?? []).map(({ name }) => name))
  }
  const lines = [...rows.values()].map(({ cells, topics }) => [...cells, topics.join('|')])
  return [['id', 'question', 'paraphrases', 'answer', 'topic'], ...lines].map(csvLine).join('').replaceAll('\0', '')
}

const SHEETS: Readonly<Record<string, (mentor: Mentor) => string>> = {
  'of answers': (mentor) => writeTrainingData(trainingDataOf(mentor)),
  'of questions': (mentor) => writeTrainingData(questionSheetOf(mentor)),
  'of the original': originalSheetOf
}

const absentOr = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 4 })
const word = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('Who are you?', 'Why?', 'How, then?', 'And "now"?', 'a|b', ' spaced ') },
  { weight: 1, arbitrary: fc.constantFrom('', ' ', '你好', 'a\\', '\\|', '_NAME_', 'line\nbreak', '\u{d800}x') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) }
)
const media = fc.constantFrom(null, MEDIA.webMedia, { ...MEDIA.mobileMedia, transparentVideoUrl: null })
const someAnswer: fc.Arbitrary<MentorAnswer> = fc.record(
  {
    _id: fc.constantFrom('a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', ' a1', 'q1', 'q2'),
    status: absentOr(fc.constantFrom('COMPLETE', 'COMPLETE', 'COMPLETE', 'NONE', 'SKIP', 'INCOMPLETE')),
    transcript: absentOr(word),
    markdownTranscript: absentOr(word),
    webMedia: media,
    mobileMedia: media,
    externalVideoIds: fc.constantFrom(null, MEDIA.externalVideoIds),
    question: fc.record(
      {
        _id: fc.constantFrom('q1', 'q2', 'q3', 'q4', 'q5', 'q6', 'q7', 'q1 ', 'a1'),
        question: word,
        type: absentOr(fc.constantFrom('QUESTION', 'QUESTION', 'UTTERANCE')),
        name: absentOr(fc.constantFrom('_IDLE_', '_OFF_TOPIC_', 'odd', '')),
        paraphrases: absentOr(fc.array(word, { maxLength: 3 }))
      },
      { requiredKeys: ['_id', 'question'] }
    )
  },
  { requiredKeys: ['_id', 'question'] }
)
const someEntry = fc.record({
  question: fc.record({ _id: fc.constantFrom('q1', 'q2', 'q3', 'q4', 'q8', 'a1') }),
  topics: absentOr(
    fc.array(
      word.map((name) => ({ name })),
      { maxLength: 3 }
    )
  )
})
const someMentor: fc.Arbitrary<Mentor> = fc.record(
  {
    name: fc.constant('Ada'),
    mentorType: fc.constantFrom('VIDEO', 'CHAT', null),
    questions: absentOr(fc.array(someEntry, { maxLength: 6 })),
    answers: absentOr(fc.array(someAnswer, { maxLength: 6 })),
    orphanedCompleteAnswers: absentOr(fc.array(someAnswer, { maxLength: 2 }))
  },
  { noNullPrototype: true, requiredKeys: ['name'] }
)

for (const [name, sheetOf] of Object.entries(SHEETS)) {
  test(`mergeSheet() of the sheet ${name}, as it was, gives any mentor as it was`, () => {
    fc.assert(
      fc.property(someMentor, (mentor) => {
        const bytes = new TextEncoder().encode(sheetOf(mentor))
        assert.deepEqual(mergeSheet(mentor, readTrainingData(bytes)).mentor, mentor)
      }),
      { numRuns: 3000 }
    )
  })
}

/** As the platform has it: two answers to one question, utterances with texts of their own, one that was never finished. */
const PLATFORM: Mentor = {
  name: 'Ada',
  mentorType: 'VIDEO',
  questions: [
    { question: { _id: 'q-a' }, topics: [{ name: 'Life' }] },
    { question: { _id: 'q-u' }, topics: [] },
    { question: { _id: 'q-never' }, topics: [{ name: 'Later' }] }
  ],
  answers: [
    utteranceOf('u', '_OFF_TOPIC_', 'Say that you do not know.'),
    { ...answer('a', 'Who are you?', { ...MEDIA, question: { paraphrases: ['Your name?', 'a|b'] } }) },
    { ...answer('open', 'Why?'), status: 'INCOMPLETE', transcript: null },
    utteranceOf('i', '_IDLE_', 'Sit still for ten seconds.', ''),
    { ...answer('silent', 'What did you show?', MEDIA), transcript: '' }
  ],
  orphanedCompleteAnswers: [answer('o', 'Orphan?', MEDIA)]
}

function utteranceOf(id: string, name: string, question: string, transcript = `Answer ${id}.`): MentorAnswer {
  return { ...answer(id, question, { ...MEDIA, question: { type: 'UTTERANCE', name } }), transcript }
}

function answersById({ answers, orphanedCompleteAnswers }: Mentor) {
  return new Map([...(answers ?? []), ...(orphanedCompleteAnswers ?? [])].map((one) => [one._id, one]))
}

for (const [name, sheetOf] of Object.entries(SHEETS)) {
  test(`mergeSheet() of the sheet ${name}: an edit changes what it says, and no video is lost`, () => {
    const sheet = sheetOf(PLATFORM).replace('Who are you?', 'Who is it?').replace('Answer o.', 'Another.')
    const { mentor, problems } = mergeSheet(PLATFORM, readTrainingData(sheet))
    assert.deepEqual(problems, [])
    const [before, after] = [answersById(PLATFORM), answersById(mentor)]
    assert.deepEqual([...after.keys()], [...before.keys()])
    const a = before.get('a')!
    assert.deepEqual(after.get('a'), { ...a, question: { ...a.question, question: 'Who is it?' } })
    assert.deepEqual(after.get('o'), { ...before.get('o'), transcript: 'Another.', markdownTranscript: null })
    for (const id of ['u', 'i', 'open', 'silent']) assert.equal(after.get(id), before.get(id), id)
    assert.equal(mentor.questions, PLATFORM.questions, 'also what nobody has answered yet')
  })
}

test('mergeSheet() takes other texts of utterances for what they are in each sheet', () => {
  const merged = (sheet: string) => {
    const { question } = answersById(mergeSheet(PLATFORM, readTrainingData(sheet)).mentor).get('u')!
    return [question.type, question.name, question.question]
  }
  const original = originalSheetOf(PLATFORM)
  const own = SHEETS['of answers']!(PLATFORM)
  assert.deepEqual(merged(original.replace('Say that you', 'Say you')), [
    'UTTERANCE',
    '_OFF_TOPIC_',
    'Say you do not know.'
  ])
  assert.deepEqual(merged(own.replace('_OFF_TOPIC_', '_REPEAT_')), [
    'UTTERANCE',
    '_REPEAT_',
    'Say that you do not know.'
  ])
  assert.deepEqual(merged(own.replace('_OFF_TOPIC_', 'Are you there?')), ['QUESTION', '_OFF_TOPIC_', 'Are you there?'])
})

test('mergeSheet(): a line that is left out leaves its answer as it was, and is told', () => {
  const sheet =
    'id,question,paraphrases,answer,topic\na,,,Me.,\nu,_OFF_TOPIC_,,\nnew,Where?,,,\no,Orphan?,,Answer o.,\no,Who?,,Me.,\n'
  const { mentor, problems } = mergeSheet(PLATFORM, readTrainingData(sheet))
  assert.deepEqual(problems, [
    { line: 2, message: 'no question' },
    { line: 3, message: 'no answer' },
    { line: 4, message: 'no answer' },
    { line: 6, message: 'the same id as line 5' }
  ])
  const [before, after] = [answersById(PLATFORM), answersById(mentor)]
  assert.deepEqual([...after.keys()], ['u', 'a', 'open', 'o'])
  for (const id of after.keys()) assert.equal(after.get(id), before.get(id), id)
})

test('mergeSheet(): an answer without words is edited without one', () => {
  const sheet = SHEETS['of answers']!(PLATFORM).replace(
    'silent,What did you show?,',
    'silent,What did you show?,Which tool?'
  )
  const { mentor, problems } = mergeSheet(PLATFORM, readTrainingData(sheet))
  assert.deepEqual(problems, [])
  const silent = answersById(mentor).get('silent')!
  assert.deepEqual([silent.question.paraphrases, silent.webMedia], [['Which tool?'], MEDIA.webMedia])
})

test('mergeSheet(): two rows of one answer, by its id and its question’s, are told', () => {
  const { rows, lines, refused } = readTrainingData('id,question,answer\na,Who?,Me.\nq-a,Who?,Me.\n')
  const { mentor, problems } = mergeSheet({ answers: [answer('a', 'Who?')] }, { rows, lines, refused })
  assert.deepEqual(problems, [{ line: 3, message: 'the same answer as line 2' }])
  assert.equal(mentor.answers?.length, 1)
})

test('mergeSheet() takes an answer away with its question, puts new ones after the row before, and lists them', () => {
  const mentor: Mentor = {
    ...PLATFORM,
    questions: [...(PLATFORM.questions ?? []), ...listed(answer('b', 'Where?'))],
    answers: [answer('b', 'Where?'), ...(PLATFORM.answers ?? [])]
  }
  const sheet = SHEETS['of answers']!(mentor)
    .replace('b,Where?,,Answer b.,\r\n', '')
    .replace('silent,', 'new,When?,,Now.,Time\r\nsilent,')
  const { mentor: after } = mergeSheet(mentor, readTrainingData(sheet))
  assert.deepEqual(
    after.answers?.map(({ _id }) => _id),
    ['u', 'a', 'new', 'open', 'i', 'silent']
  )
  assert.deepEqual(after.questions, [
    ...(PLATFORM.questions ?? []),
    { question: { _id: 'q-new' }, topics: [{ name: 'Time' }] }
  ])
})
