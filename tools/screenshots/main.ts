/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// usage: main.ts   writes pictures of the playground, at two sizes, light and dark, into .cache/screenshots; and those that the
// documents show into docs/playground. It starts a service of its own, over an empty folder, and needs Chromium and a model.
import { spawn } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { chromium, type Browser } from 'playwright-core'
import { buildWeb } from '../../web/build/build-web.ts'
import { browserPath } from './browser-path.ts'
import { prepare, SCENES } from './scenes.ts'

const ROOT = join(import.meta.dirname, '../..')
const LOOKED_AT = join(ROOT, '.cache/screenshots')
const SHOWN = join(ROOT, 'docs/playground')
const KEY = 'key-of-the-screenshots'

const SIZES = { desk: { width: 1280, height: 800 }, phone: { width: 390, height: 780 } } as const
const THEMES = ['light', 'dark'] as const
/** Pictures in README.md and docs/playground.md. */
const IN_DOCS = new Set([
  'sentences-desk-light',
  'mentor-data-desk-light',
  'mentor-ask-desk-light',
  'mentor-evaluation-desk-dark',
  'service-desk-light',
  'mentor-ask-phone-dark',
  'classifier-phone-light'
])

const executablePath = browserPath()
if (executablePath === undefined) {
  process.stderr.write('Cannot make screenshots: there is no Chromium; tools/install-chromium.sh installs it\n')
  process.exit(1)
}
await buildWeb(join(ROOT, 'web/dist'))
await Promise.all([LOOKED_AT, SHOWN].map((folder) => mkdir(folder, { recursive: true })))
const dataDir = await mkdtemp(join(tmpdir(), 'screenshots-'))
const service = spawn(process.execPath, [join(ROOT, 'src/bin/service.ts')], {
  env: { PATH: process.env['PATH'], PORT: '0', API_SECRET_KEY: KEY, DATA_DIR: dataDir },
  stdio: ['ignore', 'pipe', 'inherit']
})
const browser = await chromium.launch({ executablePath, chromiumSandbox: false })
try {
  const origin = await readyOrigin()
  await takeAll(browser, `${origin}/playground#key=${KEY}`)
} finally {
  await browser.close()
  service.kill('SIGTERM')
  await rm(dataDir, { recursive: true, force: true })
}

/** Where the service listens, once it is ready. */
async function readyOrigin(): Promise<string> {
  let origin = ''
  for await (const line of createInterface(service.stdout)) {
    const { msg, address }: { msg: string; address?: string } = JSON.parse(line)
    if (msg === 'listening' && address !== undefined) origin = address
    if (msg === 'ready') break
  }
  service.stdout.resume()
  return origin
}

async function takeAll(opened: Browser, link: string): Promise<void> {
  let isPrepared = false
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of THEMES) {
      const page = await opened.newPage({ viewport, colorScheme, reducedMotion: 'reduce', locale: 'en-GB' })
      await page.goto(link)
      if (!isPrepared) await prepare(page)
      isPrepared = true
      for (const { name, show } of SCENES) {
        await show(page)
        const file = `${name}-${size}-${colorScheme}`
        const path = join(LOOKED_AT, `${file}.png`)
        await page.evaluate('scrollTo(0, 0)')
        await page.screenshot({ path })
        await page.screenshot({ path: join(LOOKED_AT, `${file}-whole.png`), fullPage: true })
        if (IN_DOCS.has(file)) await copyFile(path, join(SHOWN, `${file}.png`))
        process.stdout.write(`${file}\n`)
      }
      await page.close()
    }
  }
}
