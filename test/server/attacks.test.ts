/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// Requests that were found to end the process, or to keep it from answering others: each against the service as a process of
// its own, with little memory.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { SignJWT } from 'jose'
import { startService, type Service } from '../app/service-process.ts'
import { bodyOf, head, open, statusOf, type Said } from './raw-connection.ts'
import { JWT_SECRET } from './test-app.ts'

const ENTRY = fileURLToPath(new URL('../app/service-stand-in.ts', import.meta.url))
const MB = 1_048_576

interface Target {
  readonly service: Service
  readonly origin: string
  readonly port: number
}

async function start(t: TestContext, env: Record<string, string> = {}): Promise<Target> {
  const service = startService(t, ENTRY, {
    JWT_SECRET_KEY: JWT_SECRET,
    API_SECRET_KEY: 'key-one',
    JOBS_CONCURRENCY: '0',
    NODE_OPTIONS: '--max-old-space-size=192',
    ...env
  })
  const origin = String((await service.logged('listening'))['address'])
  await service.logged('ready')
  return { service, origin, port: Number(new URL(origin).port) }
}

/** A caller who may do next to nothing. */
async function tokenOf(id = 'user-1', mentorIds: readonly string[] = []): Promise<string> {
  return new SignJWT({ id, role: 'USER', mentorIds: [...mentorIds] })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(JWT_SECRET))
}

