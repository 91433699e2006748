/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Mentor } from '../../web/src/mentors/mentor.ts'
import {
  addAnswer,
  addOffTopicUtterance,
  changeAnswer,
  leavePhraseTo,
  removeAnswer
} from '../../web/src/mentors/mentor-edits.ts'

const MENTOR: Mentor = {
  name: 'Sailor',
  questions: [{ question: { _id: 'q-home' } }, { question: { _id: 'q-work' } }],
  answers: [
    {
      _id: 'home',
      transcript: 'In a harbour town.',
      webMedia: { url: 'https://example.com/home.mp4' },
      question: { _id: 'q-home', question: 'Where do you live?', paraphrases: ['Where are you?', 'Which town?'] }
    },
    {
      _id: 'work',
      transcript: 'Boats.',
      question: { _id: 'q-work', question: 'Where are you?', paraphrases: ['Job?'] }
    }
  ]
}

function answerOf(mentor: Mentor, id: string) {
  const found = mentor.answers?.find(({ _id }) => _id === id)
  assert.ok(found)
  return found
}

test('leavePhraseTo() takes a phrase from the other answers, however it is written', () => {
  const edited = leavePhraseTo('where are YOU', 'work')(MENTOR)
  assert.deepEqual(answerOf(edited, 'home').question.paraphrases, ['Which town?'])
  assert.equal(answerOf(edited, 'work').question.question, 'Where are you?')
})

test('leavePhraseTo() tells phrases of other scripts apart', () => {
  const mentor: Mentor = {
    answers: [
      { _id: 'a', question: { _id: 'q-a', question: 'Где вы?', paraphrases: ['Кто вы?', 'Wo ist der Müll?'] } },
      { _id: 'b', question: { _id: 'q-b', question: 'КТО ВЫ', paraphrases: [] } }
    ]
  }
  const edited = leavePhraseTo('кто вы', 'b')(mentor)
  assert.deepEqual(answerOf(edited, 'a').question.paraphrases, ['Wo ist der Müll?'])
  assert.equal(answerOf(edited, 'a').question.question, 'Где вы?')
})

test('leavePhraseTo() puts a paraphrase in the place of a question that is taken', () => {
  const edited = leavePhraseTo('where are you', 'home')(MENTOR)
  assert.deepEqual(answerOf(edited, 'work').question, { _id: 'q-work', question: 'Job?', paraphrases: [] })
  assert.deepEqual(answerOf(edited, 'home'), answerOf(MENTOR, 'home'))
})

test('removeAnswer() takes the question along unless another answer is to it', () => {
  const edited = removeAnswer('work')(MENTOR)
  assert.deepEqual(
    edited.answers?.map(({ _id }) => _id),
    ['home']
  )
  assert.deepEqual(edited.questions, [{ question: { _id: 'q-home' } }])
})

test('changeAnswer() changes texts alone, and drops rich text that would say something else', () => {
  const rich = { ...MENTOR, answers: MENTOR.answers!.map((answer) => ({ ...answer, markdownTranscript: '**rich**' })) }
  const kept = { question: 'Home?', paraphrases: ['Town?'], answer: 'In a harbour town.' }
  assert.deepEqual(answerOf(changeAnswer('home', kept)(rich), 'home'), {
    ...answerOf(rich, 'home'),
    question: { _id: 'q-home', question: 'Home?', paraphrases: ['Town?'] }
  })
  const changed = answerOf(changeAnswer('home', { ...kept, answer: 'Elsewhere.' })(rich), 'home')
  assert.equal(changed.transcript, 'Elsewhere.')
  assert.equal('markdownTranscript' in changed && changed.markdownTranscript, null)
})

test('addAnswer() lists its question, so that its words match; addOffTopicUtterance() does not', () => {
  const edited = addAnswer('new', { question: 'Pets?', paraphrases: [], answer: 'A dog.' })(MENTOR)
  assert.ok(edited.questions?.some(({ question }) => question._id === answerOf(edited, 'new').question._id))
  const uttering = addOffTopicUtterance('say', 'No idea.')(MENTOR)
  assert.equal(answerOf(uttering, 'say').question.name, '_OFF_TOPIC_')
  assert.deepEqual(uttering.questions, MENTOR.questions)
})
