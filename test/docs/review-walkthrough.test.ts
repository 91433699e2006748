/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// Followups and the review queue against the service as a process, with the real model.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { startReadyService } from '../app/service-process.ts'

/** Between two looks at a training: looked at without a pause, it would wait for its own spectators. */
const POLL_MS = 20
const ROOT = join(import.meta.dirname, '../..')

interface Answer {
  readonly answer_id: string
  readonly answer_type: string
}
interface Cluster {
  readonly questions: readonly { readonly question: string }[]
  readonly suggestion: { readonly answer_id: string } | null
}

test('a mentor suggests followups, and learns from what was asked', async (t) => {
  const service = await startReadyService(t, { API_SECRET_KEY: 'key-one', SEMANTIC_DEDUP: 'true' })
  async function request<Body>(
    path: string,
    init: { method?: string; type?: string; body?: string } = {}
  ): Promise<Body> {
    const reply = await fetch(`${service.origin}${path}`, {
      method: init.method ?? 'GET',
      headers: { authorization: 'Bearer key-one', ...(init.type !== undefined && { 'content-type': init.type }) },
      ...(init.body !== undefined && { body: init.body })
    })
    assert.equal(reply.status, 200, path)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a wrong shape fails the assertions that follow
    return (await reply.json()) as Body
  }
  const post = <Body>(path: string, body: object) =>
    request<Body>(path, { method: 'POST', type: 'application/json', body: JSON.stringify(body) })
  const ask = (query: string) =>
    request<Answer>(`/questions?${new URLSearchParams({ mentor: 'noor', query }).toString()}`)

  const csv = await readFile(join(ROOT, 'examples/mentor.csv'), 'utf8')
  await request('/mentors/noor', { method: 'PUT', type: 'text/csv', body: csv })
  const { data } = await request<{ data: { followups: { question: string; entityType: string }[] } }>(
    '/followups/category/About%20me/noor',
    { method: 'POST' }
  )
  const questions = data.followups.map(({ question }) => question)
  assert.ok(questions.includes('What was Stromness like?'), questions.join(' '))
  assert.ok(questions.includes('Can you tell me more about your mother?'), questions.join(' '))
  assert.ok(!questions.some((question) => question.includes('Noor')), questions.join(' '))

  const training = await post<{ data: { statusUrl: string } }>('/train', { mentor: 'noor' })
  let status = 'QUEUED'
  while (status === 'QUEUED' || status === 'IN_PROGRESS') {
    await pause(POLL_MS)
    status = (await request<{ data: { status: string } }>(training.data.statusUrl)).data.status
  }
  assert.equal(status, 'SUCCESS')
  const odd = 'Do you get along with the grey seals at the slipway?'
  const alike = 'Do you get on with the grey seals by the slipway?'
  for (const query of [odd, alike]) assert.notEqual((await ask(query)).answer_type, 'EXACT')
  const review = await request<{ data: { clusters: Cluster[] } }>('/mentors/noor/review')
  assert.equal(review.data.clusters.length, 1)
  const asked = review.data.clusters[0]!.questions.map(({ question }) => question)
  assert.deepEqual(new Set(asked), new Set([odd, alike]))
  const decided = await post<{ data: { answerId: string } }>('/mentors/noor/review', {
    decision: 'new_answer',
    questions: asked,
    answer: 'We have an agreement: they do not touch the fish, and I do not touch the seals.'
  })
  for (const query of asked) assert.equal((await ask(query.toUpperCase())).answer_id, decided.data.answerId)
  const after = await request<{ data: { clusters: Cluster[] } }>('/mentors/noor/review')
  assert.deepEqual(after.data.clusters, [])
  service.child.kill('SIGTERM')
  assert.deepEqual(await service.exited, [0, null])
})
