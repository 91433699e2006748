/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { assertAccessible, openPage, skipReason, startPlayground } from './playground.ts'

/** A table with a phrase of two answers, a thin answer, a short line, and nothing for what is off topic. */
const FAULTY_TABLE = `id,question,paraphrases,answer
home,Where do you live?,Where is your home?|Which town are you in?|Where are you?,In a harbour town.
work,What is your job?,What do you do?|What are you paid for?|Where are you?,I repair boats.
pets,Do you have pets?,,A dog.
broken
`

/** Everything that a newcomer clicks or types before a mentor answers. */
const MAX_STEPS = 9

/** A page with a mentor of a table. */
async function openMentor(page: Page, name: string, table: string): Promise<void> {
  await page.getByRole('link', { name: 'Mentors' }).click()
  await page
    .getByLabel('A table (CSV) or a mentor (JSON)')
    .setInputFiles({ name: `${name}.csv`, mimeType: 'text/csv', buffer: Buffer.from(table) })
  await page.getByRole('heading', { name, exact: true }).waitFor()
}

async function train(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Train', exact: true }).click()
  await page.getByText(/^Version \d+ answers from now on/).waitFor()
}

test('mentors: a newcomer gets from nothing to an answer in under ten steps', { skip: skipReason }, async (t) => {
  const { link } = await startPlayground(t)
  const page = await openPage(t, link)
  let stepCount = 0
  const step = async (target: Locator, act: (target: Locator) => Promise<void> = (one) => one.click()) => {
    stepCount += 1
    await act(target)
  }
  await step(page.getByRole('link', { name: 'Mentors' }))
  await page.getByText('There is no mentor yet. Start from the example').waitFor()
  await assertAccessible(page)
  await step(page.getByRole('button', { name: 'Start from the example' }))
  await step(page.getByRole('button', { name: 'Train', exact: true }))
  await step(page.getByRole('link', { name: 'Ask a question' }))
  await step(page.getByRole('textbox', { name: 'Question' }), (box) => box.fill('Which town do you call home?'))
  await step(page.getByRole('button', { name: 'Ask', exact: true }))
  const answer = page.getByRole('article').filter({ hasText: 'Which town do you call home?' })
  await answer.getByText('I live in Stromness').waitFor()
  assert.ok(stepCount <= MAX_STEPS, `${stepCount} steps`)

  await answer.getByRole('img', { name: /^Confidence 0\.\d\d; below 0\.\d\d a question is off topic$/ }).waitFor()
  await answer.getByText('Why this answer').click()
  await answer.getByText('the classifier found the answer by meaning').waitFor()
  await answer.getByRole('heading', { name: 'Nearest training phrases' }).waitFor()
  await answer.getByText('where is home for you → Where do you live?').waitFor()
  await answer.getByText('Where do you live?', { exact: true }).waitFor()
  await assertAccessible(page)

  await page.getByRole('link', { name: 'Evaluation' }).click()
  await page.getByText(/in nine cases of ten: accuracy \d+% to \d+%, refused/).waitFor()
  await page.getByRole('img', { name: 'Share of right answers by confidence' }).waitFor()
  await page.getByRole('heading', { name: /^\d+ errors$/ }).waitFor()
  await assertAccessible(page)
})

test('mentors: an author mends what the upload found, and sees what it did', { skip: skipReason }, async (t) => {
  const { link } = await startPlayground(t)
  const page = await openPage(t, link)
  await openMentor(page, 'sailor', FAULTY_TABLE)
  await page.getByText('Line 5: no question').waitFor()
  await page.getByText('“where are you” belongs to 2 answers').waitFor()
  await assertAccessible(page)
  await page.getByRole('button', { name: 'Where do you live?' }).click()
  await page.getByText('“where are you” belongs').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Add an off-topic answer' }).click()
  await page.getByText('Nothing is said to questions').waitFor({ state: 'detached' })

  await page.getByRole('link', { name: 'Add phrases' }).click()
  const pets = page.getByRole('group').filter({ hasText: 'Do you have pets?' })
  await pets.getByLabel('Other ways to ask it, one a line').fill('Is there a dog?\nWhich animals do you keep?')
  await pets.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Nothing was found.').waitFor()
  await train(page)

  await pets.getByLabel('Answer', { exact: true }).fill('A dog and two cats.')
  await pets.getByRole('button', { name: 'Save' }).click()
  await page.getByText('The data have changed since version 1 was trained').waitFor()
  await train(page)
  await page.getByText('points since version 1').first().waitFor()

  await page.getByRole('link', { name: 'Versions' }).click()
  await page.getByRole('button', { name: 'Compare version 1 with the live one' }).click()
  await page.getByRole('heading', { name: 'Version 1 beside 2' }).waitFor()
  await page.getByRole('button', { name: 'Roll back' }).click()
  await page.getByText('rolled back to version 1').waitFor()
  await page.getByRole('button', { name: 'Promote version 2' }).click()
  await page
    .getByText(/promoted version 2/)
    .nth(1)
    .waitFor()
  await assertAccessible(page)

  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Export CSV' }).click()
  assert.equal((await download).suggestedFilename(), 'sailor.csv')
})