/** The most memory that the process has had. */
function peakBytes({ service }: Target): number {
  const status = readFileSync(`/proc/${service.child.pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024
}

/** Sign of a process that hangs; it says nothing of how fast one is. */
const HANGING_MS = 20_000

/** Asks for the health of the process again and again; each time it must answer. @returns how to stop */
function watchHealth({ origin }: Target): () => Promise<number> {
  const over = new AbortController()
  let count = 0
  const watching = (async () => {
    while (!over.signal.aborted) {
      const reply = await fetch(`${origin}/health/live`, { signal: AbortSignal.timeout(HANGING_MS) })
      assert.equal(reply.status, 200)
      await reply.text()
      count += 1
      await sleep(20)
    }
  })()
  // It is told where the watch is stopped.
  watching.catch(() => undefined)
  return async () => {
    over.abort()
    await watching
    return count
  }
}

/** A test that hangs ends, however loaded the machine is. */
const BOUNDED = { timeout: 240_000 }
const LINUX = { ...BOUNDED, skip: process.platform === 'linux' ? false : 'memory is read from /proc' }

test('a job of millions of brackets is refused, and others are answered meanwhile', LINUX, async (t) => {
  const target = await start(t)
  const headers = { authorization: `Bearer ${await tokenOf()}`, 'content-type': 'application/json' }
  const before = peakBytes(target)
  const stop = watchHealth(target)
  for (const [body, status, message] of [
    [Buffer.concat([Buffer.alloc(15 * MB, '['), Buffer.alloc(15 * MB, ']')]), 400, /nested more than 64 deep/],
    // Not deep: parsed, it would take many times its length.
    [Buffer.from(`[${'[],'.repeat(10 * MB)}0]`), 413, /would take some \d+ bytes of memory/],
    [Buffer.from(`{"type":"encode","input":{"sentences":[${'{},'.repeat(8 * MB)}0]}}`), 413, /would take some/]
  ] as const) {
    const reply = await fetch(`${target.origin}/v1/jobs`, { method: 'POST', headers, body })
    const told: { message: string } = JSON.parse(await reply.text())
    assert.equal(reply.status, status, told.message)
    assert.match(told.message, message)
  }
  for (const path of ['/v1/encode', '/v1/embeddings', '/v2/models/all-MiniLM-L6-v2/infer']) {
    const reply = await fetch(`${target.origin}${path}`, { method: 'POST', headers, body: '['.repeat(1_000_000) })
    assert.equal(reply.status, 400)
    assert.match(await reply.text(), /nested more than 64 deep/)
  }
  assert.ok((await stop()) > 0)
  const grown = peakBytes(target) - before
  assert.ok(grown < 250 * MB, `grew by ${grown} bytes`)
})

test('a large job is read in a thread, and its lines one by one', BOUNDED, async (t) => {
  const target = await start(t)
  const headers = { authorization: `Bearer ${await tokenOf()}`, 'content-type': 'application/json' }
  const sentences = Array.from({ length: 20_000 }, (_, i) => `sentence ${i} ${'x'.repeat(30)}`)
  const post = async (body: string, type: string) =>
    fetch(`${target.origin}/v1/jobs`, { method: 'POST', headers: { ...headers, 'content-type': type }, body })
  const json = await post(JSON.stringify({ type: 'encode', input: { sentences } }), 'application/json')
  assert.equal(json.status, 202)
  const wrong = await post(
    JSON.stringify({ type: 'encode', input: { sentences: [...sentences, 1] } }),
    'application/json'
  )
  assert.equal(wrong.status, 400)
  assert.match(await wrong.text(), /"errors":\{"sentences\.20000":/)
  // As many lines as half its bytes: counted without making a text of each.
  const lines = await post('a\n'.repeat(5 * MB), 'application/jsonl')
  assert.equal(lines.status, 400)
  assert.match(await lines.text(), /more than 50000 lines/)
})

test(
  'bodies that never end are bounded for each caller and for all, and whoever leaves makes room',
  LINUX,
  async (t) => {
    const target = await start(t, { BODIES_UNDER_WAY_BYTES: String(16 * MB), REQUEST_TIMEOUT_SECONDS: '600' })
    const before = peakBytes(target)
    const stop = watchHealth(target)
    const sendForEver = async (id: string): Promise<Said> => {
      const headers = {
        authorization: `Bearer ${await tokenOf(id)}`,
        'content-type': 'application/json',
        'content-length': String(60 * MB)
      }
      const said = open(target, head('POST', '/v1/jobs', headers))
      said.socket.write(Buffer.alloc(3 * MB, ' '))
      return said
    }
    const ofOne = await Promise.all(Array.from({ length: 6 }, () => sendForEver('user-1')))
    await Promise.race(ofOne.map((said) => once(said.socket, 'data')))
    const refused = ofOne.filter((said) => said.text !== '')
    for (const said of refused) {
      assert.equal(statusOf(said), 429)
      assert.match(said.text, /\r\nretry-after: \d+\r\n/)
      assert.equal(bodyOf(said)['code'], 'TOO_MANY_REQUESTS')
    }
    const ofOthers = await Promise.all(Array.from({ length: 8 }, (_, i) => sendForEver(`user-${10 + i}`)))
    await Promise.race(ofOthers.map((said) => once(said.socket, 'data')))
    const overloaded = ofOthers.find((said) => said.text !== '')
    assert.ok(overloaded)
    assert.equal(statusOf(overloaded), 503)
    assert.match(overloaded.text, /\r\nretry-after: \d+\r\n/)
    for (const { socket } of [...ofOne, ...ofOthers]) socket.destroy()
    await Promise.all([...ofOne, ...ofOthers].map((said) => said.closed))
    // As much as one caller may have: taken once the process has seen that the others are gone.
    const body = JSON.stringify({ type: 'encode', input: { sentences: ['a'] } }).padEnd(7 * MB, ' ')
    const headers = { authorization: `Bearer ${await tokenOf()}`, 'content-type': 'application/json' }
    let status = 0
    for (let tries = 0; tries < 50 && status !== 202; tries += 1) {
      const reply = await fetch(`${target.origin}/v1/jobs`, { method: 'POST', headers, body })
      status = reply.status
      await reply.text()
      if (status !== 202) await sleep(100)
    }
    assert.equal(status, 202)
    assert.ok((await stop()) > 0)
    const grown = peakBytes(target) - before
    assert.ok(grown < 200 * MB, `grew by ${grown} bytes`)
  }
)

test('uploads of one caller wait in a bounded line, which those who left do not hold', LINUX, async (t) => {
  const target = await start(t, { MAX_WAITING_BODIES: '4' })
  const before = peakBytes(target)
  const stop = watchHealth(target)
  // One row with more paraphrases than a mentor may have.
  const paraphrases = `${'"p",'.repeat(1_000_000)}"p"`
  const mentor = Buffer.from(
    `{"answers":[{"_id":"a","question":{"_id":"q","question":"Q?","paraphrases":[${paraphrases}]}}]}`
  )
  const headers = {
    authorization: `Bearer ${await tokenOf('user-1', ['mentor-1'])}`,
    'content-type': 'application/json',
    'content-length': String(mentor.length)
  }
  const uploads = Array.from({ length: 10 }, () =>
    open(target, Buffer.concat([Buffer.from(head('PUT', '/mentors/mentor-1', headers)), mentor]))
  )
  await Promise.race(uploads.map((said) => once(said.socket, 'data')))
  for (const { socket } of uploads.slice(0, 5)) socket.destroy()
  const small = await fetch(`${target.origin}/mentors/mentor-2`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${await tokenOf('user-2', ['mentor-2'])}`, 'content-type': 'text/csv' },
    body: `id,question,answer\n${Array.from({ length: 4000 }, (_, i) => `a${i},What is ${i}?,It is ${i} of all these things`).join('\n')}`
  })
  assert.equal(small.status, 200)
  await Promise.all(uploads.slice(5).map(async (said) => said.text !== '' || once(said.socket, 'data')))
  for (const said of uploads.slice(5)) assert.ok([413, 429, 503].includes(statusOf(said)), said.text.slice(0, 300))
  assert.ok(uploads.some((said) => statusOf(said) === 429))
  for (const { socket } of uploads) socket.destroy()
  assert.ok((await stop()) > 0)
  const grown = peakBytes(target) - before
  assert.ok(grown < 450 * MB, `grew by ${grown} bytes`)
})

