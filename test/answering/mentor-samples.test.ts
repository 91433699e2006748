/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { trainingSamples } from '../../src/answering/mentor-samples.ts'
import { answer } from '../mentor/mentors.ts'

test('trainingSamples() sanitizes the question and each paraphrase and labels them with the answer', () => {
  const samples = trainingSamples([
    answer('a', 'Who are you?', { question: { paraphrases: ["What's your name?"] } }),
    answer('b', 'Why?', { question: { paraphrases: null } })
  ])
  assert.deepEqual(samples.texts, ['who are you', 'whats your name', 'why'])
  assert.deepEqual([...samples.labels], [0, 0, 1])
  assert.deepEqual(samples.answerIds, ['a', 'b'])
})

test('trainingSamples() keeps duplicates, as the reference does, and gives them one group', () => {
  const samples = trainingSamples([
    answer('a', 'Why?', { question: { paraphrases: ['why', 'How?'] } }),
    answer('b', 'WHY')
  ])
  assert.deepEqual(samples.texts, ['why', 'why', 'how', 'why'])
  assert.deepEqual([...samples.groups], [0, 0, 1, 0])
  assert.deepEqual([...samples.labels], [0, 0, 0, 1])
})

test('trainingSamples() leaves out what nothing is left of, and an answer with nothing else', () => {
  const samples = trainingSamples([
    answer('a', '😀', { question: { paraphrases: ['???'] } }),
    answer('b', '👍🏽', { question: { paraphrases: ['bye'] } })
  ])
  assert.deepEqual(samples.texts, ['bye'])
  assert.deepEqual(samples.answerIds, ['b'])
  assert.deepEqual([...samples.labels], [0])
})

test('trainingSamples() trains on texts of every script', () => {
  const samples = trainingSamples([
    answer('a', '你住在哪里？', { question: { paraphrases: ['Wo ist der Müll?'] } }),
    answer('b', 'आप कौन हैं?')
  ])
  assert.deepEqual(samples.texts, ['你住在哪里', 'wo ist der müll', 'आप कौन हैं'])
  assert.deepEqual(samples.answerIds, ['a', 'b'])
})

test('trainingSamples() leaves accents out for ridge, whose numbers are those of the reference', () => {
  const samples = trainingSamples([answer('a', 'Wo ist der Müll?'), answer('b', 'Où ça ?')], ['Déjà vu'], 'ridge')
  assert.deepEqual(samples.texts, ['wo ist der mll', 'o a '])
  assert.deepEqual(samples.offTopicTexts, ['dj vu'])
})

test('trainingSamples() takes questions that no answer fits, each once, unless they are also a phrase of an answer', () => {
  const { offTopicTexts } = trainingSamples(
    [answer('a', 'Why?')],
    ['What is lasagne?', 'what is LASAGNE', 'why', '???']
  )
  assert.deepEqual(offTopicTexts, ['what is lasagne'])
})

test('trainingSamples() of no answers is empty', () => {
  const samples = trainingSamples([])
  assert.deepEqual([samples.texts, samples.answerIds, samples.labels.length, samples.groups.length], [[], [], 0, 0])
})
