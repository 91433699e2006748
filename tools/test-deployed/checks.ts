/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'

/** The stage under test. */
export interface Stage {
  /** Without a slash at its end. */
  readonly baseUrl: string
  readonly apiKey: string
}

/** A promise of the service that a caller can see. It throws when the stage breaks it. */
export interface Check {
  readonly name: string
  /** Whether it checks CloudFront: skipped where the stage is reached without it. */
  readonly isAtEdge?: boolean
  readonly run: (stage: Stage) => Promise<void>
}

interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

interface Call {
  readonly method?: string
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

const WITHIN_MS = 70_000
const DIMENSIONS = 384

async function ask(stage: Stage, path: string, call: Call = {}): Promise<Reply> {
  const { method = 'GET', token, headers = {}, body } = call
  const reply = await fetch(stage.baseUrl + path, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(WITHIN_MS)
  })
  return { status: reply.status, headers: reply.headers, text: await reply.text() }
}

function jsonOf(reply: Reply): Record<string, unknown> {
  assert.match(reply.headers.get('content-type') ?? '', /^application\/json\b/)
  const value: unknown = JSON.parse(reply.text)
  assert(typeof value === 'object' && value !== null)
  return { ...value }
}

function assertIsError(reply: Reply, status: number, code: string): void {
  assert.equal(reply.status, status)
  const body = jsonOf(reply)
  assert.deepEqual([body['statusCode'], body['code']], [status, code])
  assert.equal(typeof body['message'], 'string')
}

function assertIsEmbedding(value: unknown): asserts value is number[] {
  assert(Array.isArray(value) && value.length === DIMENSIONS, `${DIMENSIONS} numbers`)
  assert(Math.abs(Math.hypot(...value.map(Number)) - 1) < 1e-3, 'a vector of length 1')
}

/** A text that was never requested, so that it is in no cache. */
function freshText(): string {
  return `is anybody there ${randomUUID()}`
}

function encodePath(text: string): string {
  return `/v1/encode?query=${encodeURIComponent(text)}`
}

/** Whether the stage is behind CloudFront, which names itself in each reply. */
export async function isBehindCloudFront(stage: Stage): Promise<boolean> {
  const { headers } = await ask(stage, '/health/live')
  return headers.has('x-amz-cf-id')
}

