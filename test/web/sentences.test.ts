/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccessible, openPage, skipReason, startPlayground } from './playground.ts'

test('sentences: a link that carries the key shows how alike they are', { skip: skipReason }, async (t) => {
  const { origin, link } = await startPlayground(t)
  const page = await openPage(t, link)
  await page.getByRole('heading', { name: 'Similarity' }).waitFor()
  assert.equal(page.url(), `${origin}/playground`, 'the key is out of the address')

  const box = page.getByLabel('Sentences, one a line')
  await box.fill('The cat sleeps on the sofa.\nA cat is asleep on the couch.\nTaxes are due in April.')
  await page.getByRole('button', { name: 'Compare' }).click()
  const best = page.getByRole('list', { name: 'Nearest pairs' }).getByRole('listitem').first()
  await best.getByText('A cat is asleep on the couch.').waitFor()
  assert.match(await best.innerText(), /^0\.[6-9]\d\s+The cat sleeps on the sofa\./)
  assert.equal(await page.getByText('computed', { exact: true }).count(), 3)
  await page.getByRole('button', { name: 'Compare' }).click()
  await page.getByText('cache hit').nth(2).waitFor()

  await box.fill(`${'word '.repeat(400)}\nshort`)
  await page.getByRole('button', { name: 'Compare' }).click()
  await page.getByText('cut', { exact: true }).waitFor()

  await page.getByText('The call behind this').click()
  await page.getByText(`curl -s '${origin}/v1/encode'`).waitFor()
  await page.getByRole('button', { name: 'TypeScript' }).click()
  await page.getByText('await fetch(').waitFor()
  assert.ok(!(await page.content()).includes('playground-key'), 'no call shows the key')
  await assertAccessible(page)
})

test(
  'sentences: without a key, with a wrong one and without a service the page says what to do',
  { skip: skipReason },
  async (t) => {
    const { origin, stop } = await startPlayground(t)
    const page = await openPage(t, origin)
    await page.getByLabel('Key or token').fill('wrong')
    await page.getByRole('button', { name: 'Use this key' }).click()
    await page.getByRole('alert').getByText('The service refused the key').waitFor()
    await assertAccessible(page)

    await page.getByLabel('Key or token').fill('playground-key')
    await page.getByLabel('Key or token').press('Enter')
    await page.getByRole('heading', { name: 'Nearest pairs' }).waitFor()
    const stored: string[] = await page.evaluate('[...Object.values(localStorage), document.cookie]')
    assert.ok(!stored.join().includes('playground-key'), 'the key is in the session storage alone')

    await page.getByRole('button', { name: 'Forget key' }).click()
    await page.getByLabel('Key or token').waitFor()
    assert.equal(await page.getByRole('heading', { name: 'Nearest pairs' }).count(), 0, 'what was seen is gone')
    await page.evaluate('location.hash = "#key=playground-key"')
    await page.getByRole('heading', { name: 'Nearest pairs' }).waitFor()
    assert.equal(page.url(), `${origin}/playground`, 'a link into the open page is taken too')
    await page.evaluate('location.hash = "#/%E0/%"')
    await page.getByRole('heading', { name: 'Nearest pairs' }).waitFor()

    await stop()
    await page.getByRole('button', { name: 'Compare' }).click()
    await page.getByText(/^No connection to /).waitFor()
    await page.getByText('The service does not answer. Check that it runs').waitFor()
    await assertAccessible(page)
  }
)
