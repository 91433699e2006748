/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { createMetrics } from '../../../../src/server/metrics.ts'
import { ServiceSampler } from '../../../../src/server/service-sampler.ts'
import { AUTHORIZED, buildTestApp } from '../../test-app.ts'

const INTERVAL_MS = 20

/** A listening server that samples often. */
async function openEvents(t: TestContext, maxListeners = 16) {
  const metrics = createMetrics()
  const sampler = new ServiceSampler({
    read: (names) => metrics.readSome(names),
    intervalMs: INTERVAL_MS,
    maxListeners
  })
  const { app } = await buildTestApp(t, {}, { sampler })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, sampler, url: `${origin}/v1/events` }
}

/** Waits until as many listen. */
async function untilListening(sampler: ServiceSampler, count: number): Promise<void> {
  while (sampler.listenerCount !== count) await pause(1)
}

test('GET /v1/events sends as many samples as are asked for', async (t) => {
  const { sampler, url } = await openEvents(t)
  const reply = await fetch(`${url}?count=2`, { headers: AUTHORIZED })
  assert.equal(reply.status, 200)
  assert.match(reply.headers.get('content-type') ?? '', /^text\/event-stream/)
  assert.equal(reply.headers.get('cache-control'), 'no-store')
  const events = (await reply.text()).split('\n\n').filter((event) => event !== '')
  assert.equal(events.length, 2)
  for (const event of events) {
    const sample: Record<string, unknown> = JSON.parse(event.replace(/^data: /, ''))
    assert.equal(typeof sample['sentencesPerSecond'], 'number')
  }
  await untilListening(sampler, 0)
})

test('GET /v1/events is for known callers; HEAD listens to nothing', async (t) => {
  const { sampler, url } = await openEvents(t)
  assert.equal((await fetch(url)).status, 401)
  assert.equal((await fetch(url, { method: 'HEAD', headers: AUTHORIZED })).status, 200)
  assert.equal((await fetch(`${url}?count=0`, { headers: AUTHORIZED })).status, 400)
  assert.equal(sampler.listenerCount, 0)
})

test('GET /v1/events forgets a listener that has left', async (t) => {
  const { sampler, url } = await openEvents(t)
  const leaving = new AbortController()
  const reply = await fetch(url, { headers: AUTHORIZED, signal: leaving.signal })
  await reply.body?.getReader().read()
  assert.equal(sampler.listenerCount, 1)
  leaving.abort()
  await untilListening(sampler, 0)
})

test('GET /v1/events refuses listeners beyond the limit', async (t) => {
  const { url } = await openEvents(t, 1)
  const leaving = new AbortController()
  t.after(() => leaving.abort())
  await fetch(url, { headers: AUTHORIZED, signal: leaving.signal })
  const refused = await fetch(url, { headers: AUTHORIZED })
  assert.equal(refused.status, 503)
  assert.ok(Number(refused.headers.get('retry-after')) > 0)
  const { message }: { message: string } = JSON.parse(await refused.text())
  assert.equal(message, 'Cannot send events: 1 others are listening')
})

test('GET /v1/events ends when the server stops', async (t) => {
  const { app, url } = await openEvents(t)
  const reply = await fetch(url, { headers: AUTHORIZED })
  const all = reply.text()
  await pause(3 * INTERVAL_MS)
  await app.close()
  assert.match(await all, /^data: /)
})
