/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MatchIndex } from '../../src/mentor/match-index.ts'
import { repertoireOf } from '../../src/mentor/mentor.ts'
import { answer, listed } from './mentors.ts'

const who = answer('who', 'Who are you?', { question: { paraphrases: ["What's your name?", 'Where were you born?'] } })
const where = answer('where', 'Where were you born?', { question: { paraphrases: ['Your name, please', '😀'] } })
const unlisted = answer('unlisted', 'Why?')
const repertoire = repertoireOf({ questions: listed(who, where), answers: [who, where, unlisted] })

function found(index: MatchIndex, question: string) {
  const match = index.find(question)
  return match && [match.answer._id, match.type]
}

test("MatchIndex finds a question's own text as EXACT, whatever its case, marks and outer spaces", () => {
  const index = new MatchIndex(repertoire)
  assert.deepEqual(found(index, ' WHO are you?! '), ['who', 'EXACT'])
})

test('MatchIndex finds a paraphrase as PARAPHRASE', () => {
  assert.deepEqual(found(new MatchIndex(repertoire), 'whats your name'), ['who', 'PARAPHRASE'])
})

test("MatchIndex prefers a question's own text to another's paraphrase that comes before it", () => {
  assert.deepEqual(found(new MatchIndex(repertoire), 'where were you born'), ['where', 'EXACT'])
})

test('MatchIndex prefers a graded user question to both', () => {
  const index = new MatchIndex(repertoire, [
    { question: 'Where were you born', answer: who },
    { question: 'And you are?', answer: who }
  ])
  assert.deepEqual(found(index, 'Where were you born?'), ['who', 'PARAPHRASE'])
  assert.deepEqual(found(index, 'and you are'), ['who', 'PARAPHRASE'])
  assert.deepEqual(found(index, 'who are you'), ['who', 'EXACT'])
})

test('MatchIndex calls a graded question EXACT when it is the own text of the answer named', () => {
  const index = new MatchIndex(repertoire, [{ question: 'who are you?', answer: who }])
  assert.deepEqual(found(index, 'Who are you?'), ['who', 'EXACT'])
})

test('MatchIndex leaves out questions that are not listed, graded ones of theirs too', () => {
  const index = new MatchIndex(repertoire, [{ question: 'How come?', answer: unlisted }])
  assert.equal(found(index, 'Why?'), undefined)
  assert.equal(found(index, 'How come?'), undefined)
})

test('MatchIndex lets an orphaned question match', () => {
  const index = new MatchIndex(repertoireOf({ orphanedCompleteAnswers: [unlisted] }))
  assert.deepEqual(found(index, 'why'), ['unlisted', 'EXACT'])
})

test('MatchIndex takes the first of two answers with the same question', () => {
  const twin = answer('twin', 'who are you')
  const index = new MatchIndex(repertoireOf({ questions: listed(twin, who), answers: [twin, who] }))
  assert.deepEqual(found(index, 'Who are you?'), ['twin', 'EXACT'])
})

test('MatchIndex gives no answer to what nothing is left of', () => {
  const index = new MatchIndex(repertoire)
  assert.equal(found(index, '👋'), undefined)
  assert.equal(found(index, '?!'), undefined)
  assert.equal(found(index, ''), undefined)
})

test('MatchIndex tells questions of other scripts apart, also where their ASCII letters are the same', () => {
  const home = answer('home', 'आप कहाँ रहते हैं?', { question: { paraphrases: ['Wo ist der Müll?'] } })
  const phone = answer('phone', 'आपका iPhone कहाँ है?', { question: { paraphrases: ['你的 AI 是什么？'] } })
  const index = new MatchIndex(repertoireOf({ questions: listed(home, phone), answers: [home, phone] }))
  assert.deepEqual(found(index, 'आप कहाँ रहते हैं'), ['home', 'EXACT'])
  assert.deepEqual(found(index, 'WO IST DER MÜLL'), ['home', 'PARAPHRASE'])
  assert.deepEqual(found(index, 'आपका iphone कहाँ है'), ['phone', 'EXACT'])
  for (const other of ['आपका iPhone कैसा है?', 'iPhone', ' iphone  ', 'AI', '我的 AI 坏了']) {
    assert.equal(found(index, other), undefined, other)
  }
})