test('without any key: pipelined requests whose replies are not read do not fill the memory', LINUX, async (t) => {
  const target = await start(t)
  await (await fetch(`${target.origin}/docs/json`)).text()
  const before = peakBytes(target)
  const stop = watchHealth(target)
  const requests = 'GET /docs/json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1700)
  const connections = Array.from({ length: 12 }, () => {
    const said = open(target, requests)
    said.socket.pause()
    return said
  })
  await Promise.all(connections.map(({ socket }) => (socket.resume(), once(socket, 'close').catch(() => undefined))))
  const reply = await fetch(`${target.origin}/docs/json`)
  assert.equal(reply.status, 200)
  await reply.text()
  assert.ok((await stop()) > 0)
  const grown = peakBytes(target) - before
  assert.ok(grown < 100 * MB, `grew by ${grown} bytes`)
})

test(
  'as many pipelined requests as are allowed are answered in order, one more ends the connection',
  BOUNDED,
  async (t) => {
    const target = await start(t, { MAX_PIPELINED_REQUESTS: '5' })
    const request = head('GET', '/health/live', {})
    const five = open(target, request.repeat(4) + head('GET', '/health/live', { Connection: 'close' }))
    await five.closed
    assert.equal(five.text.match(/HTTP\/1\.1 200 OK/g)?.length, 5)
    const six = open(target, request.repeat(6))
    await six.closed
    assert.ok((six.text.match(/HTTP\/1\.1 200 OK/g)?.length ?? 0) < 6)
  }
)

test('a reply that is not taken is given up after a while', BOUNDED, async (t) => {
  const target = await start(t, { UNREAD_REPLY_SECONDS: '1' })
  const body = JSON.stringify({ sentences: Array.from({ length: 2048 }, (_, i) => `sentence ${i}`) })
  const headers = {
    authorization: 'Bearer key-one',
    'content-type': 'application/json',
    'content-length': String(body.length)
  }
  const said = open(target, head('POST', '/v1/encode/multiple_encode', headers) + body)
  await once(said.socket, 'data')
  said.socket.pause()
  await sleep(5000)
  said.socket.resume()
  await said.closed
  const length = Number(/content-length: (\d+)/.exec(said.text)?.[1])
  assert.ok(length > 5 * MB)
  assert.ok(said.text.length < length, 'the connection was closed before all was sent')
  assert.equal((await fetch(`${target.origin}/health/live`)).status, 200)
})