test('mentors: what nobody had a phrase for is judged', { skip: skipReason }, async (t) => {
  const { link } = await startPlayground(t)
  const page = await openPage(t, link)
  await openMentor(page, 'sailor', FAULTY_TABLE)
  await train(page)
  await page.getByRole('link', { name: 'Ask', exact: true }).click()
  for (const question of ['Is your house by the sea?', 'Who won the match?', 'What is your favourite boat?']) {
    await page.getByRole('textbox', { name: 'Question' }).fill(question)
    await page.getByRole('textbox', { name: 'Question' }).press('Enter')
    await page.getByRole('article').filter({ hasText: question }).waitFor()
  }
  await page.getByRole('link', { name: 'Review' }).click()
  const house = page.getByRole('region', { name: 'Is your house by the sea?' })
  await house.getByRole('combobox').focus()
  await house.getByRole('combobox').selectOption('Where do you live?')
  await assertAccessible(page)
  await house.getByRole('button', { name: 'Accept' }).click()
  await house.waitFor({ state: 'detached' })
  await page.getByRole('region', { name: 'Who won the match?' }).getByRole('button', { name: 'Off topic' }).click()
  const boat = page.getByRole('region', { name: 'What is your favourite boat?' })
  await boat.getByRole('button', { name: 'New answer' }).click()
  await boat.getByLabel('What the mentor says to these questions').fill('The old blue one.')
  await boat.getByRole('button', { name: 'Add the answer' }).click()
  await page.getByText('Nothing waits').waitFor()
  const changed = page.getByRole('region', { name: 'What the decision changed' })
  await changed.getByText(/^“What is your favourite boat\?”: .+ → What is your favourite boat\?$/).waitFor()

  await page.getByRole('link', { name: 'Ask', exact: true }).click()
  await page.getByRole('textbox', { name: 'Question' }).fill('What is your favourite boat?')
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
  await page.getByText('The old blue one.').waitFor()
})

test('mentors: an owner says how much the off-topic threshold is to let through', { skip: skipReason }, async (t) => {
  const { link } = await startPlayground(t)
  const page = await openPage(t, link)
  await openMentor(page, 'sailor', FAULTY_TABLE)
  await train(page)
  await page.getByRole('link', { name: 'Evaluation', exact: true }).click()
  const choice = page.getByLabel('The threshold of the next version')
  assert.equal(await choice.inputValue(), 'default')
  await choice.selectOption({ label: 'Answers most questions that it has an answer to' })
  await page.getByLabel('At least, in percent of them').fill('97')
  await assertAccessible(page)
  await page.getByRole('button', { name: 'Train with this threshold' }).click()
  await page.getByText(/^Version 2 answers from now on/).waitFor()

  // As the service has it, not as this page remembers it; and a later training keeps it.
  await page.getByRole('button', { name: 'Train', exact: true }).click()
  await page.getByText(/^Version 3 answers from now on/).waitFor()
  await page.reload()
  const version = page.getByRole('combobox', { name: 'Version', exact: true })
  await version.waitFor()
  assert.equal(await version.inputValue(), '3')
  assert.equal(await choice.inputValue(), 'answerGood')
  assert.equal(await page.getByLabel('At least, in percent of them').inputValue(), '97')

  await choice.selectOption({ label: 'The default, which serves most mentors' })
  await page.getByRole('button', { name: 'Train with this threshold' }).click()
  await page.getByText(/^Version 4 answers from now on/).waitFor()
  await page.reload()
  await version.waitFor()
  assert.equal(await choice.inputValue(), 'default')
})
