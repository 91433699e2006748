/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { listenForInvocations } from '../../../tools/lambda/invocations.ts'
import { RuntimeApi } from '../../../tools/lambda/runtime-api.ts'
import { startService } from '../../app/service-process.ts'

const ENTRY = fileURLToPath(new URL('../../app/function-stand-in.ts', import.meta.url))
const PATH = '/2015-03-31/functions/function/invocations'

/** A function that takes events. @returns where */
async function listen(t: TestContext): Promise<string> {
  const api = await RuntimeApi.listen()
  t.after(() => api.close())
  startService(t, ENTRY, { API_SECRET_KEY: 'local-key', AWS_LAMBDA_RUNTIME_API: api.address })
  const server = await listenForInvocations(api, 0)
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  assert(address !== null && typeof address === 'object')
  return `http://127.0.0.1:${address.port}`
}

test('listenForInvocations() answers events as the emulator of AWS does, one after the other', async (t) => {
  const base = await listen(t)
  const event = await readFile(new URL('../../../events/api-gateway-v2-encode.json', import.meta.url), 'utf8')
  const replies = await Promise.all([1, 2].map(() => fetch(base + PATH, { method: 'POST', body: event })))
  for (const reply of replies) {
    const { statusCode, body }: { statusCode: number; body: string } = JSON.parse(await reply.text())
    assert.deepEqual([reply.status, statusCode], [200, 200])
    assert.equal(JSON.parse(body).encoding.length, 384)
  }
  const wrong = await fetch(base + PATH, { method: 'POST', body: '{"no":"request"}' })
  const { errorMessage }: { errorMessage: string } = JSON.parse(await wrong.text())
  assert.equal(wrong.status, 200, 'an error of the function is a reply of Lambda')
  assert.match(errorMessage, /^Cannot answer the event: /)
})

test('listenForInvocations() says what it wants where it gets something else', async (t) => {
  const base = await listen(t)
  for (const [url, init, status, message] of [
    [`${base}/`, {}, 404, /want a POST to \/2015-03-31/],
    [base + PATH, { method: 'POST', body: 'no JSON' }, 400, /want an event in JSON/],
    [base + PATH, { method: 'POST', body: '1'.repeat(6 * 1024 * 1024 + 1) }, 413, /more than the 6291456 bytes/]
  ] as const) {
    const reply = await fetch(url, init)
    assert.equal(reply.status, status)
    assert.match(await reply.text(), message)
  }
})