test(
  'slow bodies, broken chunks and unknown expectations are answered in the shape of all errors',
  BOUNDED,
  async (t) => {
    const target = await start(t, { REQUEST_TIMEOUT_SECONDS: '1' })
    const post = {
      authorization: 'Bearer key-one',
      'content-type': 'application/json'
    }
    for (const [request, status, code] of [
      [head('POST', '/v1/encode', { ...post, 'content-length': '50' }) + '{"query":', 408, 'REQUEST_TIMEOUT'],
      [head('POST', '/v1/jobs', { ...post, 'content-length': '500000' }) + '{"query":', 408, 'REQUEST_TIMEOUT'],
      ['GET / HTTP/1.1\r\nHost: x\r\nX-Never:', 408, 'REQUEST_TIMEOUT'],
      [
        head('POST', '/v1/encode', { ...post, 'transfer-encoding': 'chunked' }) + 'zz\r\nhello\r\n',
        400,
        'INVALID_REQUEST'
      ],
      [head('POST', '/v1/jobs', { ...post, 'transfer-encoding': 'chunked' }) + '5\r\nhelloXX', 400, 'INVALID_REQUEST'],
      [head('GET', '/v1/ping', { ...post, expect: 'a-miracle' }), 417, 'EXPECTATION_FAILED'],
      [head('GET', '/v1/ping', { ...post, Host: 'a\r\nhOST: b' }), 400, 'INVALID_REQUEST'],
      [
        head('POST', '/v1/encode', { ...post, 'transfer-encoding': 'gzip, chunked' }) + '0\r\n\r\n',
        501,
        'NOT_IMPLEMENTED'
      ]
    ] as const) {
      const said = open(target, request)
      await said.closed
      assert.equal(statusOf(said), status, `${request} ${said.text}`)
      const { statusCode, error, message, ...rest } = bodyOf(said)
      assert.deepEqual([statusCode, typeof error, typeof message], [status, 'string', 'string'])
      assert.deepEqual(rest, { code })
      assert.match(said.text, /\r\nx-request-id: /)
    }
  }
)

test('Expect: 100-continue is told the final refusal when there is one, and else to go on', BOUNDED, async (t) => {
  const target = await start(t)
  const post = { 'content-type': 'application/json', 'content-length': '13', expect: '100-continue' }
  const authorization = 'Bearer key-one'
  for (const [headers, status] of [
    [post, 401],
    [{ ...post, authorization, 'content-length': '99000000' }, 413],
    [{ ...post, authorization, 'content-type': 'text/plain' }, 415]
  ] as const) {
    const said = open(target, head('POST', '/v1/encode', headers))
    await said.closed
    assert.equal(statusOf(said), status)
    assert.ok(!said.text.includes('100 Continue'))
  }
  const said = open(target, head('POST', '/v1/encode', { ...post, authorization, connection: 'close' }))
  await once(said.socket, 'data')
  assert.equal(said.text, 'HTTP/1.1 100 Continue\r\n\r\n')
  said.socket.write('{"query":"a"}')
  await said.closed
  assert.match(said.text, /HTTP\/1\.1 200 OK/)
})

