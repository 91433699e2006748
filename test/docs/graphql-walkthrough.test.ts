/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// What `make start MENTOR_SOURCE=graphql` starts, with the real model and over HTTP: the service, and a GraphQL stand-in beside it.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { modelPath } from '../fixtures/model-path.ts'
import { startService } from '../app/service-process.ts'

const STAND_IN = join(import.meta.dirname, '../../tools/graphql-stand-in/main.ts')
/** Between two looks: looked at without a pause, the work would wait for its own spectators. */
const POLL_MS = 20

interface Answer {
  readonly answer_id: string
  readonly answer_type: string
  readonly answer_missing: boolean
  readonly confidence: number
  readonly feedback_id: string
}

interface Told {
  readonly trainTasks: readonly { readonly _id: string; readonly status: string }[]
  readonly trained: readonly string[]
  readonly userQuestions: readonly { readonly _id: string; readonly question: string }[]
}

test('a mentor of a GraphQL service: train, status, ask, grade, lose the service, and lose an answer', async (t) => {
  const service = startService(
    t,
    STAND_IN,
    {
      MENTOR_SOURCE: 'graphql',
      API_SECRET_KEY: 'key-one',
      MODEL_DIR: join(modelPath, 'compiled'),
      ENCODE_WORKERS: '1',
      MENTOR_FRESH_SECONDS: '0'
    },
    ['--with-service']
  )
  const [, platform = ''] = /(http:\S+)\/graphql/.exec(await service.said(/GraphQL stand-in/)) ?? []
  const [, origin = ''] = /URL=(\S+);/.exec(await service.said(/URL=/)) ?? []

  const ask = async (path: string, body?: object) => {
    const reply = await fetch(`${origin}${path}`, {
      headers: { authorization: 'Bearer key-one', 'content-type': 'application/json' },
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) })
    })
    return { status: reply.status, text: await reply.text() }
  }
  const question = async (query: string): Promise<Answer> => {
    const { status, text } = await ask(`/questions?mentor=noor&chatsessionid=c1&query=${encodeURIComponent(query)}`)
    assert.equal(status, 200, text)
    return JSON.parse(text)
  }
  const control = async (what: string, body: object) => {
    const reply = await fetch(`${platform}/stand-in/${what}`, { method: 'PUT', body: JSON.stringify(body) })
    assert.equal(reply.status, 200, await reply.text())
  }
  const told = async (): Promise<Told> => {
    const reply = await fetch(`${platform}/stand-in`)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is not so fails below
    return (await reply.json()) as Told
  }
  /** Asks until an answer is as wanted: what is remembered of a mentor answers while it is read anew. */
  const soon = async (query: string, isWanted: (answer: Answer) => boolean): Promise<Answer> => {
    for (;;) {
      const answer = await question(query)
      if (isWanted(answer)) return answer
      await pause(POLL_MS)
    }
  }

  assert.equal((await ask('/questions?mentor=noor&query=Why')).status, 404)
  const { data }: { data: { id: string; statusUrl: string } } = JSON.parse(
    (await ask('/train', { mentor: 'noor' })).text
  )
  for (;;) {
    const { text } = await ask(data.statusUrl)
    if (/"status":"SUCCESS"/.test(text)) break
    assert.match(text, /"status":"(QUEUED|IN_PROGRESS)"/)
    await pause(POLL_MS)
  }
  const { trainTasks, trained } = await told()
  assert.deepEqual(
    trainTasks.map(({ _id, status }) => [_id, status]),
    ['QUEUED', 'IN_PROGRESS', 'SUCCESS'].map((status) => [data.id, status])
  )
  assert.deepEqual(trained, ['noor'])

  const exact = await question('What is your name?')
  assert.deepEqual([exact.answer_id, exact.answer_type, exact.confidence], ['intro-name', 'EXACT', 1])
  const near = await question('Which town do you call home these days?')
  assert.deepEqual([near.answer_id, near.answer_type], ['intro-home', 'CLASSIFIER'])
  const off = await question('What is the best recipe for lasagne?')
  assert.equal(off.answer_type, 'OFF_TOPIC')
  assert.deepEqual(
    (await told()).userQuestions.map(({ _id }) => _id),
    [exact, near, off].map((answer) => answer.feedback_id)
  )

  const followups = await ask('/followups/category/Family/noor', {})
  assert.equal(followups.status, 200, followups.text)
  assert.match(followups.text, /"question":"Can you tell me more about /)
  assert.equal((await ask('/followups/category/Family/nobody', {})).status, 404)

  await control('grade', { mentor: 'noor', question: 'What is the best recipe for lasagne?', answer: 'intro-home' })
  const graded = await soon('what is the best recipe for LASAGNE', ({ answer_type: type }) => type !== 'OFF_TOPIC')
  assert.deepEqual([graded.answer_id, graded.answer_type, graded.confidence], ['intro-home', 'PARAPHRASE', 1])

  await control('fault', { fault: 'refuse' })
  const { feedback_id: jobId } = await question('Where do you live?')
  assert.ok((await told()).userQuestions.every((one) => one.question !== 'Where do you live?'))
  assert.equal((await ask('/train', { mentor: 'noor' })).status, 502)
  await control('fault', { fault: 'none' })
  while (!/"status":"SUCCESS"/.test((await ask(`/v1/jobs/${jobId}`)).text)) await pause(POLL_MS)
  assert.equal((await told()).userQuestions.filter((one) => one.question === 'Where do you live?').length, 1)

  await control('remove', { mentor: 'noor', answer: 'intro-home' })
  const missing = await soon('Which town do you call home these days?', (answer) => answer.answer_missing)
  assert.deepEqual([missing.answer_type, missing.confidence], ['OFF_TOPIC', -1])

  service.child.kill('SIGTERM')
  assert.deepEqual(await service.exited, [0, null])
  const logged = JSON.stringify(service.log)
  assert.doesNotMatch(logged, /key-one|lasagne|Which town/)
})
