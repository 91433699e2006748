/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Mentor } from '../../../../src/mentor/mentor.ts'
import { MAX_PHRASES } from '../../../../src/mentor/mentor-upload.ts'
import videoMentor from '../../../../examples/video-mentor.json' with { type: 'json' }
import { csvLine } from '../../../../src/table/csv-line.ts'
import { bearer, openMentorApp } from '../../mentor-app.ts'

const CSV = readFileSync(new URL('../../../../examples/mentor.csv', import.meta.url), 'utf8')
const SMALL = 'id,question,paraphrases,answer,topic\r\na,Where do you live?,Home?|Your town?,In Oslo.,Home\r\n'

test('PUT /mentors/{mentor} stores CSV, and /trainingdata gives the same bytes back', async (t) => {
  const { ask, put } = await openMentorApp(t)
  const stored = await put('noor', CSV)
  assert.equal(stored.statusCode, 200, stored.body)
  const { data }: { data: Record<string, unknown> } = stored.json()
  assert.equal(data['answerCount'], 83)
  assert.equal(data['utteranceCount'], 3)
  assert.deepEqual([data['problems'], data['lint']], [[], []])
  const csv = await ask({ url: '/trainingdata/noor' })
  assert.equal(csv.body, CSV)
  assert.equal(csv.headers['content-type'], 'text/csv; charset=utf-8')
  assert.equal(csv.headers['content-disposition'], 'attachment; filename="noor-trainingdata.csv"')
})

test('PUT /mentors/{mentor} says by line what was wrong with CSV, and lints what was right', async (t) => {
  const { put } = await openMentorApp(t)
  const reply = await put('x', `${SMALL}b,,,No question.,\r\nc,Two?,,,\r\n`)
  const { data }: { data: { answerCount: number; problems: object[]; lint: { kind: string }[] } } = reply.json()
  assert.equal(data.answerCount, 1)
  assert.deepEqual(data.problems, [
    { line: 3, message: 'no question' },
    { line: 4, message: 'no answer' }
  ])
  assert.deepEqual(
    data.lint.map(({ kind }) => kind),
    ['TOO_FEW_ANSWERS', 'NO_OFF_TOPIC_UTTERANCE']
  )
})

test('PUT /mentors/{mentor} says which answers of JSON do not count because another has their id', async (t) => {
  const { ask } = await openMentorApp(t)
  const [first, ...others] = videoMentor.answers
  assert.ok(first !== undefined)
  const again = { ...first, question: { ...first.question, question: 'Asked again?' } }
  const payload = { ...videoMentor, answers: [first, ...others, again] }
  const reply = await ask({ method: 'PUT', url: '/mentors/v', payload })
  const { data }: { data: { lint: object[] } } = reply.json()
  assert.deepEqual(data.lint[0], { kind: 'SAME_ID', answerId: first._id, leftOut: ['Asked again?'] })
})

test('PUT /mentors/{mentor} stores JSON as it is and replaces it whole; DELETE takes it away', async (t) => {
  const { ask } = await openMentorApp(t)
  assert.equal((await ask({ method: 'PUT', url: '/mentors/v', payload: videoMentor })).statusCode, 200)
  assert.deepEqual((await ask({ url: '/mentors/v' })).json(), videoMentor)
  const next = { name: 'Next', mentorType: 'CHAT', answers: [] }
  assert.equal((await ask({ method: 'PUT', url: '/mentors/v', payload: next })).statusCode, 200)
  assert.deepEqual((await ask({ url: '/mentors/v' })).json(), next)
  const list: { data: { mentor: string; name: string; answerCount: number }[] } = (
    await ask({ url: '/mentors' })
  ).json()
  assert.deepEqual(
    list.data.map(({ mentor, name, answerCount }) => [mentor, name, answerCount]),
    [['v', 'Next', 0]]
  )
  assert.equal((await ask({ method: 'DELETE', url: '/mentors/v' })).statusCode, 204)
  assert.equal((await ask({ method: 'DELETE', url: '/mentors/v' })).statusCode, 404)
  assert.equal((await ask({ url: '/mentors/v' })).statusCode, 404)
})

test('PUT /mentors/{mentor} leaves out answers that were never recorded, and says how many', async (t) => {
  const { ask, put } = await openMentorApp(t)
  const recorded = longAnswers(332)
  const question = { _id: 'q', question: 'What was never asked?' }
  const never = [
    ...Array.from({ length: 67 }, () => ({ _id: null, status: 'NONE', transcript: null, question })),
    null,
    { _id: 'gone', transcript: 'Of what?' },
    { _id: 'gone', question: null },
    { question }
  ]
  const questions = [{ question: { _id: 'q0' } }, { question: null }, null, { question: { _id: null } }, {}]
  const answers = recorded.flatMap((one, index) => [one, ...never.slice(index, index + 1)])
  const payload = { name: 'Ada', questions, answers, orphanedCompleteAnswers: [null] }
  const reply = await ask({ method: 'PUT', url: '/mentors/v', payload })
  assert.equal(reply.statusCode, 200, reply.body)
  const { answerCount, leftOutCount } = reply.json().data
  assert.deepEqual([answers.length, answerCount, leftOutCount], [403, 332, 72])
  const stored = (await ask({ url: '/mentors/v' })).json()
  const [listed] = questions
  assert.deepEqual(stored, { name: 'Ada', questions: [listed], answers: recorded, orphanedCompleteAnswers: [] })
  assert.equal((await put('v', SMALL)).json().data.leftOutCount, 0)
})

