/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { head, open, statusOf, type Said } from '../../test/server/raw-connection.ts'
import { posted, tokenOf, type Running } from './lab.ts'

/** Requests of a stranger, or of a caller with next to no rights, that are meant to end the process or to hold up others. */
export interface Attack {
  readonly name: string
  /** Attacks once, with bodies of `bodyBytes` where nothing else is said. @returns the statuses that the attacker got */
  readonly run: (running: Running, bodyBytes: number) => Promise<readonly number[]>
}

const MB = 1_048_576
/** How long a caller waits whose reply may take for ever. */
const ATTACKER_WAITS_MS = 10_000

const JSON_TYPE = { 'content-type': 'application/json' }

async function statusesOf(...replies: Promise<{ status: number }>[]): Promise<number[]> {
  const settled = await Promise.allSettled(replies)
  // A reply that breaks off is the answer of a server that reads no further.
  return settled.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.status : 0))
}

async function as(token: string, more: Record<string, string> = JSON_TYPE): Promise<Record<string, string>> {
  return { authorization: `Bearer ${token}`, ...more }
}

async function brackets({ ask }: Running, bodyBytes: number): Promise<readonly number[]> {
  const headers = await as(await tokenOf('stranger'))
  const deep = Buffer.concat([Buffer.alloc(bodyBytes / 2, '['), Buffer.alloc(bodyBytes / 2, ']')])
  const wide = `[${'[],'.repeat(bodyBytes / 3 - 1)}0]`
  const small = '['.repeat(1_000_000)
  const post = async (path: string, body: string | Buffer) => ask(path, { method: 'POST', headers, body })
  return [
    ...(await statusesOf(post('/v1/jobs', deep))),
    ...(await statusesOf(post('/v1/jobs', wide))),
    ...(await statusesOf(...Array.from({ length: 20 }, () => post('/v1/encode', small))))
  ]
}

/** Connections that send a part of what they announce, and then nothing. */
async function unfinishedBodies(running: Running, bodyBytes: number): Promise<readonly number[]> {
  const connections = await Promise.all(
    Array.from({ length: 32 }, async (_, index) => {
      const headers = { ...(await as(await tokenOf(`stranger-${index}`))), 'content-length': String(bodyBytes) }
      const said = open(running, head('POST', '/v1/jobs', headers))
      said.socket.write(Buffer.alloc(bodyBytes - 1, ' '))
      return said
    })
  )
  await sleep(8000)
  return leave(connections)
}

async function hugeMentors(running: Running, bodyBytes: number): Promise<readonly number[]> {
  const paraphrases = `${'"paraph",'.repeat(Math.min(33 * MB, bodyBytes - 1000) / 9)}"p"`
  const mentor = Buffer.from(
    `{"answers":[{"_id":"a","question":{"_id":"q","question":"Q?","paraphrases":[${paraphrases}]}}]}`
  )
  const headers = {
    ...(await as(await tokenOf('owner', ['mentor-1']))),
    'content-length': String(mentor.length)
  }
  const uploads = Array.from({ length: 40 }, () => {
    const said = open(running, head('PUT', '/mentors/mentor-1', headers))
    said.socket.write(mentor)
    return said
  })
  await Promise.race([Promise.all(uploads.map(answered)), sleep(30_000)])
  return leave(uploads)
}

async function unreadReplies(running: Running): Promise<readonly number[]> {
  const requests = 'GET /docs/json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1700)
  const connections = Array.from({ length: 12 }, () => {
    const said = open(running, requests)
    said.socket.pause()
    return said
  })
  await sleep(5000)
  return leave(connections)
}

/** Replies of some megabytes each, that nobody takes. */
async function largeUnreadReplies(running: Running): Promise<readonly number[]> {
  const body = JSON.stringify({ sentences: Array.from({ length: 2048 }, (_, index) => `sentence ${index}`) })
  const headers = await as(await tokenOf('reader'))
  const request =
    head('POST', '/v1/encode/multiple_encode', { ...headers, 'content-length': String(body.length) }) + body
  const connections = Array.from({ length: 12 }, () => {
    const said = open(running, request.repeat(8))
    said.socket.pause()
    return said
  })
  await sleep(15_000)
  return leave(connections)
}

