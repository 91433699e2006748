/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { SignJWT } from 'jose'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'

import { ServiceError } from '../../../../src/errors.ts'
import { MAX_JOB_SENTENCES, encodeJob, paraphraseJob, sentencesInput } from '../../../../src/jobs/encode-job.ts'
import { DEFAULT_JOB_POLICY, type Job } from '../../../../src/jobs/job.ts'
import { JobRunner, type JobHandler } from '../../../../src/jobs/job-runner.ts'
import { MemoryJobBackend } from '../../../../src/jobs/memory-job-backend.ts'
import { packPayload } from '../../../../src/jobs/payload.ts'
import { ReadingLine } from '../../../../src/reading/reading-line.ts'
import type { JobRouteOptions } from '../../../../src/server/routes/jobs/enqueue-routes.ts'
import { AUTHORIZED, JWT_SECRET, StandInEncoder, buildTestApp, embeddingOf } from '../../test-app.ts'

const LIMITS = { maxTextCharacters: 1000 }

interface JobApp {
  readonly backend: MemoryJobBackend
  readonly encoder: StandInEncoder
  /** Begins to do jobs: until then all are queued. */
  readonly work: (handlers?: ReadonlyMap<string, JobHandler>) => void
  readonly ask: (options: InjectOptions) => Promise<LightMyRequestResponse>
  /** Hands in a job and gives its id. */
  readonly post: (payload: object, headers?: Record<string, string>) => Promise<string>
}

async function open(t: TestContext, parts: Partial<JobRouteOptions> = {}): Promise<JobApp> {
  const backend = new MemoryJobBackend({ policy: { ...DEFAULT_JOB_POLICY, retryBaseMs: 0 } })
  const encoder = new StandInEncoder()
  const jobs: JobRouteOptions = {
    backend,
    types: new Map([
      ['encode', { input: sentencesInput(LIMITS), priority: 'bulk' }],
      ['paraphrase', { input: sentencesInput(LIMITS), priority: 'bulk' }]
    ]),
    line: new ReadingLine({ maxWaitingBodies: 4, maxWaitingOfCaller: 4, readingMemoryBytes: 268_435_456 }),
    maxJsonDepth: 64,
    jobBodyLimitBytes: 8_000_000,
    callbacks: { allowsPrivate: false },
    ...parts
  }
  const { app } = await buildTestApp(t, {}, { jobs })
  const ask = (options: InjectOptions): Promise<LightMyRequestResponse> =>
    app.inject({ ...options, headers: { ...AUTHORIZED, ...options.headers } })
  return {
    backend,
    encoder,
    ask,
    work(handlers) {
      const own = new Map([
        ['encode', encodeJob(encoder, LIMITS)],
        ['paraphrase', paraphraseJob(encoder, LIMITS)]
      ])
      const runner = new JobRunner({ backend, handlers: handlers ?? own, drainMs: 0 })
      t.after(() => runner.stop())
      runner.start()
    },
    async post(payload, headers = {}) {
      const reply = await ask({ method: 'POST', url: '/v1/jobs', payload, headers })
      assert.equal(reply.statusCode, 202, reply.body)
      const { id }: { id: string } = reply.json()
      return id
    }
  }
}