test('PUT /mentors/{mentor} of its own sheet changes nothing: media, rich text, utterances and ids stay', async (t) => {
  const { ask, put } = await openMentorApp(t)
  const stored = await ask({ method: 'PUT', url: '/mentors/v', payload: videoMentor })
  const sheet = (await ask({ url: '/trainingdata/v' })).body
  const again = await put('v', sheet)
  assert.equal(again.statusCode, 200, again.body)
  assert.deepEqual((await ask({ url: '/mentors/v' })).json(), videoMentor)
  assert.deepEqual(again.json().data, { ...stored.json().data, problems: [] })
  // As the service wrote it that this one takes the place of.
  const [answer] = videoMentor.answers
  const utterance = videoMentor.answers.find(({ question }) => question.type === 'UTTERANCE')!
  const rows = videoMentor.answers.map(({ transcript, question }) =>
    csvLine([question._id, question.question, (question.paraphrases ?? []).join('|'), transcript ?? '', ''])
  )
  const original = `id,question,paraphrases,answer,topic\n${rows.join('')}`
  await put('v', original.replaceAll(answer!.transcript, 'Another answer.'))
  const after: Mentor = (await ask({ url: '/mentors/v' })).json()
  assert.deepEqual(after.answers, [
    { ...answer, transcript: 'Another answer.', markdownTranscript: null },
    ...videoMentor.answers.slice(1)
  ])
  assert.equal(after.answers?.find(({ _id }) => _id === utterance._id)?.question.type, 'UTTERANCE')
})

test('PUT /mentors/{mentor} refuses what is no mentor, no CSV, too long or too many, and keeps what there was', async (t) => {
  const { ask, put } = await openMentorApp(t, { MENTOR_BODY_LIMIT_BYTES: '4000000' })
  await put('x', SMALL)
  const before = (await ask({ url: '/mentors/x' })).body
  const json = (payload: object) => ask({ method: 'PUT', url: '/mentors/x', payload })
  assert.equal((await json({ answers: [{ _id: 'a', question: {} }] })).statusCode, 400)
  assert.equal((await put('x', 'id,question\r\na,b')).statusCode, 400)
  assert.equal((await put('x', `${SMALL}${' '.repeat(4_000_000)}`)).statusCode, 413)
  const many = Array.from({ length: 25_001 }, (_, i) => ({ _id: `${i}`, question: { _id: `q${i}`, question: `${i}` } }))
  const tooMany = await json({ answers: many })
  assert.equal(tooMany.statusCode, 413)
  assert.match(tooMany.body, /25001 questions, at most 25000/)
  const text = { method: 'PUT', url: '/mentors/x', payload: 'x', headers: { 'content-type': 'text/html' } } as const
  assert.equal((await ask(text)).statusCode, 415)
  assert.equal((await ask({ url: '/mentors/x' })).body, before)
})

/** Answers of some 2 KB each: what is above some hundred of them is read in a thread. */
function longAnswers(count: number) {
  return Array.from({ length: count }, (_, i) => ({
    _id: `a${i}`,
    transcript: 'word '.repeat(400),
    question: { _id: `q${i}`, question: `What is number ${i}?`, paraphrases: [`Tell me of ${i}`, `And ${i}?`] }
  }))
}

test('PUT /mentors/{mentor} stores a large mentor as a small one, as JSON and CSV', async (t) => {
  const { ask, put } = await openMentorApp(t)
  const answers = longAnswers(8000)
  const rows = answers.map(({ _id, question, transcript }) => `${_id},${question.question},"A, b|c",${transcript},T`)
  const uploads = [
    () => ask({ method: 'PUT', url: '/mentors/large', payload: { name: 'Large', answers } }),
    () => put('large', `id,question,paraphrases,answer,topic\r\n${rows.join('\r\n')}`)
  ]
  for (const upload of uploads) {
    const reply = await upload()
    assert.equal(reply.statusCode, 200, reply.body)
    const { data }: { data: { answerCount: number; phraseCount: number } } = reply.json()
    assert.deepEqual([data.answerCount, data.phraseCount], [8000, 24_000])
  }
  const { name, answers: stored }: { name: string; answers: unknown[] } = (await ask({ url: '/mentors/large' })).json()
  assert.deepEqual([name, stored.length], ['Large', 8000])
})

