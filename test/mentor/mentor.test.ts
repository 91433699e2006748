/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Value } from 'typebox/value'
import { countsAsAnswer, Mentor, repertoireOf } from '../../src/mentor/mentor.ts'
import { answer, listed, utterance } from './mentors.ts'

const media = { type: 'video', tag: 'web', url: 'https://media.example/a.mp4' }

test('countsAsAnswer() leaves out INCOMPLETE and SKIP, however complete they look', () => {
  for (const mentorType of ['VIDEO', 'CHAT']) {
    for (const status of ['INCOMPLETE', 'SKIP']) {
      const one = answer('a', 'Who?', { status, webMedia: media, mobileMedia: media })
      assert.equal(countsAsAnswer(one, mentorType), false, `${mentorType} ${status}`)
    }
  }
})

test('countsAsAnswer() takes COMPLETE, and an answer without status, as they are', () => {
  assert.ok(countsAsAnswer(answer('a', 'Who?', { transcript: '' }), 'VIDEO'))
  const { status: _, ...unmarked } = answer('a', 'Who?')
  assert.ok(countsAsAnswer(unmarked, 'VIDEO'))
})

const none = { status: 'NONE', transcript: 'I am.', webMedia: media, mobileMedia: media }
const NONE_CASES: readonly [string, boolean, Parameters<typeof answer>[2], string | null][] = [
  ['a VIDEO mentor with transcript and both videos', true, none, 'VIDEO'],
  ['a VIDEO mentor without transcript', false, { ...none, transcript: '' }, 'VIDEO'],
  ['a VIDEO mentor with a blank transcript', false, { ...none, transcript: ' \n' }, 'VIDEO'],
  ['a VIDEO mentor without web video', false, { ...none, webMedia: null }, 'VIDEO'],
  ['a VIDEO mentor without mobile video', false, { ...none, mobileMedia: { ...media, url: '' } }, 'VIDEO'],
  [
    '_IDLE_ of a VIDEO mentor without transcript',
    true,
    { ...none, transcript: null, question: { name: '_IDLE_' } },
    'VIDEO'
  ],
  ['_IDLE_ of a VIDEO mentor without videos', false, { status: 'NONE', question: { name: '_IDLE_' } }, 'VIDEO'],
  ['a CHAT mentor with a transcript', true, { status: 'NONE' }, 'CHAT'],
  ['a CHAT mentor without', false, { status: 'NONE', transcript: null }, 'CHAT'],
  [
    '_IDLE_ of a CHAT mentor without',
    false,
    { status: 'NONE', transcript: null, question: { name: '_IDLE_' } },
    'CHAT'
  ],
  ['a mentor of no known type', false, none, null]
]
for (const [name, wanted, more, mentorType] of NONE_CASES) {
  test(`countsAsAnswer() of NONE, ${name}: ${wanted}`, () => {
    assert.equal(countsAsAnswer(answer('a', 'Who?', more), mentorType), wanted)
  })
}

test('repertoireOf() keeps utterances by name and apart from what is trained on', () => {
  const repertoire = repertoireOf({
    answers: [
      answer('a', 'Who?'),
      utterance('u1', '_OFF_TOPIC_'),
      utterance('u2', '_OFF_TOPIC_'),
      utterance('i', '_IDLE_')
    ]
  })
  assert.deepEqual(
    repertoire.answers.map((one) => one._id),
    ['a']
  )
  assert.deepEqual(
    repertoire.utterances.get('_OFF_TOPIC_')?.map((one) => one._id),
    ['u1', 'u2']
  )
  assert.deepEqual(
    repertoire.utterances.get('_IDLE_')?.map((one) => one._id),
    ['i']
  )
})

test('repertoireOf() lets match what is listed or orphaned, and trains on all', () => {
  const [a, b, c] = [answer('a', 'One?'), answer('b', 'Two?'), answer('c', 'Three?')]
  const repertoire = repertoireOf({ questions: listed(a), answers: [a, b], orphanedCompleteAnswers: [c] })
  assert.deepEqual(
    repertoire.answers.map((one) => one._id),
    ['a', 'b', 'c']
  )
  assert.deepEqual(
    repertoire.matchable.map((one) => one._id),
    ['a', 'c']
  )
})

test('repertoireOf() takes an id once, and the rules hold for orphaned answers too', () => {
  const repertoire = repertoireOf({
    answers: [answer('a', 'One?')],
    orphanedCompleteAnswers: [answer('a', 'Another?'), answer('b', 'Two?', { status: 'SKIP' })]
  })
  assert.deepEqual(
    repertoire.answers.map((one) => one.question.question),
    ['One?']
  )
})

test('repertoireOf() of nothing is empty', () => {
  const repertoire = repertoireOf({ answers: null })
  assert.deepEqual([repertoire.answers, repertoire.matchable, repertoire.utterances.size], [[], [], 0])
})

test('Mentor takes nulls of GraphQL and fields it does not know, and refuses an answer without ids', () => {
  const full = { mentorType: 'VIDEO', name: null, extra: 1, answers: [{ ...answer('a', 'Who?'), webMedia: null }] }
  assert.ok(Value.Check(Mentor, full))
  assert.ok(!Value.Check(Mentor, { answers: [{ ...answer('a', 'Who?'), _id: '' }] }))
  assert.ok(!Value.Check(Mentor, { answers: [{ _id: 'a' }] }))
  assert.ok(!Value.Check(Mentor, { answers: 'none' }))
})
