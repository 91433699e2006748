/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../server/mentor-app.ts'
import { API_KEY, assertAccessible, openPage, skipReason, startPlayground } from './playground.ts'

const ASK_KEY = 'key-that-may-only-ask'
const EXAMPLE = join(import.meta.dirname, '../../examples/mentor.csv')

test('scopes: a key that may only ask is offered nothing else', { skip: skipReason }, async (t) => {
  const keyFile = join(await temporaryFolder(t), 'keys.json')
  const keys = [{ name: 'visitor', sha256: hash('sha256', ASK_KEY), scopes: ['ask'] }]
  await writeFile(keyFile, JSON.stringify({ keys }))
  const { origin } = await startPlayground(t, { API_KEYS_FILE: keyFile })
  const authorization = `Bearer ${API_KEY}`
  await fetch(`${origin}/mentors/noor`, {
    method: 'PUT',
    headers: { authorization, 'content-type': 'text/csv' },
    body: await readFile(EXAMPLE)
  })

  const page = await openPage(t, `${origin}/playground#key=${ASK_KEY}`)
  await page.getByRole('link', { name: 'noor' }).waitFor()
  const screens = page.getByRole('navigation', { name: 'Screens' }).getByRole('link')
  assert.deepEqual(await screens.allInnerTexts(), ['Mentors', 'Classifiers'])
  assert.equal(await page.getByRole('heading', { name: 'Add a mentor' }).count(), 0)
  await page.getByRole('link', { name: 'noor' }).click()
  await page.getByRole('textbox', { name: 'Question' }).fill('Where do you live?')
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
  await page.getByText('No models found for mentor noor.').waitFor()
  for (const name of ['Train', 'Export CSV', 'Delete']) {
    assert.equal(await page.getByRole('button', { name }).count(), 0, name)
  }
  await assertAccessible(page)
  await page.goto(`${origin}/playground#/mentors/noor/data`)
  await page.getByRole('textbox', { name: 'Question' }).waitFor()
  await page.goto(`${origin}/playground#/service`)
  await page.getByRole('heading', { name: 'Mentors', exact: true }).waitFor()
  await page.getByRole('link', { name: 'Classifiers' }).click()
  await page.getByText('There is no classifier to ask yet.').waitFor()
  assert.equal(await page.getByRole('alert').count(), 0, 'nothing was asked for in vain')
})

test('scopes: a late reply to the key before changes nothing', { skip: skipReason }, async (t) => {
  const keyFile = join(await temporaryFolder(t), 'keys.json')
  const keys = [{ name: 'visitor', sha256: hash('sha256', ASK_KEY), scopes: ['ask'] }]
  await writeFile(keyFile, JSON.stringify({ keys }))
  const { origin } = await startPlayground(t, { API_KEYS_FILE: keyFile })
  const page = await openPage(t, `${origin}/playground#key=${API_KEY}`)
  const screens = page.getByRole('navigation', { name: 'Screens' }).getByRole('link')
  await page.getByRole('link', { name: 'Jobs' }).waitFor()

  const refused = Promise.withResolvers<void>()
  const described = Promise.withResolvers<void>()
  await page.route('**/v1/jobs*', async (route) => {
    await page.getByRole('link', { name: 'Jobs' }).waitFor({ state: 'detached' })
    await route.fulfill({ status: 401, json: { message: 'too late' } })
    refused.resolve()
  })
  await page.route('**/v1/caller', async (route) => {
    if (route.request().headers()['authorization'] !== `Bearer ${API_KEY}`) return route.continue()
    await page.getByRole('link', { name: 'Jobs' }).waitFor({ state: 'detached' })
    await route.continue()
    described.resolve()
  })
  await page.getByRole('link', { name: 'Jobs' }).click()
  await page.evaluate(`location.hash = "#key=another-key"`)
  await page.evaluate(`location.hash = "#key=${API_KEY}"`)
  await page.evaluate(`location.hash = "#key=${ASK_KEY}"`)
  await Promise.all([refused.promise, described.promise])
  await page.waitForTimeout(300)
  assert.equal(await page.getByText('too late').count(), 0)
  assert.deepEqual(await screens.allInnerTexts(), ['Mentors', 'Classifiers'])
})
