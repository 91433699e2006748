/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// Replies that are sent as finished bytes: no serializer holds them to their schemas.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { TSchema } from 'typebox'
import { Clean, Errors } from 'typebox/value'
import { MentorLint } from '../../../../src/server/routes/mentors/mentor-replies.ts'
import { StatusReply } from '../../../../src/server/routes/train/training-replies.ts'
import { DiffReply, OwnEvaluation, TrainingReport } from '../../../../src/server/routes/versions/evaluation-reply.ts'
import { openMentorApp } from '../../mentor-app.ts'

const CSV = readFileSync(new URL('../../../../examples/mentor.csv', import.meta.url), 'utf8')

/** Asserts that a reply has all that its schema says, and nothing else. */
function assertFits(schema: TSchema, reply: { readonly statusCode: number; readonly body: string }): void {
  assert.equal(reply.statusCode, 200, reply.body)
  assert.deepEqual([...Errors(schema, JSON.parse(reply.body))], [])
  assert.deepEqual(Clean(schema, JSON.parse(reply.body)), JSON.parse(reply.body))
}

test('reports, comparisons and findings of a mentor’s versions have the members of their schemas', async (t) => {
  const { ask, put, train } = await openMentorApp(t)
  await put('noor', CSV)
  assertFits(MentorLint, await ask({ url: '/mentors/noor/lint' }))
  const { id } = await train({ mentor: 'noor', offTopic: { answerGood: 0.9 } })
  await train({ mentor: 'noor', arch: 'ridge', force: true })
  assertFits(StatusReply, await ask({ url: `/train/status/${id}` }))
  assertFits(MentorLint, await ask({ url: '/mentors/noor/lint' }))
  for (const version of [1, 2]) {
    assertFits(TrainingReport, await ask({ url: `/mentors/noor/versions/${version}/evaluation` }))
  }
  assertFits(DiffReply, await ask({ url: '/mentors/noor/versions/1/diff/2' }))
  const own = await ask({
    method: 'POST',
    url: '/mentors/noor/versions/live/evaluation',
    payload: 'question,answer\nWhere is your home?,intro-home\nWhat do you weigh?,\n',
    headers: { 'content-type': 'text/csv' }
  })
  assertFits(OwnEvaluation, own)
})
