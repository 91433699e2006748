/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Page } from 'playwright-core'

/** Something of the playground worth looking at. */
export interface Scene {
  readonly name: string
  /** Brings the page there, from wherever it is. */
  readonly show: (page: Page) => Promise<void>
}

async function openScreen(page: Page, name: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name }).click()
}

async function openTab(page: Page, screen: string, of: string, tab: string): Promise<void> {
  await openScreen(page, screen)
  await page.getByRole('link', { name: of, exact: true }).click()
  await page.getByRole('link', { name: tab, exact: true }).click()
}

async function ask(page: Page, question: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Question' }).fill(question)
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
  await page.getByRole('article').filter({ hasText: question }).first().waitFor()
}

/** What has to be there before any scene: a trained mentor, a classifier, and questions that wait. */
export async function prepare(page: Page): Promise<void> {
  await openScreen(page, 'Mentors')
  await page.getByRole('button', { name: 'Start from the example' }).click()
  await page.getByRole('button', { name: 'Train', exact: true }).click()
  await page.getByText(/answers from now on/).waitFor()
  await page.getByText('Where did you grow up?').first().click()
  const form = page.getByRole('group').filter({ hasText: 'Where did you grow up?' })
  await form.getByLabel('Other ways to ask it, one a line').press('Control+End')
  await form.getByLabel('Other ways to ask it, one a line').pressSequentially('\nWhich country are you from?')
  await form.getByRole('button', { name: 'Save' }).click()
  await page.getByText('The data have changed').waitFor()
  await page.getByRole('button', { name: 'Train', exact: true }).click()
  await page.getByText(/^Version 2 answers from now on/).waitFor()
  await openScreen(page, 'Classifiers')
  await page.getByRole('button', { name: 'Start from letters' }).click()
  await page.getByText(/answers from now on/).waitFor()
}

export const SCENES: readonly Scene[] = [
  {
    name: 'sentences',
    show: async (page) => {
      await openScreen(page, 'Sentences')
      await page.getByRole('heading', { name: 'Nearest pairs' }).waitFor()
    }
  },
  {
    name: 'mentor-data',
    show: async (page) => {
      await openTab(page, 'Mentors', 'noor', 'Data')
      await page.getByText('points since version').first().waitFor()
    }
  },
  {
    name: 'mentor-ask',
    show: async (page) => {
      await openTab(page, 'Mentors', 'noor', 'Ask')
      await ask(page, 'Do you like pineapple on pizza?')
      await ask(page, 'Which town do you call home?')
      await page.getByText('Why this answer').first().click()
    }
  },
  {
    name: 'mentor-evaluation',
    show: async (page) => {
      await openTab(page, 'Mentors', 'noor', 'Evaluation')
      await page.getByRole('heading', { name: 'Calibration' }).waitFor()
    }
  },
  {
    name: 'mentor-versions',
    show: async (page) => {
      await openTab(page, 'Mentors', 'noor', 'Versions')
      await page.getByRole('button', { name: 'Compare version 1 with the live one' }).click()
      await page.getByRole('heading', { name: 'Version 1 beside 2' }).waitFor()
    }
  },
  {
    name: 'mentor-review',
    show: async (page) => {
      await openTab(page, 'Mentors', 'noor', 'Review')
      await page.getByRole('button', { name: 'Accept' }).first().waitFor()
    }
  },
  {
    name: 'classifier',
    show: async (page) => {
      await openTab(page, 'Classifiers', 'letters', 'Predict')
      await page.getByRole('textbox', { name: 'text' }).fill('Why do I owe you money?')
      await page.getByRole('button', { name: 'Predict' }).click()
      await page.getByRole('meter').first().waitFor()
    }
  },
  {
    name: 'jobs',
    show: async (page) => {
      await openScreen(page, 'Jobs')
      await page.getByRole('button', { name: 'Enqueue an example' }).click()
      await page.getByRole('cell', { name: 'encode' }).first().waitFor()
    }
  },
  {
    name: 'service',
    show: async (page) => {
      await openScreen(page, 'Service')
      await page.getByRole('button', { name: 'Send a burst' }).click()
      await page.getByRole('row', { name: /^In one call/ }).waitFor()
      // The next sample has the burst in it.
      await page.waitForTimeout(2500)
    }
  }
]
