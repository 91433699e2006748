/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { withTrainingData } from '../../../../src/mentor/sheet-merge.ts'
import { readTrainingData } from '../../../../src/mentor/training-data.ts'
import { openStandIn } from '../../../platform/open-stand-in.ts'
import { bearer, openMentorApp, type MentorApp } from '../../mentor-app.ts'

const CSV = readFileSync(new URL('../../../../examples/mentor.csv', import.meta.url), 'utf8')
  .split('\r\n')
  .filter((line, index) => index < 9 || line.startsWith('say-'))
  .join('\r\n')

interface Cluster {
  readonly question: string
  readonly count: number
  readonly questionCount: number
  readonly questions: readonly {
    readonly question: string
    readonly count: number
    readonly answer_type: string
    readonly margin: number | null
  }[]
  readonly suggestion: { readonly answer_id: string; readonly confidence: number } | null
}
interface Review {
  readonly considered: number
  readonly waiting: number
  readonly clusters: readonly Cluster[]
}
interface Answer {
  readonly answer_id: string
  readonly answer_type: string
  readonly answer_text: string
  readonly confidence: number
}

async function reviewOf({ ask }: MentorApp, query: Record<string, string> = {}): Promise<Review> {
  const reply = await ask({ url: '/mentors/noor/review', query })
  assert.equal(reply.statusCode, 200, reply.body)
  const body: { data: Review } = reply.json()
  return body.data
}

interface Changed {
  readonly question: string
  readonly before: { readonly answer_id: string; readonly answer_type: string; readonly confidence: number }
  readonly after: Changed['before']
}

async function decide({ ask }: MentorApp, payload: object, status = 200): Promise<{ answerId: string | null }> {
  const reply = await ask({ method: 'POST', url: '/mentors/noor/review', payload })
  assert.equal(reply.statusCode, status, reply.body)
  return reply.json<{ data: { answerId: string | null } }>().data
}

async function answerTo({ question }: MentorApp, query: string): Promise<Answer> {
  return (await question('noor', query)).json()
}

const ODD = 'xylophone quantum brie'

test('what nobody’s words matched waits in clusters; once accepted it matches at once, and the next training learns it', async (t) => {
  const app = await openMentorApp(t)
  await app.put('noor', CSV)
  const first = await app.train({ mentor: 'noor' })
  assert.deepEqual(await reviewOf(app), { mentor: 'noor', considered: 0, waiting: 0, clusters: [] })

  for (const query of [ODD, 'Xylophone quantum brie!', 'xylophone quantum brie please']) await answerTo(app, query)
  await answerTo(app, 'What is your name?')
  assert.equal((await answerTo(app, 'your name, what is it, can you tell me')).answer_type, 'CLASSIFIER')
  const review = await reviewOf(app)
  assert.deepEqual([review.considered, review.waiting, review.clusters.length], [4, 3, 2])
  const [odd, name] = review.clusters
  assert.ok(odd !== undefined && name !== undefined)
  assert.deepEqual([odd.count, odd.questionCount], [3, 2], 'the same text sanitized is one question, asked twice')
  const listed = odd.questions.map(({ question, count, answer_type: type }) => `${count} ${type} ${question}`)
  assert.deepEqual(
    new Set(listed),
    new Set(['2 OFF_TOPIC Xylophone quantum brie!', '1 OFF_TOPIC xylophone quantum brie please'])
  )
  assert.equal(name.suggestion?.answer_id, 'intro-name')
  const margin = name.questions[0]?.margin
  assert.ok(typeof margin === 'number' && margin > 0 && margin < 1)
  assert.equal((await reviewOf(app, { limit: '1' })).clusters.length, 1)

  const questions = odd.questions.map(({ question }) => question)
  await decide(app, { decision: 'accept', questions, answerId: 'intro-home' })
  const matched = await answerTo(app, 'XYLOPHONE quantum brie?')
  assert.deepEqual([matched.answer_id, matched.answer_type], ['intro-home', 'PARAPHRASE'])
  assert.deepEqual(
    (await reviewOf(app)).clusters.map(({ question }) => question),
    [name.question]
  )

  // Forced: how good a version is on a few made-up words does not matter here.
  const second = await app.train({ mentor: 'noor', force: true })
  assert.equal(second.result.sampleCount, first.result.sampleCount + 2)
  const learned: { alternatives: { answer_id: string }[] } = (
    await app.question('noor', 'quantum brie xylophone', { top_k: '1' })
  ).json()
  assert.deepEqual(
    learned.alternatives.map((one) => one.answer_id),
    ['intro-home']
  )
  assert.ok(!(await app.ask({ url: '/trainingdata/noor' })).body.includes('xylophone'), 'the table stays as it was put')
})