test('no word of a broken body is in a reply or in the log', BOUNDED, async (t) => {
  const target = await start(t, { LOG_LEVEL: 'trace' })
  const secret = 'my-private-words'
  const csv = 'text/csv'
  const json = 'application/json'
  for (const [method, path, type] of [
    ['PUT', '/mentors/m', json],
    ['PUT', '/mentors/m', csv],
    ['POST', '/v1/jobs', json],
    ['POST', '/v1/jobs', 'application/jsonl'],
    ['POST', '/v1/classifiers/c/train', json],
    ['POST', '/v1/classifiers/c/train', csv],
    ['POST', '/v1/encode', json],
    ['POST', '/v2/models/all-MiniLM-L6-v2/infer', json]
  ] as const) {
    for (const body of [`{"${secret}`, `{"a":"${secret}"`.padEnd(200_000, ' '), `${secret},"${secret}\n"${secret}`]) {
      const reply = await fetch(`${target.origin}${path}`, {
        method,
        headers: { authorization: 'Bearer key-one', 'content-type': type },
        body
      })
      const told = await reply.text()
      assert.ok(reply.status < 500, told)
      assert.ok(!told.includes(secret), `${path} ${type}: ${told}`)
    }
  }
  target.service.child.kill('SIGTERM')
  await target.service.exited
  assert.ok(target.service.log.length > 24)
  const all = JSON.stringify([target.service.log, target.service.stderr])
  assert.ok(!all.includes(secret), all.slice(Math.max(0, all.indexOf(secret) - 300), all.indexOf(secret) + 50))
})

test('a full disk refuses jobs, says so in readiness and metrics, and keeps the rest going', BOUNDED, async (t) => {
  const target = await start(t, { JOBS_MAX_BYTES: '2000000', JOBS_RESERVE_BYTES: '4000000' })
  const headers = { authorization: 'Bearer key-one', 'content-type': 'application/json' }
  const body = JSON.stringify({ type: 'encode', input: { sentences: ['a'] } })
  const refused = await fetch(`${target.origin}/v1/jobs`, { method: 'POST', headers, body })
  assert.equal(refused.status, 503)
  assert.equal(refused.headers.get('retry-after'), '30')
  assert.match(await refused.text(), /kept for the results of those accepted/)
  await target.service.logged('new jobs are refused: there is no room for them')
  const ready = await fetch(`${target.origin}/health/ready`)
  assert.equal(ready.status, 200)
  assert.match(await ready.text(), /new jobs are refused: the disk is full/)
  assert.equal((await fetch(`${target.origin}/v1/encode?query=a`, { headers })).status, 200)
})

test('with too little memory all work is refused but health, which says why', BOUNDED, async (t) => {
  const target = await start(t, { MEMORY_LIMIT_BYTES: String(32 * MB) })
  const headers = { authorization: 'Bearer key-one' }
  const refused = await fetch(`${target.origin}/v1/encode?query=a`, { headers })
  assert.equal(refused.status, 503)
  assert.equal(refused.headers.get('retry-after'), '5')
  assert.equal((await fetch(`${target.origin}/health/live`)).status, 200)
  const ready = await fetch(`${target.origin}/health/ready`)
  assert.equal(ready.status, 503)
  assert.match(await ready.text(), /all work is refused: memory is nearly full/)
})

test(
  'a table of nothing but separators is refused, and a form of a million parts does not hold up the others',
  BOUNDED,
  async (t) => {
    const target = await start(t)
    const stop = watchHealth(target)
    const authorization = 'Bearer key-one'
    for (const [method, path, cell] of [
      ['POST', '/v1/classifiers/c/train', ','],
      ['POST', '/v1/classifiers/c/train', ';'],
      ['PUT', '/mentors/m', '\t']
    ] as const) {
      const reply = await fetch(`${target.origin}${path}`, {
        method,
        headers: { authorization, 'content-type': 'text/csv' },
        body: cell.repeat(30 * MB)
      })
      const told = await reply.text()
      assert.equal(reply.status, 413, told)
      assert.match(told, /its CSV would take some \d+ bytes of memory/)
    }
    const part = '--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n'
    for (const body of [part.repeat(500_000), `--b\r\n${'a: b\r\n'.repeat(4_000_000)}`, '--'.repeat(10 * MB)]) {
      const reply = await fetch(`${target.origin}/v1/classifiers/c/versions`, {
        method: 'PUT',
        headers: { authorization, 'content-type': 'multipart/form-data; boundary=b' },
        body
      })
      assert.equal(reply.status, 400, await reply.text())
    }
    assert.ok((await stop()) > 0)
  }
)
