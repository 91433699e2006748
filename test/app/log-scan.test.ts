/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// Everything that a process says of a whole run, at its most talkative, in its log and in its traces, is searched for what it was sent
// and told.
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SignJWT } from 'jose'
import { temporaryFolder } from '../server/mentor-app.ts'
import { openCollector } from '../tracing/collector.ts'
import { startService } from './service-process.ts'

const ENTRY = fileURLToPath(new URL('service-stand-in.ts', import.meta.url))

/** Stands in every text that is sent, so that any of them is found, whole or in part. */
const TEXT = 'Kx7SecretText'
/** Other secrets; each has a part that nothing else has. */
const SECRETS = {
  plainKey: 'Kx7PlainKey-of-the-settings',
  fileKey: 'Kx7FileKey-known-by-its-digest',
  wrongKey: 'Kx7WrongKey-of-nobody',
  jwtSecret: 'Kx7JwtSecret-of-thirty-two-characters',
  webhookSecret: 'Kx7WebhookSecret-long-enough',
  collectorKey: 'Kx7CollectorKey'
}
const ANY_SECRET = /Kx7\w+/

const CSV = `id,question,paraphrases,answer,topic
q1,What is ${TEXT} one?,${TEXT} first|Tell me of ${TEXT},The answer ${TEXT} one,Work
q2,Where is ${TEXT} two?,${TEXT} second|Where lies ${TEXT},The answer ${TEXT} two,Home
`

interface Call {
  readonly method?: string
  readonly path: string
  readonly body?: string | FormData
  readonly type?: string
  readonly headers?: Record<string, string>
}

