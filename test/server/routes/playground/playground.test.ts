/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { temporaryFolder } from '../../mentor-app.ts'
import { buildTestApp } from '../../test-app.ts'

const SCRIPT = 'console.log("hello")'
const BROWSER = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }

/** An app with a playground of a page and a script. */
async function builtApp(t: TestContext) {
  const playgroundFolder = await temporaryFolder(t)
  await mkdir(join(playgroundFolder, 'assets'))
  await writeFile(join(playgroundFolder, 'index.html'), '<title>playground</title>')
  const script = join(playgroundFolder, 'assets/main-ABC.js')
  await writeFile(script, SCRIPT)
  await writeFile(`${script}.br`, brotliCompressSync(SCRIPT))
  await writeFile(`${script}.gz`, gzipSync(SCRIPT))
  return (await buildTestApp(t, {}, { playgroundFolder })).app
}

test('/ sends browsers to the playground, and tells others its health', async (t) => {
  const app = await builtApp(t)
  const page = await app.inject({ url: '/', headers: BROWSER })
  assert.equal(page.statusCode, 302)
  assert.equal(page.headers.location, '/playground')
  for (const headers of [{}, { accept: '*/*' }, { accept: 'application/json' }]) {
    const reply = await app.inject({ url: '/', headers })
    assert.equal(reply.statusCode, 200)
    assert.deepEqual(reply.json(), { status: 'ok' })
    assert.equal(reply.headers.vary, 'Accept')
  }
  assert.equal((await app.inject({ url: '/health/live', headers: BROWSER })).statusCode, 200)
})

test('/playground is open to everyone, and its policy allows no inline script or style', async (t) => {
  const app = await builtApp(t)
  for (const url of ['/playground', '/playground/']) {
    const reply = await app.inject({ url, headers: BROWSER })
    assert.equal(reply.body, '<title>playground</title>')
    assert.equal(reply.headers['cache-control'], 'no-cache')
    const policy = String(reply.headers['content-security-policy'])
    assert.match(policy, /default-src 'none'/)
    assert.match(policy, /connect-src 'self'(?:;|$)/)
    assert.doesNotMatch(policy, /unsafe|data:/)
    const { etag } = reply.headers
    const again = await app.inject({ url, headers: { 'if-none-match': String(etag) } })
    assert.equal(again.statusCode, 304)
  }
})

test('/playground/assets are sent compressed, and kept for ever', async (t) => {
  const app = await builtApp(t)
  const url = '/playground/assets/main-ABC.js'
  for (const [accepted, sent] of [
    ['br, gzip', 'br'],
    ['gzip', 'gzip'],
    ['identity', undefined]
  ]) {
    const reply = await app.inject({ url, headers: { 'accept-encoding': accepted ?? '' } })
    assert.equal(reply.statusCode, 200)
    assert.equal(reply.headers['content-encoding'], sent)
    assert.match(String(reply.headers['content-type']), /^(?:application|text)\/javascript/)
    assert.equal(reply.headers['cache-control'], 'public, max-age=31536000, immutable')
    assert.match(String(reply.headers.vary), /accept-encoding/i)
  }
})

test('/playground/assets has no other file, whatever the path', async (t) => {
  const app = await builtApp(t)
  for (const path of ['main-ABD.js', '../index.html', '..%2findex.html', '%2e%2e/index.html', 'main-ABC.js.br', '']) {
    const reply = await app.inject(`/playground/assets/${path}`)
    assert.equal(reply.statusCode, 404, path)
    assert.equal(reply.json<{ code: string }>().code, 'NOT_FOUND')
  }
  assert.equal((await app.inject({ method: 'POST', url: '/playground' })).statusCode, 405)
})

test('/playground says how to build it when it is not built', async (t) => {
  const playgroundFolder = join(await temporaryFolder(t), 'none')
  const { app } = await buildTestApp(t, {}, { playgroundFolder })
  const reply = await app.inject('/playground')
  assert.equal(reply.statusCode, 404)
  assert.match(reply.json<{ message: string }>().message, /not built; `npm run build-web` builds it/)
})
