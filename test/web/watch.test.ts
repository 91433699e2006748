/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccessible, openPage, skipReason, startPlayground } from './playground.ts'

test('service: samples come once a second, and a burst shows what batching does', { skip: skipReason }, async (t) => {
  const { link, stop } = await startPlayground(t)
  const page = await openPage(t, link)
  await page.getByRole('link', { name: 'Service', exact: true }).click()
  await page.getByRole('img', { name: 'Throughput' }).waitFor()
  await page.getByRole('button', { name: 'Send a burst' }).click()
  const table = page.getByRole('region', { name: 'What batching does' })
  await table.getByRole('row', { name: /^In one call/ }).waitFor()
  const rates = await Promise.all(
    ['One after the other', 'In one call'].map(async (way) => {
      const cells = await table.getByRole('row', { name: way }).getByRole('cell').allInnerTexts()
      return Number(cells[2]?.replaceAll(',', ''))
    })
  )
  assert.ok(
    (rates[1] ?? 0) > (rates[0] ?? Number.NaN),
    `${rates[0]} sentences a second one by one, ${rates[1]} in one call`
  )
  await page.getByText('sentences each').waitFor()
  await assertAccessible(page)
  await page.getByText('The call behind this').click()
  await page.getByText('/v1/encode/multiple_encode').first().waitFor()

  await stop()
  await page.getByText(/^No connection to /).waitFor()
  await page.getByText('The service does not answer.').waitFor()
})