test('PUT /mentors/{mentor}: what is wrong with a large mentor is said as of a small one', async (t) => {
  const { ask } = await openMentorApp(t)
  for (const count of [1, 800]) {
    // What is left out before it does not shift where it is said to be.
    const answers = [null, ...longAnswers(count - 1), { _id: 'wrong', question: {} }]
    const refused = await ask({ method: 'PUT', url: '/mentors/x', payload: { answers } })
    assert.equal(refused.statusCode, 400)
    const { code, errors }: { code: string; errors: Record<string, string[]> } = refused.json()
    assert.equal(code, 'INVALID_REQUEST')
    assert.match(errors['answers']?.[0] ?? '', new RegExp(`^${count} .*question`))
    const broken = await ask({
      method: 'PUT',
      url: '/mentors/x',
      payload: JSON.stringify({ answers }).slice(0, -1),
      headers: { 'content-type': 'application/json' }
    })
    assert.equal(broken.statusCode, 400)
    assert.match(
      broken.json<{ message: string }>().message,
      /^Cannot read the body: it is not JSON: line 1, column \d+: it ends before its value does$/
    )
    assert.equal((await ask({ url: '/mentors/x' })).statusCode, 404)
  }
})

test('PUT /mentors/{mentor}: of tables written at once none is lost in another', async (t) => {
  const { ask, put } = await openMentorApp(t)
  const answers = [{ _id: 'v', status: 'INCOMPLETE', question: { _id: 'q-v', question: 'Kept?' } }]
  await ask({ method: 'PUT', url: '/mentors/x', payload: { name: 'X', answers } })
  const tables = ['a', 'b', 'c'].map((id) => SMALL.replace('\na,', `\n${id},`))
  const replies = await Promise.all(tables.map((table) => put('x', table)))
  assert.deepEqual(
    replies.map(({ statusCode }) => statusCode),
    [200, 200, 200]
  )
  const stored: { name: string; answers: { _id: string }[] } = (await ask({ url: '/mentors/x' })).json()
  assert.deepEqual([stored.name, stored.answers.length, stored.answers[1]?._id], ['X', 2, 'v'])
})

test('a user sees and changes the mentors of the token alone', async (t) => {
  const { ask, put } = await openMentorApp(t)
  await put('mine', SMALL)
  await put('other', SMALL)
  const headers = await bearer('mine')
  const list: { data: { mentor: string }[] } = (await ask({ url: '/mentors', headers })).json()
  assert.deepEqual(
    list.data.map(({ mentor }) => mentor),
    ['mine']
  )
  assert.equal((await ask({ url: '/mentors/mine', headers })).statusCode, 200)
  for (const url of ['/mentors/other', '/trainingdata/other', '/questions?mentor=other&query=a']) {
    const reply = await ask({ url, headers })
    assert.equal(reply.statusCode, 403, url)
    assert.match(reply.body, /not authorized/)
  }
  const refused = [
    ['DELETE', '/mentors/other', undefined],
    ['PUT', '/mentors/other', {}],
    ['POST', '/train', { mentor: 'other' }],
    ['POST', '/mentors/other/rollback', undefined],
    ['POST', '/mentors/other/versions/1/promote', {}]
  ] as const
  for (const [method, url, payload] of refused) {
    const reply = await ask({ method, url, headers, ...(payload !== undefined && { payload }) })
    assert.equal(reply.statusCode, 403, `${method} ${url}`)
  }
})

test('PUT /mentors/{mentor} without a body is 400, and DELETE with a type of JSON and no body works', async (t) => {
  const { ask, put } = await openMentorApp(t)
  await put('m', 'id,question,answer\na,Who are you?,Me')
  for (const headers of [{}, { 'content-type': 'application/json' }, { 'content-type': 'text/csv' }]) {
    const reply = await ask({ method: 'PUT', url: '/mentors/m', headers })
    assert.equal(reply.statusCode, 400)
    assert.deepEqual(reply.json().errors, { body: ['required field'] })
  }
  const gone = await ask({ method: 'DELETE', url: '/mentors/m', headers: { 'content-type': 'application/json' } })
  assert.equal(gone.statusCode, 204)
})

test('PUT /mentors/{mentor} takes as many questions and paraphrases as one may train on, and no more', async (t) => {
  const { ask } = await openMentorApp(t)
  const storing = (count: number) =>
    ask({
      method: 'PUT',
      url: '/mentors/m',
      payload: {
        answers: [{ _id: 'a', question: { _id: 'q', question: 'Q?', paraphrases: Array<string>(count - 1).fill('p') } }]
      }
    })
  const tooMany = await storing(MAX_PHRASES + 1)
  assert.equal(tooMany.statusCode, 413)
  assert.match(tooMany.json().message, /500001 questions and paraphrases, at most 500000 are allowed/)
  assert.equal((await storing(MAX_PHRASES)).statusCode, 200)
})
