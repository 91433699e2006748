/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { toCurl, toTypeScript } from '../../web/src/service/call-text.ts'
import { withJson } from '../../web/src/service/service-request.ts'

/** The words that a shell makes of a command, without its program. */
function wordsOf(command: string): string[] {
  const script = command.replace(/^curl/, `printf '%s\\0'`)
  return execFileSync('sh', ['-c', script], { env: { API_KEY: 'the-key' }, encoding: 'utf8' })
    .split('\0')
    .slice(0, -1)
}

test('toCurl() gives a command that a shell reads as the call, quotes and all', () => {
  const call = withJson('POST', '/v1/encode', { query: `it's "$HOME" \`date\`\\` })
  assert.deepEqual(wordsOf(toCurl(call, 'http://localhost:1')), [
    '-s',
    'http://localhost:1/v1/encode',
    '-H',
    'Authorization: Bearer the-key',
    '-H',
    'Content-Type: application/json',
    '--data-binary',
    String(call.body)
  ])
  assert.match(toCurl({ method: 'DELETE', path: '/mentors/a' }, ''), /^curl -s -X DELETE '\/mentors\/a'/)
  assert.match(toCurl({ method: 'POST', path: '/mentors/a/rollback' }, ''), /^curl -s -X POST /)
})

test('toTypeScript() gives code that makes the call', async () => {
  const call = withJson('PUT', '/mentors/a?b=c', { name: `"it's"` })
  const made: unknown[] = []
  const fetch = async (...sent: unknown[]) => {
    made.push(...sent)
    return { ok: true, json: async () => ({}) }
  }
  const code = toTypeScript(call, 'http://localhost:1')
  const program = { fetch, process: { env: { API_KEY: 'the-key' } }, console: { log: () => undefined } }
  await runInNewContext(`(async () => { ${code} })()`, program)
  // Objects of another context have prototypes of their own.
  assert.deepEqual(structuredClone(made), [
    'http://localhost:1/mentors/a?b=c',
    {
      method: 'PUT',
      headers: { Authorization: 'Bearer the-key', 'Content-Type': 'application/json' },
      body: call.body
    }
  ])
})

test('what is shown of a call has a long body cut', () => {
  const call = { method: 'PUT', path: '/mentors/a', body: 'x'.repeat(5000), contentType: 'text/csv' } as const
  assert.ok(toCurl(call, '').length < 1000)
  assert.ok(toTypeScript(call, '').length < 1200)
})