test('a graded question wins over a question’s own text, and a later decision over an earlier one', async (t) => {
  const app = await openMentorApp(t)
  await app.put('noor', CSV)
  await app.train({ mentor: 'noor' })
  const query = 'What is your name?'
  assert.deepEqual((await answerTo(app, query)).answer_id, 'intro-name')
  await decide(app, { decision: 'accept', questions: [query], answerId: 'intro-home' })
  assert.deepEqual((await answerTo(app, query)).answer_id, 'intro-home')
  await decide(app, { decision: 'reject', questions: [query] })
  const after = await answerTo(app, query)
  assert.deepEqual([after.answer_id, after.answer_type], ['intro-name', 'EXACT'])
})

test('a decision shows what it changed, and only that', async (t) => {
  const app = await openMentorApp(t)
  await app.put('noor', CSV)
  await app.train({ mentor: 'noor' })
  const asked = 'your name, what is it, can you tell me'
  const post = async (payload: object): Promise<Changed[]> => {
    const reply = await app.ask({ method: 'POST', url: '/mentors/noor/review', payload })
    return reply.json<{ data: { changed: Changed[] } }>().data.changed
  }
  const [accepted] = await post({ decision: 'accept', questions: [asked], answerId: 'intro-home' })
  assert.equal(accepted?.question, asked)
  assert.deepEqual([accepted.before.answer_id, accepted.before.answer_type], ['intro-name', 'CLASSIFIER'])
  assert.deepEqual(accepted.after, { answer_id: 'intro-home', answer_type: 'PARAPHRASE', confidence: 1 })
  assert.deepEqual(await post({ decision: 'accept', questions: [asked], answerId: 'intro-home' }), [])
  const [rejected] = await post({ decision: 'reject', questions: [asked] })
  assert.deepEqual([rejected?.before.answer_type, rejected?.after.answer_type], ['PARAPHRASE', 'OFF_TOPIC'])
  const waiting: { data: { waiting: number } } = (await app.ask({ url: '/mentors/noor/review' })).json()
  assert.equal(waiting.data.waiting, 0, 'to look at what a decision changes asks nothing')
})

test('what is rejected is off topic at once, and what is like it after the next training', async (t) => {
  const app = await openMentorApp(t)
  await app.put('noor', CSV)
  await app.train({ mentor: 'noor' })
  const asked = 'your name, what is it, can you tell me'
  assert.equal((await answerTo(app, asked)).answer_type, 'CLASSIFIER')
  await decide(app, { decision: 'reject', questions: [asked] })
  const { answer_type: type, confidence } = await answerTo(app, asked.toUpperCase())
  assert.deepEqual([type, confidence], ['OFF_TOPIC', 0])
  const like = 'your name, what is it, can you tell us'
  const before = await answerTo(app, like)
  await app.train({ mentor: 'noor', force: true })
  const after = await answerTo(app, like)
  assert.equal(before.answer_type, 'CLASSIFIER')
  assert.ok(after.confidence < 0.8 * before.confidence, `${before.confidence}, then ${after.confidence}`)
})

test('what is rejected does not come back', async (t) => {
  const app = await openMentorApp(t)
  await app.put('noor', CSV)
  await app.train({ mentor: 'noor' })
  await answerTo(app, ODD)
  assert.equal((await reviewOf(app)).clusters[0]?.suggestion, null)
  assert.deepEqual(await decide(app, { decision: 'reject', questions: [ODD] }), {
    mentor: 'noor',
    decision: 'reject',
    graded: 1,
    answerId: null,
    changed: []
  })
  assert.equal((await answerTo(app, ODD)).answer_type, 'OFF_TOPIC')
  const review = await reviewOf(app)
  assert.deepEqual([review.considered, review.waiting], [2, 0])
})

