/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { MAX_CATEGORY_CHARACTERS } from '../../../../src/followup/followup-suggester.ts'
import { bearer, openMentorApp, temporaryFolder, type MentorApp } from '../../mentor-app.ts'

interface Followup {
  readonly question: string
  readonly entityType: string
  readonly template: string
}

/** A mentor whose answers, all of the topic `Navy life`, are these. */
function mentorOf(answers: readonly string[], more: object = {}) {
  const listed = answers.map((transcript, i) => ({
    _id: `a${i}`,
    status: 'COMPLETE',
    transcript,
    question: { _id: `q${i}`, question: `Question number ${i}?` }
  }))
  return {
    name: 'Noor Halvorsen',
    questions: listed.map(({ question }) => ({ question: { _id: question._id }, topics: [{ name: 'Navy life' }] })),
    answers: listed,
    ...more
  }
}

/** An answer beside those of the topic. */
function answered(question: string, paraphrases: string[] = []) {
  return {
    _id: question,
    status: 'COMPLETE',
    transcript: 'It was fine.',
    question: { _id: question, question, paraphrases }
  }
}

async function store({ ask }: MentorApp, mentor: object, id = 'noor'): Promise<void> {
  const reply = await ask({ method: 'PUT', url: `/mentors/${id}`, payload: mentor })
  assert.equal(reply.statusCode, 200, reply.body)
}

async function followupsOf({ ask }: MentorApp, category = 'Navy life', id = 'noor'): Promise<Followup[]> {
  const reply = await ask({ method: 'POST', url: `/followups/category/${encodeURIComponent(category)}/${id}` })
  assert.equal(reply.statusCode, 200, reply.body)
  const body: { data: { followups: Followup[] } } = reply.json()
  return body.data.followups
}

const questionsOf = (followups: readonly Followup[]) => followups.map(({ question }) => question)

async function openWith(t: TestContext, mentor: object, env: Record<string, string> = {}): Promise<MentorApp> {
  const app = await openMentorApp(t, env)
  await store(app, mentor)
  return app
}

test('followups ask about what a category mentions, each type in its own words', async (t) => {
  const app = await openWith(
    t,
    mentorOf([
      'My brother drove me to Coronado. I passed BUDS in the winter.',
      'Noor is what they call me in America. Hector Villanueva taught me to swim at the Coast Guard.'
    ])
  )
  const followups = await followupsOf(app)
  assert.deepEqual(
    followups.toSorted((a, b) => (a.question < b.question ? -1 : 1)),
    [
      ['Can you tell me more about Hector Villanueva?', 'person', 'Can you tell me more about {entity}?'],
      ['Can you tell me more about your brother?', 'family', 'Can you tell me more about your {entity}?'],
      ['What is BUDS?', 'acronym', 'What is {entity}?'],
      ['What is the Coast Guard?', 'organisation', 'What is {entity}?'],
      ['What was Coronado like?', 'place', 'What was {entity} like?']
    ].map(([question, entityType, template]) => ({ question, entityType, template }))
  )
  // Nothing else of the sentence has the subject "I".
  assert.equal(followups[0]?.question, 'What is BUDS?')
  assert.deepEqual(await followupsOf(app, ' navy LIFE '), followups)
  assert.deepEqual(await followupsOf(app, 'no such topic'), [])
})

test('what has no verb in its sentence comes last, and names of the list after those that are not on it', async (t) => {
  const list = join(await temporaryFolder(t), 'names.txt')
  await writeFile(list, 'Kirk Douglas\n')
  const mentor = mentorOf(['Torque wrenches from NASA.', 'Kirk Douglas waved at us.', 'Hector Villanueva waved at us.'])
  const [kirk, hector, nasa] = [
    'Can you tell me more about Kirk Douglas?',
    'Can you tell me more about Hector Villanueva?',
    'What is NASA?'
  ]
  const listed = await openWith(t, mentor, { POP_CULTURE_FILE: list })
  assert.deepEqual(questionsOf(await followupsOf(listed)), [hector, kirk, nasa])
  const plain = questionsOf(await followupsOf(await openWith(t, mentor)))
  assert.deepEqual([plain.toSorted(), plain[2]], [[hector, kirk, nasa].toSorted(), nasa])
})

test('what the mentor has answered already is left out, in whatever topic and words', async (t) => {
  const mentor = mentorOf(['I met Hector in Coronado. My sister and I flew to Oslo with Dr. Smith.'])
  const app = await openWith(t, {
    ...mentor,
    answers: [
      ...mentor.answers,
      answered('Who is Hector?'),
      answered('Say it.', ['Tell me more about your sister!']),
      answered('What did you do in Oslo?'),
      answered('What is Smith like?'),
      { ...answered('What was Coronado like?'), status: 'INCOMPLETE' }
    ]
  })
  assert.deepEqual(questionsOf(await followupsOf(app)).toSorted(), ['What was Coronado like?', 'What was Oslo like?'])
})

test('with SEMANTIC_DEDUP=true near-duplicates are left out but the weightiest, and what means an answered question', async (t) => {
  // The stand-in's embeddings do not know the order of words.
  const mentor = mentorOf(['I drove Wei Li home. They hired Li Wei later.', 'I met Amara Diallo.'])
  const extra = {
    _id: 'x',
    status: 'COMPLETE',
    transcript: 'Yes.',
    question: { _id: 'x', question: 'Can you tell more about me, Amara Diallo?' }
  }
  const plain = await openWith(t, mentor)
  assert.equal((await followupsOf(plain)).length, 3)
  const dedup = await openWith(t, mentor, { SEMANTIC_DEDUP: 'true' })
  assert.deepEqual(questionsOf(await followupsOf(dedup)).toSorted(), [
    'Can you tell me more about Amara Diallo?',
    'Can you tell me more about Wei Li?'
  ])
  const withAnswered = { ...mentor, answers: [...mentor.answers, extra] }
  await store(dedup, withAnswered, 'b')
  assert.deepEqual(questionsOf(await followupsOf(dedup, 'Navy life', 'b')), ['Can you tell me more about Wei Li?'])
})

test('followups are for those who may read the mentor, and of mentors that there are', async (t) => {
  const app = await openWith(t, mentorOf(['I met Hector.']))
  const post = (id: string, headers: Record<string, string> = {}) =>
    app.ask({ method: 'POST', url: `/followups/category/Navy%20life/${id}/`, headers })
  assert.equal((await post('nobody')).statusCode, 404)
  assert.equal((await post('noor', await bearer('other'))).statusCode, 403)
  assert.equal((await post('noor', await bearer('noor'))).statusCode, 200)
  assert.equal((await post('noor', { authorization: 'Bearer wrong' })).statusCode, 401)
  assert.equal((await app.ask({ url: '/followups/category/a/noor' })).statusCode, 405)
})

test('a category of too much text is refused, one without text has no followups', async (t) => {
  const half = 'x'.repeat(MAX_CATEGORY_CHARACTERS / 2)
  const app = await openWith(t, mentorOf([half, half, 'I met Hector.']))
  const reply = await app.ask({ method: 'POST', url: '/followups/category/Navy%20life/noor' })
  assert.equal(reply.statusCode, 413)
  assert.match(reply.body, /500013 characters, at most 500000/)
  await store(app, mentorOf(['  ', '']), 'silent')
  assert.deepEqual(await followupsOf(app, 'Navy life', 'silent'), [])
})