async function bearer(claims: object): Promise<Record<string, string>> {
  const token = await new SignJWT({ role: 'USER', mentorIds: [], ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(JWT_SECRET))
  return { authorization: `Bearer ${token}` }
}

const ENCODE = { type: 'encode', input: { sentences: ['hello world', 'good bye'] } }

/** Has every try of a job fail. */
const failing: ReadonlyMap<string, JobHandler> = new Map([
  [
    'encode',
    async () => {
      throw new Error('boom')
    }
  ]
])

test('POST /v1/jobs accepts a job, and its result is the reply of multiple_encode', async (t) => {
  const { ask, backend, encoder, work } = await open(t)
  const reply = await ask({ method: 'POST', url: '/v1/jobs', payload: ENCODE })
  assert.equal(reply.statusCode, 202)
  const accepted: { id: string; status: string; statusUrl: string; resultUrl: string } = reply.json()
  assert.deepEqual(accepted, {
    id: accepted.id,
    status: 'QUEUED',
    statusUrl: `/v1/jobs/${accepted.id}`,
    resultUrl: `/v1/jobs/${accepted.id}/result`
  })
  assert.equal(reply.headers['location'], accepted.statusUrl)
  assert.equal((await ask({ url: accepted.resultUrl })).statusCode, 409)

  work()
  await backend.waitUntilEnded(accepted.id, 5000)
  const status: Record<string, unknown> = (await ask({ url: accepted.statusUrl })).json()
  assert.deepEqual(
    { ...status, created: undefined, updated: undefined },
    {
      ...accepted,
      type: 'encode',
      status: 'SUCCESS',
      progress: 1,
      attempts: 1,
      priority: 'bulk',
      created: undefined,
      updated: undefined
    }
  )
  const result = await ask({ url: accepted.resultUrl })
  assert.equal(result.statusCode, 200)
  assert.match(String(result.headers['content-type']), /^application\/json/)
  assert.equal(result.headers['x-model-revision'], encoder.revision)
  const { data }: { data: { original: string; encoded: number[] }[] } = result.json()
  assert.deepEqual(
    data.map(({ original }) => original),
    ENCODE.input.sentences
  )
  for (const { original, encoded } of data) assert.deepEqual(Float32Array.from(encoded), embeddingOf(original))
  assert.equal(encoder.options[0]?.lane, 'bulk')
})

test('POST /v1/jobs does paraphrase', async (t) => {
  const { ask, backend, post, work } = await open(t)
  work()
  const id = await post({ type: 'paraphrase', input: { sentences: ['a', 'b', 'a'] } })
  await backend.waitUntilEnded(id, 5000)
  const { pairs }: { pairs: [number, number, number][] } = (await ask({ url: `/v1/jobs/${id}/result` })).json()
  assert.equal(pairs.length, 3)
  assert.deepEqual(pairs[0]?.slice(1), [0, 2])
  assert(Math.abs(pairs[0][0] - 1) < 1e-6)
})

test('POST /v1/jobs with JSON lines answers line by line, errors in their place', async (t) => {
  const { ask, backend, encoder, work } = await open(t)
  work()
  const lines = [
    '{"custom_id":"a","query":" hello world "}',
    '{"custom_id":"b"}',
    '',
    'not json',
    '{"query":"good bye"}',
    '{"custom_id":"a","query":"again"}',
    '{"custom_id":7,"query":"x"}',
    '[]'
  ]
  for (const contentType of ['application/jsonl', 'application/x-ndjson']) {
    const reply = await ask({
      method: 'POST',
      url: '/v1/jobs',
      payload: lines.join('\r\n'),
      headers: { 'content-type': contentType }
    })
    assert.equal(reply.statusCode, 202, reply.body)
    const { id, resultUrl }: { id: string; resultUrl: string } = reply.json()
    await backend.waitUntilEnded(id, 5000)
    const result = await ask({ url: resultUrl })
    assert.equal(result.headers['content-type'], 'application/jsonl')
    type Answer = { custom_id: string | null; encoding?: number[]; error?: { code: string; message: string } }
    const answers = result.body
      .trimEnd()
      .split('\n')
      .map((line): Answer => JSON.parse(line))
    assert.deepEqual(
      answers.map((answer) => [answer.custom_id, answer.error?.code ?? answer.encoding?.length]),
      [
        ['a', 384],
        ['b', 'INVALID_REQUEST'],
        [null, 'INVALID_REQUEST'],
        [null, 384],
        ['a', 'INVALID_REQUEST'],
        [null, 'INVALID_REQUEST'],
        [null, 'INVALID_REQUEST']
      ]
    )
    assert.deepEqual(Float32Array.from(answers[0]?.encoding ?? []), embeddingOf('hello world'))

    for (const how of [
      { url: `${resultUrl}?format=float32` },
      { url: resultUrl, headers: { accept: 'application/octet-stream' } }
    ]) {
      const raw = await ask(how)
      assert.equal(raw.headers['content-type'], 'application/octet-stream')
      const floats = new Float32Array(new Uint8Array(raw.rawPayload).buffer)
      assert.equal(floats.length, 7 * 384)
      assert.deepEqual(floats.subarray(3 * 384, 4 * 384), embeddingOf('good bye'))
      assert(floats.subarray(384, 2 * 384).every(Number.isNaN))
    }
    assert.equal((await ask({ url: `${resultUrl}?format=json` })).statusCode, 400)
  }
  assert.deepEqual(encoder.calls[0], ['hello world', 'good bye'])
})

test('POST /v1/jobs takes 50,000 lines and no more', async (t) => {
  const { ask } = await open(t)
  const line = '{"query":"x"}\n'
  const headers = { 'content-type': 'application/jsonl' }
  const most = await ask({ method: 'POST', url: '/v1/jobs', payload: line.repeat(MAX_JOB_SENTENCES), headers })
  assert.equal(most.statusCode, 202)
  for (const payload of [line.repeat(MAX_JOB_SENTENCES + 1), '\n \n']) {
    const refused = await ask({ method: 'POST', url: '/v1/jobs', payload, headers })
    assert.equal(refused.statusCode, 400)
    assert('body' in refused.json().errors)
  }
})

test('POST /v1/jobs says what is wrong, by field', async (t) => {
  const { ask } = await open(t)
  const wrong: [object, string, RegExp][] = [
    [{ input: {} }, 'type', /required field/],
    [{ type: 'encode' }, 'input', /required field/],
    [{ type: 'no-such-type', input: {} }, 'type', /encode, paraphrase/],
    [{ type: 'encode', input: {} }, 'sentences', /required field/],
    [{ type: 'encode', input: { sentences: [1] } }, 'sentences.0', /string/],
    [{ type: 'encode', input: { sentences: [] } }, 'sentences', /./],
    [{ type: 'encode', input: { sentences: ['x'.repeat(1001)] } }, 'sentences.0', /1000/],
    [{ ...ENCODE, callbackUrl: 'ftp://example.org' }, 'callbackUrl', /http/],
    [{ ...ENCODE, callbackUrl: 'http://169.254.169.254/latest' }, 'callbackUrl', /private/],
    [{ ...ENCODE, callbackUrl: 'https://user:secret@example.org' }, 'callbackUrl', /password/]
  ]
  for (const [payload, field, reason] of wrong) {
    const reply = await ask({ method: 'POST', url: '/v1/jobs', payload })
    assert.equal(reply.statusCode, 400, JSON.stringify(payload))
    const { errors }: { errors: Record<string, string[]> } = reply.json()
    assert.deepEqual(Object.keys(errors), [field])
    assert.match(String(errors[field]), reason)
    assert(!reply.body.includes('secret'))
  }
})

test('POST /v1/jobs refuses callbacks when there is no secret to sign them with', async (t) => {
  const { ask } = await open(t, { callbacks: undefined })
  const payload = { ...ENCODE, callbackUrl: 'https://example.org/hook' }
  assert.equal((await ask({ method: 'POST', url: '/v1/jobs', payload })).statusCode, 400)
})

test('Idempotency-Key: the same body gives the same job, another body 409, another caller another job', async (t) => {
  const { ask, post } = await open(t)
  const key = { 'idempotency-key': 'k-1' }
  const id = await post(ENCODE, key)
  assert.equal(await post(ENCODE, key), id)
  const other = await ask({
    method: 'POST',
    url: '/v1/jobs',
    payload: { ...ENCODE, input: { sentences: ['else'] } },
    headers: key
  })
  assert.equal(other.statusCode, 409)
  assert.notEqual(await post(ENCODE, { ...key, authorization: 'Bearer test-key-2' }), id)
})

test('Prefer: wait answers 200 as soon as the job has ended, and 202 when it does not', async (t) => {
  const { ask, work } = await open(t)
  const unfinished = await ask({ method: 'POST', url: '/v1/jobs', payload: ENCODE, headers: { prefer: 'wait=1' } })
  assert.equal(unfinished.statusCode, 202)
  work()
  const reply = await ask({
    method: 'POST',
    url: '/v1/jobs',
    payload: ENCODE,
    headers: { prefer: 'respond-async, wait=30' }
  })
  assert.equal(reply.statusCode, 200)
  assert.equal(reply.json().status, 'SUCCESS')
  assert.equal(reply.headers['preference-applied'], 'wait=30')
})

test('DELETE /v1/jobs/{id} calls a job off, but not one that has ended', async (t) => {
  const { ask, backend, post, work } = await open(t)
  const id = await post(ENCODE)
  const cancelled = await ask({ method: 'DELETE', url: `/v1/jobs/${id}` })
  assert.equal(cancelled.statusCode, 200)
  assert.equal(cancelled.json().status, 'FAILURE')
  assert.equal(cancelled.json().failure, 'CANCELLED')
  const result = await ask({ url: `/v1/jobs/${id}/result` })
  assert.equal(result.statusCode, 409)
  assert.match(result.json().message, /CANCELLED/)
  work()
  const doneId = await post(ENCODE)
  await backend.waitUntilEnded(doneId, 5000)
  assert.equal((await ask({ method: 'DELETE', url: `/v1/jobs/${doneId}` })).statusCode, 409)
})

test('dead letters are listed with their last error, and go back to work', async (t) => {
  const { ask, backend, post, work } = await open(t)
  work(failing)
  const ids: string[] = []
  for (let count = 0; count < 3; count += 1) {
    const id = await post(ENCODE)
    ids.push(id)
    assert.equal((await backend.waitUntilEnded(id, 5000))?.failure, 'DEAD')
  }
  type Page = {
    jobs: { id: string; status: string; failure: string; error: string; attempts: number }[]
    next?: string
  }
  const page: Page = (await ask({ url: '/v1/jobs?status=DEAD&limit=2' })).json()
  assert.deepEqual(
    page.jobs.map(({ id, failure, error, attempts }) => ({ id, failure, error, attempts })),
    [ids[2], ids[1]].map((id) => ({ id, failure: 'DEAD', error: 'boom', attempts: 5 }))
  )
  const rest: Page = (await ask({ url: `/v1/jobs?status=DEAD&limit=2&after=${page.next}` })).json()
  assert.deepEqual(
    rest.jobs.map(({ id }) => id),
    [ids[0]]
  )
  assert.equal(rest.next, undefined)

  const redriven = await ask({ method: 'POST', url: `/v1/jobs/${ids[0]}/redrive` })
  assert.equal(redriven.statusCode, 202)
  assert.equal(redriven.json().status, 'QUEUED')
  await backend.waitUntilEnded(String(ids[0]), 5000)
  const queued = await backend.enqueue({ type: 'other', input: packPayload(1) })
  assert(queued.outcome === 'added')
  assert.equal((await ask({ method: 'POST', url: `/v1/jobs/${queued.job.id}/redrive` })).statusCode, 409)
  for (const url of ['/v1/jobs?status=LOST', '/v1/jobs?status=DEAD&limit=0', '/v1/jobs?limit=x', '/v1/jobs?cursor=x']) {
    assert.equal((await ask({ url })).statusCode, 400, url)
  }
})

test('jobs are listed newest first, by status and type, in pages: one’s own, or all by right', async (t) => {
  const { ask, post, backend } = await open(t)
  const alice = await bearer({ id: 'alice-1' })
  const admin = await bearer({ id: 'admin-1', role: 'ADMIN' })
  const ids = [await post(ENCODE), await post(ENCODE)]
  const own: { id: string } = (await ask({ method: 'POST', url: '/v1/jobs', payload: ENCODE, headers: alice })).json()
  ids.push(own.id)
  const trained = await backend.enqueue({ type: 'train', input: packPayload(1) })
  assert(trained.outcome === 'added')
  ids.push(trained.job.id)
  const listed = async (query: string, headers: Record<string, string> = {}): Promise<number[]> => {
    const reply = await ask({ url: `/v1/jobs${query}`, headers })
    assert.equal(reply.statusCode, 200, reply.body)
    assert.equal(reply.headers['cache-control'], 'no-store')
    return reply.json().jobs.map(({ id }: { id: string }) => ids.indexOf(id))
  }
  assert.deepEqual(await listed(''), [3, 2, 1, 0])
  assert.deepEqual(await listed('', admin), [3, 2, 1, 0])
  assert.deepEqual(await listed('', alice), [2])
  assert.deepEqual(await listed('?type=train'), [3])
  assert.deepEqual(await listed('?type=train', alice), [])
  assert.deepEqual(await listed('?status=QUEUED&type=encode'), [2, 1, 0])
  assert.deepEqual(await listed('?status=SUCCESS'), [])
  assert.equal((await ask({ method: 'DELETE', url: `/v1/jobs/${ids[0]}` })).statusCode, 200)
  assert.deepEqual(await listed('?status=FAILURE'), [0])
  assert.deepEqual(await listed('?status=CANCELLED'), [0])
  const first = (await ask({ url: '/v1/jobs?limit=3' })).json()
  assert.deepEqual(await listed(`?limit=3&cursor=${first.next}`), [0])
  assert.deepEqual(await listed(`?limit=3&after=${first.next}`), [0], 'the name that dead letters had for it')
})

test('unknown jobs are 404, and so are the jobs of others for a token', async (t) => {
  const { ask, backend, work } = await open(t)
  const alice = await bearer({ id: 'alice-1' })
  const bob = await bearer({ id: 'bob-12' })
  const admin = await bearer({ id: 'admin-1', role: 'ADMIN' })
  const posted = await ask({ method: 'POST', url: '/v1/jobs', payload: ENCODE, headers: alice })
  const { id }: Pick<Job, 'id'> = posted.json()
  work(failing)
  await backend.waitUntilEnded(id, 5000)
  const requests = [
    { method: 'GET', url: `/v1/jobs/${id}` },
    { method: 'GET', url: `/v1/jobs/${id}/result` },
    { method: 'DELETE', url: `/v1/jobs/${id}` },
    { method: 'POST', url: `/v1/jobs/${id}/redrive` }
  ] as const
  for (const request of requests) {
    assert.equal((await ask({ ...request, headers: bob })).statusCode, 404)
    const missing = { ...request, url: request.url.replace(id, 'no-such-job') }
    assert.equal((await ask(missing)).statusCode, 404)
  }
  const listed = async (headers: Record<string, string>): Promise<number> => {
    const { jobs }: { jobs: unknown[] } = (await ask({ url: '/v1/jobs?status=DEAD', headers })).json()
    return jobs.length
  }
  assert.deepEqual([await listed(alice), await listed(bob), await listed(admin), await listed({})], [1, 0, 1, 1])
  assert.equal((await ask({ url: `/v1/jobs/${id}`, headers: admin })).statusCode, 200)
  assert.equal((await ask({ url: `/v1/jobs/${id}`, headers: { authorization: '' } })).statusCode, 401)
})

test('a store that cannot be written answers 503', async (t) => {
  const { ask, backend } = await open(t)
  t.mock.method(backend, 'enqueue').mock.mockImplementation(async () => {
    throw new ServiceError('UNAVAILABLE', 'Cannot write to the job store: the disk is full')
  })
  const reply = await ask({ method: 'POST', url: '/v1/jobs', payload: ENCODE })
  assert.equal(reply.statusCode, 503)
  assert.equal(reply.json().code, 'UNAVAILABLE')
})

test('a result that is not of an encode job comes as it was stored', async (t) => {
  const { ask, backend } = await open(t)
  const enqueued = await backend.enqueue({ type: 'train', input: packPayload(1) })
  assert(enqueued.outcome === 'added')
  const [claim] = await backend.claim({ types: ['train'], limit: 1, leaseMs: 1000, waitMs: 0 })
  assert(claim !== undefined)
  await backend.finish(claim.lease, packPayload({ version: 3 }))
  const url = `/v1/jobs/${enqueued.job.id}/result`
  assert.deepEqual((await ask({ url })).json(), { version: 3 })
  assert.equal((await ask({ url: `${url}?format=float32` })).statusCode, 400)
})
