/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The API page as a person uses it, in a real browser.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Page, Response } from 'playwright-core'
import { openBrowser, skipReason } from '../../../web/playground.ts'
import { openMentorApp } from '../../mentor-app.ts'
import { API_KEY } from '../../test-app.ts'

/** Opens an empty page, and collects what goes wrong in it. */
async function openPage(t: TestContext): Promise<{ page: Page; problems: string[] }> {
  const page = await (await openBrowser(t)).newPage()
  const problems: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text())
  })
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('requestfailed', (request) => problems.push(`${request.url()}: ${String(request.failure()?.errorText)}`))
  return { page, problems }
}

async function authorize(page: Page): Promise<void> {
  await page.click('.btn.authorize')
  await page.fill('.auth-container input', API_KEY)
  await page.click('.auth-btn-wrapper .authorize')
  await page.click('.auth-btn-wrapper .btn-done')
}

/** Opens an operation and sends it as it stands. */
async function execute(page: Page, id: string): Promise<Response> {
  const operation = page.locator(`[id="operations-${id}"]`)
  await operation.locator('.opblock-summary-control').click()
  await operation.locator('.try-out__btn').click()
  const replied = page.waitForResponse((response) => !response.url().includes('/docs'))
  await operation.locator('.execute').click()
  return replied
}

test(
  'the API page in a browser: under its policy, with its own mark, and examples work with the key',
  { skip: skipReason },
  async (t) => {
    const { app } = await openMentorApp(t)
    const origin = await app.listen({ host: '127.0.0.1', port: 0 })
    const { page, problems } = await openPage(t)
    await page.goto(`${origin}/docs`)
    await page.waitForSelector('.opblock')
    assert.equal(await page.title(), 'sbert-service')
    const logo = await page.getAttribute('.topbar a img', 'src')
    const logoSvg = Buffer.from(logo?.split('base64,')[1] ?? '', 'base64').toString()
    assert.match(logoSvg, /^<svg [^>]*>\s*<title>sbert-service<\/title>/)
    assert.equal(await page.evaluate('document.querySelector(".topbar a img").naturalWidth'), 215, 'the logo is drawn')
    assert.ok(!/swagger|smartbear/i.test(await page.innerText('body')), 'another product is named')
    const icons = await page
      .locator('link[rel=icon]')
      .evaluateAll((links) => links.map((link) => link.getAttribute('href')))
    assert.deepEqual(icons, ['/docs/static/theme/mark.svg'])
    assert.deepEqual(problems, [])

    await authorize(page)
    for (const id of [
      'encode-get_v1_encode',
      'encode-post_v1_encode',
      'similarity-post_v1_encode_cos_sim_weight',
      'mentors-put_mentors__mentor_',
      'train-post_train'
    ]) {
      const reply = await execute(page, id)
      assert.equal(reply.status(), 200, `${reply.request().method()} ${reply.url()} ${await reply.text()}`)
    }
    // A file is chosen, not typed.
    const importing = page.locator('[id="operations-mentor_versions-post_mentors__mentor__versions"]')
    await importing.locator('.opblock-summary-control').click()
    await importing.locator('.try-out__btn').click()
    assert.equal(await importing.locator('input[type=file]').count(), 1)
    assert.deepEqual(problems, [])

    const kept = 'JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])'
    assert.equal(await page.evaluate(kept), '[{},{},""]')
    await page.reload()
    await page.waitForSelector('.opblock')
    const refused = await execute(page, 'encode-get_v1_encode')
    assert.equal(refused.status(), 401, 'the key is gone with the page')
  }
)
