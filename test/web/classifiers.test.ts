/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { test } from 'node:test'
import { assertAccessible, openPage, skipReason, startPlayground } from './playground.ts'

/** One input under two labels, and a column without a name or value. */
const DOUBTFUL_TABLE = `weight,colour,label,
1.5,red,apple,
1.5,red,cherry,
0.1,red,cherry,
0.2,dark red,cherry,
1.4,green,apple,
1.6,yellow,apple,
`

test('classifiers: an example predicts by the columns of its table', { skip: skipReason }, async (t) => {
  const { link } = await startPlayground(t)
  const page = await openPage(t, link)
  await page.getByRole('link', { name: 'Classifiers' }).click()
  await page.getByText('There is no classifier yet.').waitFor()
  await page.getByRole('button', { name: 'Start from letters' }).click()
  await page.getByText('32 rows; label has 4 different values').waitFor()
  await page.getByRole('textbox', { name: 'text' }).fill('How many books may I borrow?')
  await page.getByRole('button', { name: 'Predict' }).click()
  await page.getByRole('region', { name: 'label' }).getByText('borrowing').first().waitFor()
  await page.getByRole('meter', { name: 'fees' }).waitFor()
  await assertAccessible(page)

  await page.getByRole('link', { name: 'Evaluation' }).click()
  await page.getByRole('img', { name: 'Share of right answers by confidence' }).waitFor()
  await page.getByRole('link', { name: 'Versions' }).click()
  await page.getByRole('button', { name: 'Save the model file of version 1' }).waitFor()
})

test(
  'classifiers: a table is told how it was understood, and what cannot be learned from it',
  { skip: skipReason },
  async (t) => {
    const { link } = await startPlayground(t)
    const page = await openPage(t, link)
    await page.getByRole('link', { name: 'Classifiers' }).click()
    const drop = page.getByLabel('A table (CSV or JSON)')
    await drop.setInputFiles({ name: 'empty.csv', mimeType: 'text/csv', buffer: Buffer.from('a,b\n1,2\n') })
    await page.getByRole('alert').getByText(/label/).waitFor()
    await drop.setInputFiles({ name: 'fruit.csv', mimeType: 'text/csv', buffer: Buffer.from(DOUBTFUL_TABLE) })
    await page.getByText('1 inputs have several labels').waitFor()
    await page.getByText('Columns that are empty, or number the rows, were left out').waitFor()
    await page.getByRole('list', { name: 'Columns that are read' }).getByText('number').waitFor()
    await page.getByRole('spinbutton', { name: 'weight' }).fill('0.15')
    await page.getByRole('textbox', { name: 'colour' }).fill('dark red')
    await page.getByRole('button', { name: 'Predict' }).click()
    await page.getByRole('region', { name: 'label' }).getByText('cherry').first().waitFor()
  }
)
