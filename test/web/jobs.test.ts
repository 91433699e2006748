/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { API_KEY, assertAccessible, openPage, skipReason, startPlayground } from './playground.ts'

const AUTHORIZED = { authorization: `Bearer ${API_KEY}` }
const JSON_HEADERS = { ...AUTHORIZED, 'content-type': 'application/json' }

/** Enqueues a job that takes many seconds, and waits until a worker has it. */
async function occupyWorker(origin: string): Promise<void> {
  const sentences = Array.from({ length: 5000 }, (_, index) => `${index} ${'word '.repeat(200)}`)
  const body = JSON.stringify({ type: 'encode', input: { sentences } })
  const enqueued = await fetch(`${origin}/v1/jobs`, { method: 'POST', headers: JSON_HEADERS, body })
  assert.equal(enqueued.status, 202)
  const { statusUrl } = Value.Parse(Type.Object({ statusUrl: Type.String() }), await enqueued.json())
  for (;;) {
    const found = await fetch(new URL(statusUrl, origin), { headers: AUTHORIZED })
    const { status } = Value.Parse(Type.Object({ status: Type.String() }), await found.json())
    if (status === 'IN_PROGRESS') return
    assert.equal(status, 'SUBMITTED')
    await sleep(50)
  }
}

test(
  'jobs: an example is enqueued, done and saved; others are cancelled and redriven',
  { skip: skipReason },
  async (t) => {
    const { origin, link } = await startPlayground(t, { JOBS_CONCURRENCY: '1' })
    const page = await openPage(t, link)
    await page.getByRole('link', { name: 'Jobs' }).click()
    await page.getByText('There is no job yet.').waitFor()
    const enqueue = page.getByRole('button', { name: 'Enqueue an example' })
    await enqueue.click()
    await page.getByText('succeeded', { exact: true }).waitFor()
    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: /^Result / }).click()
    assert.match((await download).suggestedFilename(), /\.json$/)

    for (let count = 0; count < 4; count++) await enqueue.click()
    await page
      .getByRole('button', { name: /^Cancel / })
      .first()
      .click()
    await page.getByText('cancelled', { exact: true }).waitFor()

    // The training of a mentor that says nothing fails for good.
    await fetch(`${origin}/mentors/silent`, { method: 'PUT', headers: JSON_HEADERS, body: '{"answers":[]}' })
    await fetch(`${origin}/train`, { method: 'POST', headers: JSON_HEADERS, body: '{"mentor":"silent"}' })
    await page.getByLabel('Show').selectOption('Failed for good')
    await page.getByRole('button', { name: /^Redrive / }).waitFor()
    await assertAccessible(page)
    // Another job holds the only worker: the redriven one would else fail again before the page has looked.
    await occupyWorker(origin)
    await page.getByRole('button', { name: /^Redrive / }).click()
    await page.getByText('No job is in this state.').waitFor()
  }
)