test('a new answer is given to its questions from now on; asked for twice it is added once', async (t) => {
  const app = await openMentorApp(t)
  await app.put('noor', CSV)
  await app.train({ mentor: 'noor' })
  await answerTo(app, ODD)
  const added = {
    decision: 'new_answer',
    question: 'Do you play an instrument?',
    questions: [ODD],
    answer: 'The xylophone.',
    topic: 'Music'
  }
  const { answerId } = await decide(app, added)
  assert.deepEqual((await decide(app, added)).answerId, answerId)
  const odd = await answerTo(app, ODD)
  assert.deepEqual([odd.answer_id, odd.answer_text, odd.answer_type], [answerId, 'The xylophone.', 'PARAPHRASE'])
  assert.equal((await answerTo(app, 'do you play an instrument')).answer_type, 'EXACT')
  const table = (await app.ask({ url: '/trainingdata/noor' })).body
  assert.match(table, /,Do you play an instrument\?,,The xylophone\.,Music\r\n/)
  await decide(app, { ...added, answer: 'The brie.' }, 409)

  const unrecorded = { decision: 'new_answer', questions: ['Which wine goes with it?'] }
  const { answerId: later } = await decide(app, unrecorded)
  assert.equal((await answerTo(app, 'which wine goes with it')).answer_type, 'OFF_TOPIC', 'it is to be recorded first')
  const mentor: { answers: { _id: string; status: string; transcript: string }[] } = (
    await app.ask({ url: '/mentors/noor' })
  ).json()
  const incomplete = mentor.answers.find(({ _id }) => _id === later)
  assert.equal(incomplete?.status, 'INCOMPLETE')
  const recorded = mentor.answers.map((one) =>
    one._id === later ? { ...one, status: 'COMPLETE', transcript: 'Cider.' } : one
  )
  await app.ask({ method: 'PUT', url: '/mentors/noor', payload: { ...mentor, answers: recorded } })
  assert.equal((await answerTo(app, 'which wine goes with it')).answer_text, 'Cider.')
})

test('a decision that cannot be is refused, and nothing is kept of it', async (t) => {
  const app = await openMentorApp(t)
  await app.put('noor', CSV)
  await app.train({ mentor: 'noor' })
  const wrong = async (payload: object, status: number, message: RegExp) => {
    const reply = await app.ask({ method: 'POST', url: '/mentors/noor/review', payload })
    assert.equal(reply.statusCode, status, reply.body)
    assert.match(reply.body, message)
  }
  await wrong({ decision: 'accept', questions: [ODD] }, 400, /"answerId":\["required field"\]/)
  await wrong({ decision: 'accept', questions: [ODD], answerId: 'none' }, 400, /no such answer/)
  await wrong({ decision: 'accept', questions: ['???'], answerId: 'intro-home' }, 400, /no letter or digit/)
  await wrong({ decision: 'accept', questions: [], answerId: 'intro-home' }, 400, /questions/)
  await wrong({ decision: 'perhaps', questions: [ODD] }, 400, /decision/)
  await wrong({ questions: [ODD] }, 400, /"decision":\["required field"\]/)
  assert.equal((await answerTo(app, ODD)).answer_type, 'OFF_TOPIC')
  assert.equal((await app.ask({ url: '/mentors/noor/review?limit=0' })).statusCode, 400)
  assert.equal((await app.ask({ url: '/mentors/noor/review?limit=101' })).statusCode, 400)
})

test('a review is for those who may read the mentor, and ends with the mentor', async (t) => {
  const app = await openMentorApp(t)
  await app.put('noor', CSV)
  await app.train({ mentor: 'noor' })
  const url = '/mentors/noor/review'
  const payload = { decision: 'accept', questions: [ODD], answerId: 'intro-home' }
  const other = await bearer('other')
  assert.equal((await app.ask({ url, headers: other })).statusCode, 403)
  assert.equal((await app.ask({ method: 'POST', url, payload, headers: other })).statusCode, 403)
  const own = await bearer('noor')
  assert.equal((await app.ask({ url, headers: own })).statusCode, 200)
  assert.equal((await app.ask({ method: 'POST', url, payload, headers: own })).statusCode, 200)
  assert.equal((await app.ask({ url: '/mentors/nobody/review' })).statusCode, 404)
  assert.equal((await app.ask({ method: 'POST', url: '/mentors/nobody/review', payload })).statusCode, 404)

  assert.equal((await app.ask({ method: 'DELETE', url: '/mentors/noor' })).statusCode, 204)
  await app.put('noor', CSV)
  await app.train({ mentor: 'noor' })
  assert.equal((await answerTo(app, ODD)).answer_type, 'OFF_TOPIC', 'its grades are gone too')
})

test('of a GraphQL service’s mentor questions are accepted here, and answers are added there alone', async (t) => {
  const mentor = withTrainingData(undefined, readTrainingData(CSV).rows)
  const { endpoint } = await openStandIn(t, { mentors: { noor: mentor } })
  const app = await openMentorApp(t, { MENTOR_SOURCE: 'graphql', GRAPHQL_ENDPOINT: endpoint })
  await app.train({ mentor: 'noor' })
  await answerTo(app, ODD)
  assert.equal((await reviewOf(app)).clusters[0]?.question, ODD)
  await decide(app, { decision: 'new_answer', questions: [ODD], answer: 'Yes.' }, 409)
  await decide(app, { decision: 'accept', questions: [ODD], answerId: 'intro-home' })
  assert.equal((await answerTo(app, ODD)).answer_id, 'intro-home')
  assert.deepEqual((await reviewOf(app)).clusters, [])
})