async function jobsOfManySentences({ ask }: Running): Promise<readonly number[]> {
  const headers = await as(await tokenOf('worker'))
  const sentences = Array.from({ length: 50_000 }, (_, index) => `${index} ${'word '.repeat(100)}`)
  const json = JSON.stringify({ type: 'encode', input: { sentences } })
  const accepted = await ask('/v1/jobs', { method: 'POST', headers, body: json })
  const statuses = [accepted.status]
  // Long enough for a worker to take it and read it.
  await sleep(5000)
  if (accepted.status === 202) {
    const { statusUrl }: { statusUrl: string } = JSON.parse(accepted.text)
    const cancelled = await ask(statusUrl, { method: 'DELETE', headers })
    statuses.push(cancelled.status)
  }
  return statuses
}

/** Bodies that are not in UTF-8 are decoded before they are read. */
async function otherCharsets({ ask }: Running, bodyBytes: number): Promise<readonly number[]> {
  const token = await tokenOf('foreigner', ['mentor-1'])
  const lines = Buffer.alloc(bodyBytes, '{"custom_id":"a","query":"\u00e9t\u00e9"}\n', 'latin1')
  const post = async (type: string, body: Buffer) =>
    ask('/v1/jobs', { method: 'POST', headers: await as(token, { 'content-type': type }), body })
  const text = Buffer.from(
    JSON.stringify({ type: 'encode', input: { sentences: ['\u00e9'.repeat(bodyBytes / 2 - 100)] } }),
    'utf16le'
  )
  return [
    ...(await statusesOf(post('application/jsonl; charset=windows-1252', lines))),
    ...(await statusesOf(post('application/jsonl; charset=shift_jis', lines))),
    ...(await statusesOf(post('application/jsonl; charset=utf-16le', text))),
    ...(await statusesOf(post('application/json; charset=utf-16le', text))),
    ...(await statusesOf(post('application/jsonl', Buffer.alloc(bodyBytes, 'a\n')))),
    ...(await statusesOf(post('application/jsonl', Buffer.alloc(bodyBytes, '\n')))),
    ...(await statusesOf(post('application/jsonl', Buffer.alloc(bodyBytes, 'a'))))
  ]
}

async function tables({ ask }: Running, bodyBytes: number): Promise<readonly number[]> {
  const train = async (body: string | Buffer, type = 'text/csv') =>
    ask('/v1/classifiers/attacked/train', { method: 'POST', headers: { 'content-type': type }, body })
  const part = '--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n'
  const versions = async (body: string | Buffer) =>
    ask('/v1/classifiers/attacked/versions', {
      method: 'PUT',
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
      body
    })
  const imports = async (body: string | Buffer) =>
    ask('/v1/classifiers/attacked/versions', { method: 'POST', headers: JSON_TYPE, body })
  return [
    ...(await statusesOf(train(Buffer.alloc(bodyBytes, ',')))),
    ...(await statusesOf(train(`text,label\n${'"'.repeat(bodyBytes - 20)}`))),
    ...(await statusesOf(
      train(`text,label\n${'a,b\n'.repeat(99_000)}`),
      train(`[${'{},'.repeat(bodyBytes / 3 - 2)}{}]`, 'application/json')
    )),
    ...(await statusesOf(versions(part.repeat(bodyBytes / part.length)), versions(Buffer.alloc(bodyBytes, 'a')))),
    ...(await statusesOf(imports(Buffer.alloc(bodyBytes, '[')), imports(`{"a":[${'1,'.repeat(bodyBytes / 2 - 10)}1]}`)))
  ]
}

