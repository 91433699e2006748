/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import axe from 'axe-core'
import { chromium, type Browser, type Page } from 'playwright-core'
import { buildWeb } from '../../web/build/build-web.ts'
import { browserPath } from '../../tools/screenshots/browser-path.ts'
import { startReadyService } from '../app/service-process.ts'
import { temporaryFolder } from '../server/mentor-app.ts'

const ROOT = join(import.meta.dirname, '../..')

/** A key that may do everything. */
export const API_KEY = 'playground-key'

/** Sizes that the playground is made for: the narrowest phone, and a desk. */
export const SIZES = { phone: { width: 360, height: 740 }, desk: { width: 1280, height: 900 } } as const

/** Why browser tests are skipped; REQUIRE_BROWSER=yes, as .ci/run has it, skips none. */
export const skipReason =
  browserPath() === undefined && process.env['REQUIRE_BROWSER'] !== 'yes'
    ? 'no Chromium here: apt-get install chromium, or set CHROMIUM_PATH'
    : false

/** Waiting ends with what is waited for; this is for a machine that does other things too. */
const TIMEOUT_MS = 60_000

/** A service as a process, with the playground as it is now. */
export interface PlaygroundService {
  readonly origin: string
  /** A link that carries the key, as `make start` prints it. */
  readonly link: string
  readonly stop: () => Promise<void>
}

/** Builds the playground and starts a service over an empty folder; it is ready. */
export async function startPlayground(t: TestContext, env: Record<string, string> = {}): Promise<PlaygroundService> {
  await buildWeb(join(ROOT, 'web/dist'))
  const { child, exited, origin } = await startReadyService(t, {
    API_SECRET_KEY: API_KEY,
    DATA_DIR: join(await temporaryFolder(t), 'data'),
    ...env
  })
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
  }
  return { origin, link: `${origin}/playground#key=${API_KEY}`, stop }
}

/** Opens a browser; it is closed after the test. */
export async function openBrowser(t: TestContext): Promise<Browser> {
  const executablePath = browserPath()
  assert.ok(executablePath !== undefined, 'REQUIRE_BROWSER=yes, and there is no Chromium: see .ci/run')
  // Its sandbox needs rights that root in a container has not.
  const browser = await chromium.launch({ executablePath, chromiumSandbox: false })
  t.after(() => browser.close())
  return browser
}

/** Opens a page as {@link openBrowser}; errors of the page's scripts and of its security policy fail the test at its end. */
export async function openPage(t: TestContext, url: string): Promise<Page> {
  const browser = await openBrowser(t)
  const page = await browser.newPage({ viewport: SIZES.desk, reducedMotion: 'reduce' })
  page.setDefaultTimeout(TIMEOUT_MS)
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) errors.push(message.text())
  })
  t.after(() => assert.deepEqual(errors, []))
  await page.goto(url)
  return page
}

/** Fails when axe finds a fault in the page as it is now, in light or dark, on a phone or a desk. */
export async function assertAccessible(page: Page): Promise<void> {
  // The page's policy allows no script from elsewhere, but the debugger's.
  await page.evaluate(axe.source)
  for (const [name, size] of Object.entries(SIZES)) {
    await page.setViewportSize(size)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.evaluate('new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen)))')
      const found: string =
        await page.evaluate(`axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => [id, html, failureSummary].join('\\n'))).join('\\n\\n'))`)
      assert.equal(found, '', `${name}, ${colorScheme}`)
      const overflow: number = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
      assert.ok(overflow <= 0, `${name}: the page is ${overflow} pixels too wide`)
    }
  }
  await page.setViewportSize(SIZES.desk)
}
