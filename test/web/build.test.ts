/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { brotliDecompressSync } from 'node:zlib'
import { MARK_SVG } from '../../src/server/routes/docs/mark.ts'
import { buildWeb } from '../../web/build/build-web.ts'
import { temporaryFolder } from '../server/mentor-app.ts'

const MAX_FIRST_LOAD_BYTES = 150_000

test('buildWeb() gives a first load below 150 KB compressed', async (t) => {
  const folder = await temporaryFolder(t)
  await buildWeb(folder)
  const names = await readdir(folder, { recursive: true })
  const page = await readFile(join(folder, 'index.html'), 'utf8')
  const loaded = [...page.matchAll(/"\/playground\/(assets\/[^"]+)"/g)].map(([, name]) => name ?? '')
  assert.deepEqual(loaded.map((name) => name.replace(/-.*\./, '.')).toSorted(), [
    'assets/main.css',
    'assets/main.js',
    'assets/mark.svg'
  ])
  let bytes = page.length
  for (const name of loaded) {
    const sent = names.includes(`${name}.gz`) ? `${name}.gz` : name
    bytes += (await readFile(join(folder, sent))).length
  }
  assert.ok(bytes < MAX_FIRST_LOAD_BYTES, `${bytes} bytes by gzip`)
})

test('buildWeb() gives pages without inline script or style, and nothing that is loaded from elsewhere', async (t) => {
  const folder = await temporaryFolder(t)
  await buildWeb(folder)
  const page = await readFile(join(folder, 'index.html'), 'utf8')
  assert.doesNotMatch(page, /<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/)
  for (const name of await readdir(folder, { recursive: true })) {
    if (!/\.(?:html|css)$/.test(name)) continue
    assert.doesNotMatch(await readFile(join(folder, name), 'utf8'), /https?:\/\//, name)
  }
})

test('the playground has the mark of the docs page', async () => {
  const mark = await readFile(join(import.meta.dirname, '../../web/src/mark.svg'), 'utf8')
  assert.equal(mark.trim(), MARK_SVG)
})

test('buildWeb() compresses the same bytes, and removes what an earlier build left', async (t) => {
  const folder = await temporaryFolder(t)
  await buildWeb(folder)
  const names = await readdir(folder, { recursive: true })
  const script = names.find((name) => /main-.*\.js$/.test(name)) ?? ''
  const compressed = await readFile(join(folder, `${script}.br`))
  assert.deepEqual(brotliDecompressSync(compressed), await readFile(join(folder, script)))
  await writeFile(join(folder, 'assets/main-OLD.js'), '')
  await buildWeb(folder)
  assert.deepEqual((await readdir(folder, { recursive: true })).toSorted(), names.toSorted())
})
