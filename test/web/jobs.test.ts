/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { API_KEY, assertAccessible, openPage, skipReason, startPlayground } from './playground.ts'

const AUTHORIZED = { authorization: `Bearer ${API_KEY}` }

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
    const json = { ...AUTHORIZED, 'content-type': 'application/json' }
    await fetch(`${origin}/mentors/silent`, { method: 'PUT', headers: json, body: '{"answers":[]}' })
    await fetch(`${origin}/train`, { method: 'POST', headers: json, body: '{"mentor":"silent"}' })
    await page.getByLabel('Show').selectOption('Failed for good')
    await page.getByRole('button', { name: /^Redrive / }).waitFor()
    await assertAccessible(page)
    await page.getByRole('button', { name: /^Redrive / }).click()
    await page.getByText('No job is in this state.').waitFor()
  }
)
