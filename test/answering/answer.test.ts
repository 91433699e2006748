/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerQuestion, type AnswerDependencies } from '../../src/answering/answer.ts'
import { ClassifierModel, packRidgeModel } from '../../src/learning/classifier-model.ts'
import { matrix } from '../../src/learning/matrix.ts'
import { fitRidge } from '../../src/learning/ridge.ts'
import { MatchIndex } from '../../src/mentor/match-index.ts'
import { repertoireOf, type Mentor } from '../../src/mentor/mentor.ts'
import { answer, listed, utterance } from '../mentor/mentors.ts'

const who = answer('who', 'Who are you?', {
  transcript: 'Ada.',
  markdownTranscript: '**Ada.**',
  webMedia: { type: 'video', tag: 'web', url: 'https://media.example/who.mp4' },
  externalVideoIds: { wistiaId: 'w1' },
  question: { paraphrases: ['Your name?'] }
})
const where = answer('where', 'Where do you live?')
const why = answer('why', 'Why?')
const base: Mentor = { questions: listed(who, where, why), answers: [who, where, why] }

// One dimension an answer: a question is embedded as the answer it is about.
const EMBEDDINGS = new Map([
  ['Tell me, who?', [1, 0, 0]],
  ['Tell me, where?', [0, 1, 0]],
  ['Tell me, why?', [0, 0, 1]],
  ['Who are you?', [1, 0, 0]],
  ['Nothing of that', [0.6, 0.57, 0.57]]
])
const fitted = fitRidge(matrix(Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), 3, 3), Int32Array.of(0, 1, 2), 3)
const modelBytes = packRidgeModel(fitted, { classIds: ['who', 'where', 'why'], encoderRevision: 'test' })

function parts(
  mentor: Mentor,
  more: Partial<AnswerDependencies> = {}
): AnswerDependencies & { readonly embedded: string[] } {
  const repertoire = repertoireOf(mentor)
  const embedded: string[] = []
  return {
    repertoire,
    answersById: new Map(repertoire.answers.map((one) => [one._id, one])),
    matchIndex: new MatchIndex(repertoire),
    model: ClassifierModel.load(modelBytes, { ridgeOffTopicThreshold: -0.2 }),
    embed: async (text) => {
      embedded.push(text)
      return Float32Array.from(EMBEDDINGS.get(text) ?? assert.fail(`not known: ${text}`))
    },
    embedded,
    ...more
  }
}

test('answerQuestion() answers a question word for word with all there is, and embeds nothing', async () => {
  const given = parts(base)
  assert.deepEqual(await answerQuestion(' who ARE you ', given), {
    answerType: 'EXACT',
    answerId: 'who',
    questionId: 'q-who',
    answerText: 'Ada.',
    answerMarkdownText: '**Ada.**',
    answerMedia: {
      webMedia: { type: 'video', tag: 'web', url: 'https://media.example/who.mp4' },
      mobileMedia: null,
      vttMedia: null
    },
    externalVideoIds: { wistiaId: 'w1' },
    confidence: 1,
    answerMissing: false,
    classifierAnswerId: undefined,
    margin: undefined,
    alternatives: [],
    reasons: undefined,
    nearest: undefined
  })
  assert.deepEqual(given.embedded, [])
})

test('answerQuestion() answers a paraphrase as such', async () => {
  const reply = await answerQuestion('your name', parts(base))
  assert.deepEqual([reply.answerType, reply.answerId, reply.confidence], ['PARAPHRASE', 'who', 1])
})

test('answerQuestion() asks the classifier with the question as asked', async () => {
  const given = parts(base)
  const reply = await answerQuestion('Tell me, where?', given)
  assert.deepEqual([reply.answerType, reply.answerId, reply.answerText], ['CLASSIFIER', 'where', 'Answer where.'])
  assert.deepEqual(given.embedded, ['Tell me, where?'])
  assert.equal(reply.confidence, given.model.predict(Float32Array.of(0, 1, 0)).confidence)
  assert.equal(reply.classifierAnswerId, 'where')
})