/** Requests that are right, and some that are refused for what they hold. */
const CALLS: readonly Call[] = [
  { path: `/v1/encode?query=${TEXT}` },
  { path: `/v1/encode?query=${TEXT}` },
  { path: `/v1/encode?query=${TEXT}&truncate=${TEXT}` },
  { path: `/v1/encode?query=${TEXT}%FF` },
  { path: `/v1/${TEXT}?access_token=${SECRETS.wrongKey}` },
  { path: `/v1/models/${TEXT}` },
  { path: `/v1/jobs/${TEXT}` },
  { path: `/${'x'.repeat(600)}${TEXT}` },
  { path: `/mentors/%ZZ${TEXT}` },
  { method: 'POST', path: '/v1/encode', body: JSON.stringify({ query: TEXT }) },
  { method: 'POST', path: '/v1/encode', body: `{"query": "${TEXT}` },
  { method: 'POST', path: '/v1/encode', body: `{"${TEXT}": 1, "query": ["${TEXT}"]}` },
  { method: 'POST', path: '/v1/encode', body: `{"__proto__": {"${TEXT}": 1}}` },
  { method: 'POST', path: '/v1/encode', body: '['.repeat(10_000) + TEXT },
  { method: 'POST', path: '/v1/encode', body: JSON.stringify({ query: TEXT.repeat(10_000) }) },
  { method: 'POST', path: '/v1/encode', body: TEXT, type: `text/${TEXT}` },
  { method: 'POST', path: '/v1/encode', body: TEXT, type: `application/json; charset=${TEXT}` },
  { method: 'POST', path: '/v1/encode', body: `query=${TEXT}`, type: 'application/x-www-form-urlencoded' },
  { method: 'POST', path: '/v1/encode', body: TEXT, headers: { 'content-encoding': TEXT } },
  {
    method: 'POST',
    path: '/v1/encode',
    body: '{}',
    headers: { 'x-request-timeout-ms': TEXT, 'x-request-id': `${TEXT} \u00e9` }
  },
  { method: 'POST', path: '/v1/encode/multiple_encode', body: JSON.stringify({ sentences: [TEXT, 1, TEXT] }) },
  { method: 'POST', path: '/v1/embeddings', body: JSON.stringify({ model: TEXT, input: [TEXT, ''] }) },
  { method: 'POST', path: '/v1/tokenize', body: JSON.stringify({ inputs: { [TEXT]: TEXT } }) },
  { method: 'POST', path: '/v1/paraphrase', body: JSON.stringify({ sentences: [TEXT, `${TEXT} 2`] }) },
  { method: 'POST', path: '/v1/jobs', body: JSON.stringify({ type: TEXT, input: { sentences: [TEXT] } }) },
  {
    method: 'POST',
    path: '/v1/jobs',
    body: JSON.stringify({
      type: 'encode',
      input: { sentences: [TEXT] },
      callbackUrl: `http://127.0.0.1:1/${TEXT}?token=${SECRETS.wrongKey}`
    })
  },
  {
    method: 'POST',
    path: '/v1/jobs',
    body: JSON.stringify({ type: 'encode', input: { sentences: [TEXT] } }),
    headers: { 'idempotency-key': TEXT, prefer: 'wait=5' }
  },
  {
    method: 'POST',
    path: '/v1/jobs',
    body: JSON.stringify({ type: 'encode', input: { sentences: [`${TEXT} other`] } }),
    headers: { 'idempotency-key': TEXT }
  },
  {
    method: 'POST',
    path: '/v1/jobs',
    body: `{"custom_id":"a","query":"${TEXT}"}\n{"custom_id":"${TEXT}"\n`,
    type: 'application/jsonl',
    headers: { prefer: 'wait=5' }
  },
  { method: 'PUT', path: '/mentors/clint', body: CSV, type: 'text/csv' },
  { method: 'PUT', path: '/mentors/broken', body: `${CSV}"${TEXT},"x"y\n`, type: 'text/csv' },
  { method: 'PUT', path: '/mentors/broken', body: `{"questions": [{"${TEXT}": "${TEXT}"` },
  {
    method: 'PUT',
    path: '/mentors/broken',
    body: JSON.stringify({ mentorType: TEXT, answers: [{ transcript: TEXT }] })
  },
  { method: 'POST', path: '/train', body: JSON.stringify({ mentor: 'clint' }) },
  { method: 'POST', path: '/train', body: JSON.stringify({ mentor: 'nobody', arch: TEXT }) },
  { path: `/questions?mentor=clint&query=${TEXT}+first` },
  { path: `/questions?mentor=clint&query=Who+knows+${TEXT}&chatsessionid=${TEXT}` },
  { path: '/mentors/clint/review' },
  {
    method: 'POST',
    path: '/mentors/clint/review',
    body: JSON.stringify({ decisions: [{ question: TEXT, answer: TEXT }] })
  },
  { method: 'POST', path: `/followups/category/${TEXT}/clint`, body: '{}' },
  {
    method: 'POST',
    path: '/v1/classifiers/letters/train',
    body: `text,label\n${TEXT},a\n"${TEXT},b\n`,
    type: 'text/csv'
  },
  {
    method: 'POST',
    path: '/v1/classifiers/letters/train',
    body: JSON.stringify({ rows: [{ text: TEXT, label: TEXT }] })
  },
  { method: 'POST', path: '/v1/classifiers/letters/predict', body: JSON.stringify({ text: [TEXT] }) },
  { method: 'POST', path: '/v1/classifiers/letters/versions', body: TEXT, type: 'application/octet-stream' },
  { method: 'PUT', path: '/v1/classifiers/letters/versions', body: formOf({ model: TEXT, signature: `{"${TEXT}` }) },
  { method: 'PUT', path: '/v1/classifiers/letters/versions', body: formOf({ [TEXT]: TEXT }) },
  {
    method: 'PUT',
    path: '/v1/classifiers/letters/versions',
    body: `--${TEXT}\r\nbroken ${TEXT}`,
    type: `multipart/form-data; boundary=${TEXT}`
  },
  {
    method: 'POST',
    path: '/v2/models/all-MiniLM-L6-v2/infer',
    body: JSON.stringify({ inputs: [{ name: TEXT, shape: [1], datatype: 'BYTES', data: [TEXT] }] })
  },
  { method: 'POST', path: '/v2/models/all-MiniLM-L6-v2/infer', body: `{"inputs": ${TEXT}` }
]