/** Checks in the order in which a failure explains later ones. */
export const CHECKS: readonly Check[] = [
  {
    name: 'is ready',
    async run(stage) {
      assert.equal((await ask(stage, '/health/ready')).status, 200)
    }
  },
  {
    name: 'answers 401 without a key, with a wrong one, and to a JWT that says alg none',
    async run(stage) {
      const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')
      const forged = `${none}.${Buffer.from('{"id":"admin-1","role":"ADMIN","mentorIds":[]}').toString('base64url')}.x`
      for (const token of [undefined, `${stage.apiKey}x`, forged]) {
        const reply = await ask(stage, encodePath('hello world'), token === undefined ? {} : { token })
        assertIsError(reply, 401, 'UNAUTHORIZED')
        assert.match(reply.headers.get('www-authenticate') ?? '', /^Bearer /)
      }
    }
  },
  {
    name: 'encodes by GET and POST, with the same numbers',
    async run(stage) {
      const text = freshText()
      const { apiKey: token } = stage
      const got = await ask(stage, encodePath(` ${text} `), { token })
      assert.equal(got.status, 200)
      const { query, encoding } = jsonOf(got)
      assert.equal(query, text)
      assertIsEmbedding(encoding)
      assert.match(got.headers.get('cache-control') ?? '', /\bpublic\b|no-cache/)
      assert(got.headers.has('x-model-revision'))
      const posted = await ask(stage, '/v1/encode', { method: 'POST', token, body: { query: text } })
      assert.deepEqual(jsonOf(posted)['encoding'], encoding)
    }
  },
  {
    name: 'answers 304 to who has the answer',
    async run(stage) {
      const path = encodePath(freshText())
      const { apiKey: token } = stage
      const etag = (await ask(stage, path, { token })).headers.get('etag')
      assert(etag !== null)
      assert.equal((await ask(stage, path, { token, headers: { 'if-none-match': etag } })).status, 304)
    }
  },
  {
    name: 'finds like texts alike',
    async run(stage) {
      const body = { a: ['hello world'], b: ['hello world', 'a recipe for lasagne'] }
      const reply = await ask(stage, '/v1/encode/cos_sim_weight', { method: 'POST', token: stage.apiKey, body })
      const weights: unknown = jsonOf(reply)['cos_sim_weight']
      assert(Array.isArray(weights) && Array.isArray(weights[0]))
      const [same, other] = weights[0].map(Number)
      assert(same !== undefined && other !== undefined && same > 0.999 && other < same)
    }
  },
  {
    name: 'says in JSON what is wrong with a request',
    async run(stage) {
      const { apiKey: token } = stage
      assertIsError(await ask(stage, '/v1/encode', { token }), 400, 'INVALID_REQUEST')
      assertIsError(await ask(stage, '/v1/no-such-route', { token }), 404, 'NOT_FOUND')
      assertIsError(await ask(stage, '/v1/encode/multiple_encode', { token }), 405, 'METHOD_NOT_ALLOWED')
      const broken = await ask(stage, '/v1/encode', { method: 'POST', token, body: { query: '' } })
      assertIsError(broken, 400, 'INVALID_REQUEST')
    }
  },
  {
    name: 'does a job from end to end',
    async run(stage) {
      const { apiKey: token } = stage
      const body = { type: 'encode', input: { sentences: [freshText()] } }
      const accepted = await ask(stage, '/v1/jobs', { method: 'POST', token, body, headers: { prefer: 'wait=30' } })
      assert([200, 202].includes(accepted.status), `accepted, not ${accepted.status}`)
      const { id } = jsonOf(accepted)
      let ended: Record<string, unknown> = {}
      // With workers asleep the first job wakes one.
      for (let look = 0; look < 60; look += 1) {
        ended = jsonOf(await ask(stage, `/v1/jobs/${String(id)}`, { token }))
        if (ended['status'] === 'SUCCESS' || ended['status'] === 'FAILURE') break
        await new Promise((resolve) => setTimeout(resolve, 5000))
      }
      assert.equal(ended['status'], 'SUCCESS')
      const { data } = jsonOf(await ask(stage, `/v1/jobs/${String(id)}/result`, { token }))
      assert(Array.isArray(data))
      assertIsEmbedding(data[0]?.encoded)
    }
  },
  {
    name: 'at the edge: answers a known key from the cache, and nobody else',
    isAtEdge: true,
    async run(stage) {
      const path = encodePath(freshText())
      const { apiKey: token } = stage
      const first = await ask(stage, path, { token })
      const second = await ask(stage, path, { token })
      assert.match(first.headers.get('x-cache') ?? '', /^Miss/)
      assert.match(second.headers.get('x-cache') ?? '', /^Hit/)
      assert.equal(second.text, first.text)
      assertIsError(await ask(stage, path), 401, 'UNAUTHORIZED')
      assertIsError(await ask(stage, path, { token: `${token}x` }), 401, 'UNAUTHORIZED')
      const forged = { 'x-cache-scope': 'shared-' }
      assertIsError(await ask(stage, path, { headers: forged }), 401, 'UNAUTHORIZED')
    }
  },
  {
    name: 'at the edge: another spelling of a question is the same entry',
    isAtEdge: true,
    async run(stage) {
      const text = freshText()
      const { apiKey: token } = stage
      await ask(stage, encodePath(text), { token })
      const again = await ask(stage, `/v1/encode?utm_source=x&query=+${text.replaceAll(' ', '+')}%20`, { token })
      assert.match(again.headers.get('x-cache') ?? '', /^Hit/)
    }
  },
  {
    name: 'at the edge: holds no error',
    isAtEdge: true,
    async run(stage) {
      const path = `/v1/no-such-route-${randomUUID()}`
      for (let time = 0; time < 2; time += 1) {
        const reply = await ask(stage, path, { token: stage.apiKey })
        assertIsError(reply, 404, 'NOT_FOUND')
        assert.match(reply.headers.get('x-cache') ?? '', /^Error/)
      }
    }
  }
]
