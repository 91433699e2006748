/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// What a screen says when something is not as it should be.
import assert from 'node:assert/strict'
import { SignJWT } from 'jose'
import { test } from 'node:test'
import { API_KEY, assertAccessible, openPage, skipReason, startPlayground } from './playground.ts'

const JWT_SECRET = 'a-secret-of-thirty-two-characters'
const TOKEN_SECONDS = 15

/** As many answers as make 5,000 phrases, ten each. */
function largeTable(): string {
  const places = [
    'harbour',
    'forest',
    'station',
    'museum',
    'market',
    'lighthouse',
    'library',
    'garden',
    'bridge',
    'tower'
  ]
  const rows = Array.from({ length: 500 }, (_, answer) => {
    const place = `${places[answer % places.length]} number ${answer}`
    const phrases = Array.from({ length: 9 }, (_unused, phrase) => `Way ${phrase + 2} to ask about the ${place}`)
    return `Where is the ${place}?,${phrases.join('|')},It is on street ${answer}.`
  })
  return `question,paraphrases,answer\n${rows.join('\n')}\n`
}

test('states: a token that expires while the page is open is asked for anew', { skip: skipReason }, async (t) => {
  const { origin } = await startPlayground(t, { JWT_SECRET_KEY: JWT_SECRET })
  const token = await new SignJWT({ id: 'author-1', role: 'ADMIN', mentorIds: [] })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(`${TOKEN_SECONDS}s`)
    .sign(new TextEncoder().encode(JWT_SECRET))
  const page = await openPage(t, `${origin}/playground#key=${token}`)
  await page.getByRole('heading', { name: 'Similarity' }).waitFor()
  await page.waitForTimeout(TOKEN_SECONDS * 1000)
  await page.getByRole('button', { name: 'Compare' }).click()
  await page.getByRole('alert').getByText('The service refused the key').waitFor()
  await page.getByLabel('Key or token').fill(API_KEY)
  await page.getByRole('button', { name: 'Use this key' }).click()
  await page.getByRole('heading', { name: 'Similarity' }).waitFor()
})

test('states: a screen whose code fails says so, and the others go on', { skip: skipReason }, async (t) => {
  const { link } = await startPlayground(t)
  const page = await openPage(t, link)
  // A reply that the screen cannot show.
  await page.route('**/v1/jobs?*', (route) => route.fulfill({ json: { jobs: [null] } }))
  await page.getByRole('link', { name: 'Jobs' }).click()
  await page
    .getByRole('alert')
    .getByText(/^This page failed: .*Try again, or load the page anew/)
    .waitFor()
  await assertAccessible(page)
  await page.unroute('**/v1/jobs?*')
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.getByText('There is no job yet.').waitFor()
})

test('states: a service that refuses is quoted', { skip: skipReason }, async (t) => {
  const { link } = await startPlayground(t, { MAX_TEXT_CHARACTERS: '1000' })
  const page = await openPage(t, link)
  await page.getByLabel('Sentences, one a line').fill('long '.repeat(400))
  await page.getByRole('button', { name: 'Compare' }).click()
  await page
    .getByRole('alert')
    .getByText(/1000 characters/)
    .waitFor()
})

test('states: a connection that comes back is gone on with', { skip: skipReason }, async (t) => {
  const { link } = await startPlayground(t)
  const page = await openPage(t, link)
  await page.getByRole('link', { name: 'Mentors' }).click()
  await page.getByText('There is no mentor yet.').waitFor()
  await page.context().setOffline(true)
  await page.getByRole('link', { name: 'Classifiers' }).click()
  await page.getByText(/^No connection to /).waitFor()
  await page.getByText('this page goes on once it is back').waitFor()
  await page.context().setOffline(false)
  await page.getByText('There is no classifier yet.').waitFor()
  assert.equal(await page.getByRole('alert').count(), 0)
})

test('states: a mentor of 5,000 phrases is searched, changed and trained', { skip: skipReason }, async (t) => {
  const { link } = await startPlayground(t)
  const page = await openPage(t, link)
  await page.getByRole('link', { name: 'Mentors' }).click()
  await page
    .getByLabel('A table (CSV) or a mentor (JSON)')
    .setInputFiles({ name: 'guide.csv', mimeType: 'text/csv', buffer: Buffer.from(largeTable()) })
  await page.getByText('Stored: 500 answers with 5000 phrases.').waitFor()
  const elements: number = await page.evaluate('document.querySelectorAll("*").length')
  assert.ok(elements < 1500, `${elements} elements`)
  await page.getByLabel('Search questions and answers').fill('museum number 493')
  await page.getByText('Where is the museum number 493?').click()
  await page.getByLabel('Answer', { exact: true }).fill('It has moved to the quay.')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('button', { name: 'Train', exact: true }).click()
  await page
    .getByRole('listitem')
    .and(page.locator('[aria-current=step]'))
    .filter({ hasText: 'Encode phrases' })
    .waitFor()
  await assertAccessible(page)
})

test('states: colours are those of the system until others are chosen', { skip: skipReason }, async (t) => {
  const { link } = await startPlayground(t)
  const page = await openPage(t, link)
  await page.getByRole('heading', { name: 'Similarity' }).waitFor()
  const seen = async (colorScheme: 'light' | 'dark'): Promise<string> => {
    await page.emulateMedia({ colorScheme })
    await page.evaluate('new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen)))')
    const colours: string = await page.evaluate('getComputedStyle(document.documentElement).colorScheme')
    return colours
  }
  assert.deepEqual([await seen('dark'), await seen('light')], ['dark', 'light'])
  await page.getByRole('button', { name: 'Dark' }).click()
  assert.deepEqual([await seen('dark'), await seen('light')], ['dark', 'dark'])
  await page.reload()
  await page.getByRole('heading', { name: 'Similarity' }).waitFor()
  assert.equal(await seen('light'), 'dark')
})