/** What no HTTP client would send. */
const RAW = [
  `GET /${TEXT} HTTP/9.9\r\n\r\n`,
  `${TEXT} / HTTP/1.1\r\nHost: a\r\n\r\n`,
  `GET /v1/encode?query=${TEXT} HTTP/1.1\r\nHost: a\r\nHost: ${TEXT}\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: a\r\n${TEXT} no colon\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: a\r\nx-long: ${TEXT.repeat(2000)}\r\n\r\n`,
  `POST /v1/encode HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${SECRETS.plainKey}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"que\r\n${TEXT}\r\n`,
  `POST /v1/encode HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${SECRETS.plainKey}\r\nContent-Length: 9\r\nContent-Length: 8\r\n\r\n${TEXT}`,
  `POST /v1/encode HTTP/1.1\r\nHost: a\r\nExpect: ${TEXT}\r\n\r\n`,
  `GET /v1/encode HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${SECRETS.plainKey}\r\nUpgrade: ${TEXT}\r\nConnection: upgrade\r\n\r\n`,
  TEXT
]

function formOf(parts: Record<string, string>): FormData {
  const form = new FormData()
  for (const [name, text] of Object.entries(parts)) form.append(name, new Blob([text]), `${TEXT}.onnx`)
  return form
}

async function tokenOf(secret: string, claims: Record<string, unknown> = {}): Promise<string> {
  return new SignJWT({ id: 'user-1', role: 'USER', mentorIds: ['clint'], ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret))
}

/** Sends bytes, and waits for the end of the connection, or a little while where the server waits for more. */
async function sendRaw(address: URL, bytes: string): Promise<void> {
  const socket = connect(Number(address.port), address.hostname, () => socket.write(bytes))
  socket.on('error', () => undefined).resume()
  const timer = setTimeout(() => socket.destroy(), 500)
  await once(socket, 'close')
  clearTimeout(timer)
}