/** CSV whose records are as long as may be: read where it is answered, row by row. */
async function longRecords({ ask }: Running, bodyBytes: number): Promise<readonly number[]> {
  const rows = Array.from({ length: 40 }, (_, index) => `${index},${index * 2},${index % 2 === 0 ? 'even' : 'odd'}`)
  const train = await ask('/v1/classifiers/numbers/train', {
    method: 'POST',
    headers: { 'content-type': 'text/csv', prefer: 'wait=30' },
    body: `a,b,label\n${rows.join('\n')}\n`
  })
  const { data }: { data?: { statusUrl?: string } } = JSON.parse(train.text)
  const statusUrl = data?.statusUrl
  for (let tries = 0; tries < 100; tries += 1) {
    if (statusUrl === undefined || (await ask(statusUrl)).text.includes('"SUCCESS"')) break
    await sleep(200)
  }
  const predict = async (body: string) =>
    ask('/v1/classifiers/numbers/predict', {
      method: 'POST',
      headers: { 'content-type': 'text/csv' },
      body,
      signal: AbortSignal.timeout(ATTACKER_WAITS_MS)
    })
  const records = (record: string): string => `a,b\n${`${record}\n`.repeat(bodyBytes / (record.length + 1) - 1)}`
  const bodies = [
    records(`"${'""'.repeat(250_000)}",1`),
    records(','.repeat(520_000)),
    records(','.repeat(49_000)),
    `a,b${',c'.repeat(bodyBytes / 2 - 10)}\n1,2\n`,
    `a,b${',c'.repeat(49_000)}\n${'1,2\n'.repeat(bodyBytes / 8)}`,
    // Empty rows are reported once another row follows.
    `a,b\n${',\n'.repeat(bodyBytes / 2 - 10)}1,2\n`
  ]
  const statuses = [train.status]
  for (const body of bodies) statuses.push(...(await statusesOf(...Array.from({ length: 8 }, () => predict(body)))))
  const columns = { a: Array.from({ length: 200_000 }, () => 1), b: Array.from({ length: 200_000 }, () => 2) }
  return [...statuses, ...(await statusesOf(ask('/v1/classifiers/numbers/predict', posted(columns))))]
}

/** What computes long and replies at length. */
async function dearReplies({ ask }: Running): Promise<readonly number[]> {
  const headers = await as(await tokenOf('miner'))
  const texts = Array.from({ length: 2048 }, (_, index) => `t${index}`)
  const post = async (path: string, body: unknown) => ask(path, posted(body, headers))
  return statusesOf(
    ...Array.from({ length: 4 }, () => post('/v1/encode/cos_sim_weight', { a: texts, b: texts })),
    ...Array.from({ length: 4 }, () => post('/v1/paraphrase', { sentences: texts })),
    ...Array.from({ length: 4 }, () => post('/v1/tokenize', { inputs: texts.map((text) => text.padEnd(500, ' a')) })),
    ...Array.from({ length: 4 }, () =>
      post('/v1/tokenize', { inputs: ['\u4e00'.repeat(65_536), '\u0301'.repeat(65_536)] })
    )
  )
}

/** Many connections, and requests that never come to their end. */
async function manyConnections(running: Running): Promise<readonly number[]> {
  const slow = Array.from({ length: 3000 }, () => open(running, 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow:'))
  await sleep(3000)
  return leave(slow)
}

async function answered(said: Said): Promise<void> {
  if (said.text === '' && !said.socket.destroyed)
    await Promise.race([once(said.socket, 'data').catch(() => undefined), said.closed])
}

async function leave(connections: readonly Said[]): Promise<readonly number[]> {
  const statuses = connections.map((said) => (said.text === '' ? 0 : statusOf(said)))
  for (const { socket } of connections) socket.destroy()
  await Promise.all(connections.map(({ closed }) => closed))
  return statuses
}

/** What was found to end the process or to hold up others, and what is like it. */
export const ATTACKS: readonly Attack[] = [
  { name: 'JSON of nothing but brackets, as much as a body may have, and 20 times a million', run: brackets },
  { name: '32 connections that each send all but the last byte of a body, and wait', run: unfinishedBodies },
  { name: '40 uploads of a mentor of millions of paraphrases, of one row', run: hugeMentors },
  { name: '12 connections with 1,700 requests each, whose replies are not read', run: unreadReplies },
  { name: '96 replies of 8 MB that are not read', run: largeUnreadReplies },
  { name: 'a job of 50,000 sentences of 500 characters, cancelled while it is at work', run: jobsOfManySentences },
  { name: 'the largest bodies in other charsets, and of nothing but line breaks', run: otherCharsets },
  { name: 'the largest tables and forms: of separators, quotes, parts and brackets', run: tables },
  { name: 'CSV to predict by: with the longest records, and of empty rows', run: longRecords },
  { name: 'the dearest requests that are allowed, 16 at a time', run: dearReplies },
  { name: '3,000 connections that never finish their head', run: manyConnections }
]
