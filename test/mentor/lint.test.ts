/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lintRepertoire } from '../../src/mentor/lint.ts'
import { repertoireOf } from '../../src/mentor/mentor.ts'
import { answer, utterance } from './mentors.ts'

const phrases = (...paraphrases: string[]) => ({ question: { paraphrases } })
const offTopic = utterance('u', '_OFF_TOPIC_')

function lint(...answers: ReturnType<typeof answer>[]) {
  return lintRepertoire(repertoireOf({ answers }))
}

test('lintRepertoire() finds nothing in sound data', () => {
  const findings = lint(
    answer('a', 'One?', phrases('First?', 'Start?')),
    answer('b', 'Two?', phrases('Second?', 'Next?')),
    offTopic
  )
  assert.deepEqual(findings, [])
})

test('lintRepertoire() finds the same phrase under several answers, written differently', () => {
  const findings = lint(
    answer('a', 'One?', phrases('Start?', 'Go')),
    answer('b', 'START', phrases('Second?', 'Next?')),
    answer('c', 'Three', phrases('start', 'Last')),
    offTopic
  )
  assert.deepEqual(findings, [{ kind: 'SAME_PHRASE', phrase: 'start', answerIds: ['a', 'b', 'c'] }])
})

test('lintRepertoire() counts different phrases only', () => {
  const findings = lint(
    answer('a', 'One?', phrases('one', 'ONE!', 'First?')),
    answer('b', 'Two?', phrases('Second?', 'Next?')),
    offTopic
  )
  assert.deepEqual(findings, [{ kind: 'THIN_ANSWER', answerId: 'a', phraseCount: 2 }])
})

test('lintRepertoire() finds an answer that nothing is left of', () => {
  const findings = lint(
    answer('a', '😀', phrases('???')),
    answer('b', 'Two?', phrases('Second?', 'Next?')),
    answer('c', 'One?', phrases('First?', 'Start?')),
    offTopic
  )
  assert.deepEqual(findings, [{ kind: 'NOTHING_TO_TRAIN', answerId: 'a' }])
})

test('lintRepertoire() finds a mentor without off-topic utterance or without answers', () => {
  assert.deepEqual(lint(), [{ kind: 'TOO_FEW_ANSWERS', answerCount: 0 }, { kind: 'NO_OFF_TOPIC_UTTERANCE' }])
})

test('lintRepertoire() counts the answers in a script that the encoder has hardly read, which are trained on all the same', () => {
  const findings = lint(
    answer('a', 'आप कहाँ रहते हैं?', phrases('आपका घर कहाँ है?', 'आप किस शहर से हैं?')),
    answer('b', 'क्या आपको Python आती है?', phrases('आप कोड किसमें लिखते हैं?', 'आपकी भाषा?')),
    answer('c', '¿Dónde naciste?', phrases('Où êtes-vous né ?', '2 + 2')),
    offTopic
  )
  assert.deepEqual(findings, [{ kind: 'OTHER_SCRIPT', answerCount: 2 }])
})

test('lintRepertoire() tells which questions have no answer because another answer has the id of theirs', () => {
  const one = answer('a', 'One?', phrases('First?', 'Start?'))
  const findings = lint(
    one,
    answer('b', 'Two?', phrases('Second?', 'Next?')),
    answer('a', 'Three?', phrases('Third?')),
    // The same in all loses nothing.
    structuredClone(one),
    answer('a', 'Four?', phrases()),
    // Never counted, so not left out for its id.
    answer('b', 'Five?', { status: 'INCOMPLETE' }),
    offTopic
  )
  assert.deepEqual(findings, [{ kind: 'SAME_ID', answerId: 'a', leftOut: ['Three?', 'Four?'] }])
})