test('no log and no trace of a whole run holds a text, key or token, of broken requests either', async (t) => {
  const collector = await openCollector(t)
  const keysFile = join(await temporaryFolder(t), 'keys.json')
  const entry = {
    name: 'file',
    sha256: hash('sha256', SECRETS.fileKey),
    scopes: ['encode'],
    rate: { requests: 5, seconds: 60 }
  }
  await writeFile(keysFile, JSON.stringify({ keys: [entry] }))
  const service = startService(t, ENTRY, {
    API_SECRET_KEY: SECRETS.plainKey,
    API_KEYS_FILE: keysFile,
    JWT_SECRET_KEY: SECRETS.jwtSecret,
    WEBHOOK_SECRET: SECRETS.webhookSecret,
    WEBHOOK_ALLOW_PRIVATE: 'true',
    BODY_LIMIT_BYTES: '65536',
    LOG_LEVEL: 'trace',
    LOG_LINES_PER_SECOND: '50',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${SECRETS.collectorKey}`,
    OTEL_BSP_MAX_QUEUE_SIZE: '100000'
  })
  const address = new URL(String((await service.logged('listening'))['address']))
  await service.logged('ready')

  const token = await tokenOf(SECRETS.jwtSecret)
  const refusedTokens = [
    await tokenOf(SECRETS.jwtSecret, { exp: 1 }),
    await tokenOf('another-secret-of-thirty-two-characters'),
    `${token}x`,
    token.split('.').slice(0, 2).join('.')
  ]
  const credentials = [SECRETS.plainKey, SECRETS.fileKey, SECRETS.wrongKey, token]
  const statuses = new Set<number>()
  const send = async ({ method = 'GET', path, body, type, headers }: Call, credential: string): Promise<void> => {
    const contentType = typeof body === 'string' ? { 'content-type': type ?? 'application/json' } : {}
    try {
      const reply = await fetch(new URL(path, address), {
        method,
        headers: {
          authorization: `Bearer ${credential}`,
          baggage: `text=${TEXT}`,
          traceparent: TEXT,
          ...contentType,
          ...headers
        },
        ...(body !== undefined && { body })
      })
      statuses.add(reply.status)
      await reply.bytes()
    } catch (error) {
      // Ended before its body was read.
      assert.ok(error instanceof TypeError, String(error))
    }
  }
  for (const credential of credentials) for (const call of CALLS) await send(call, credential)
  for (const refused of refusedTokens) await send({ path: '/v1/caller' }, refused)
  for (const header of [SECRETS.plainKey, `Basic ${SECRETS.wrongKey}`, `Bearer ${SECRETS.wrongKey} ${TEXT}`]) {
    await fetch(new URL('/v1/caller', address), { headers: { authorization: header } })
  }
  for (const bytes of RAW) await sendRaw(address, bytes)
  await Promise.all(Array.from({ length: 300 }, async () => send({ path: `/${TEXT}` }, SECRETS.wrongKey)))
  await writeFile(keysFile, `{"keys": [{"sha256": "${SECRETS.wrongKey}"}]}`)
  await service.logged('API_KEYS_FILE cannot be read: the keys stay as they were')
  // Until the training, the jobs and the notices that were accepted are over, or have failed.
  const jobs = async (): Promise<{ jobs: { status: string }[] }> => {
    const reply = await fetch(new URL('/v1/jobs?limit=100', address), {
      headers: { authorization: `Bearer ${SECRETS.plainKey}` }
    })
    const page: { jobs: { status: string }[] } = JSON.parse(await reply.text())
    return page
  }
  const deadline = Date.now() + 30_000
  const isOver = async (): Promise<boolean> =>
    (await jobs()).jobs.every(({ status }) => status === 'SUCCESS' || status === 'FAILURE')
  while (!(await isOver()) && Date.now() < deadline) await pause(100)
  service.child.kill('SIGTERM')
  assert.deepEqual(await service.exited, [0, null])

  const said = [
    ...service.log.map((line) => JSON.stringify(line)),
    ...service.stderr,
    ...collector.deliveries.map(({ body }) => body.toString('latin1'))
  ]
  const parts = [token, ...refusedTokens]
    .flatMap((each) => [each, ...each.split('.')])
    .filter((part) => part.length > 20)
  for (const line of said) {
    assert.doesNotMatch(line, ANY_SECRET)
    for (const part of parts) assert.ok(!line.includes(part), `a part of a token: ${line}`)
  }
  // That much was said, and of everything.
  for (const status of [200, 202, 400, 401, 403, 404, 409, 413, 415, 429])
    assert.ok(statuses.has(status), String(status))
  for (const message of ['request', 'unreadable request', 'equal lines were left out']) {
    assert.ok(
      service.log.some(({ msg }) => msg === message),
      message
    )
  }
  const routes = new Set(service.log.map(({ route }) => route))
  for (const route of [
    '/v1/encode',
    '/mentors/:mentor',
    '/questions',
    '/train',
    '/v1/classifiers/:classifier/versions'
  ]) {
    assert.ok(routes.has(route), route)
  }
  const spans = new Set(collector.spans.map(({ name }) => name))
  for (const name of [
    'GET /v1/encode',
    'GET /questions',
    'answer',
    'encode',
    'enqueue encode',
    'process train',
    'fit',
    'process webhook'
  ]) {
    assert.ok(spans.has(name), name)
  }
  assert.equal(collector.deliveries[0]?.headers.authorization, `Bearer ${SECRETS.collectorKey}`)
})