test('answerQuestion() says an utterance to what is off topic, chosen at random', async () => {
  const mentor = {
    ...base,
    answers: [...base.answers!, utterance('u0', '_OFF_TOPIC_'), utterance('u1', '_OFF_TOPIC_')]
  }
  for (const [random, wanted] of [
    [0, 'u0'],
    [0.49, 'u0'],
    [0.5, 'u1'],
    [0.999, 'u1']
  ] as const) {
    const reply = await answerQuestion('Nothing of that', parts(mentor, { random: () => random }))
    assert.deepEqual([reply.answerType, reply.answerId, reply.questionId], ['OFF_TOPIC', wanted, `q-${wanted}`])
    assert.ok(reply.confidence < -0.2 && reply.confidence > -1)
    assert.equal(reply.answerMissing, false)
    assert.equal(reply.classifierAnswerId, 'who')
  }
})

test('answerQuestion() refuses what people judged to be off topic, and nobody else’s phrase', async () => {
  const repertoire = repertoireOf(base)
  const given = parts(base, { matchIndex: new MatchIndex(repertoire, [], ['tell me who', 'Why']) })
  const rejected = await answerQuestion('Tell me, who?', given)
  assert.deepEqual([rejected.answerType, rejected.confidence], ['OFF_TOPIC', 0])
  assert.equal((await answerQuestion('Why?', given)).answerType, 'EXACT')
})

test('answerQuestion() off topic without an utterance gives its bare name', async () => {
  const reply = await answerQuestion('Nothing of that', parts(base))
  assert.deepEqual(
    [reply.answerId, reply.questionId, reply.answerText, reply.answerMarkdownText, reply.answerMedia],
    ['_OFF_TOPIC_', '_OFF_TOPIC_', '_OFF_TOPIC_', '_OFF_TOPIC_', {}]
  )
})

test('answerQuestion() tells when the answer predicted is gone', async () => {
  const reply = await answerQuestion('Tell me, why?', parts({ ...base, answers: [who, where] }))
  assert.deepEqual(
    [reply.answerType, reply.answerMissing, reply.confidence, reply.classifierAnswerId],
    ['OFF_TOPIC', true, -1, 'why']
  )
})

test('answerQuestion() tells that the answer predicted is gone also when it would have been refused', async () => {
  const reply = await answerQuestion('Nothing of that', parts({ ...base, answers: [where, why] }))
  assert.deepEqual([reply.answerMissing, reply.confidence, reply.classifierAnswerId], [true, -1, 'who'])
})

test('answerQuestion() takes an answer that no longer counts as gone', async () => {
  const skipped = { ...why, status: 'SKIP' }
  const reply = await answerQuestion('Tell me, why?', parts({ ...base, answers: [who, where, skipped] }))
  assert.equal(reply.answerMissing, true)
})

test('answerQuestion() names alternatives on request, the best first, without those that are gone', async () => {
  const reply = await answerQuestion('Tell me, why?', parts({ ...base, answers: [where, why] }), { topK: 3 })
  assert.deepEqual(
    reply.alternatives.map(({ answerId, questionId, question }) => [answerId, questionId, question]),
    [
      ['why', 'q-why', 'Why?'],
      ['where', 'q-where', 'Where do you live?']
    ]
  )
  assert.equal(reply.alternatives[0]!.confidence, reply.confidence)
})

test("answerQuestion() names the classifier's best also when off topic, and of a match", async () => {
  const offTopic = await answerQuestion('Nothing of that', parts(base), { topK: 2 })
  assert.equal(offTopic.alternatives.length, 2)
  const match = await answerQuestion('Who are you?', parts(base), { topK: 2 })
  assert.deepEqual([match.answerType, match.confidence, match.alternatives[0]!.answerId], ['EXACT', 1, 'who'])
})

test('answerQuestion() hands on a failure to embed', async () => {
  const failure = new Error('no worker')
  const given = parts(base, { embed: () => Promise.reject(failure) })
  await assert.rejects(answerQuestion('Tell me, who?', given), failure)
})
