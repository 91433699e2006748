/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '../../server/mentor-app.ts'

const MAIN = fileURLToPath(new URL('../../../tools/audit/main.ts', import.meta.url))

/** Advisories by package, as the registry gives them. */
type Advisories = Record<string, { id: number; title: string; severity: string; vulnerable_versions: string }[]>

/** A registry that knows of vulnerabilities, and nothing else. */
async function registryWith(t: TestContext, advisories: Advisories | undefined): Promise<string> {
  const server = createServer((request, response) => {
    request.resume()
    const isAudit = request.url?.endsWith('/advisories/bulk') === true && advisories !== undefined
    response.writeHead(isAudit ? 200 : 405, { 'content-type': 'application/json' })
    response.end(JSON.stringify(isAudit ? advisories : {}))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a server that listens on a port has no other address
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

async function audit(t: TestContext, registry: string, env: Record<string, string> = {}) {
  const npm = { npm_config_registry: registry, npm_config_cache: await temporaryFolder(t), npm_config_proxy: '' }
  const { promise, resolve } = Promise.withResolvers<{ code: number; out: string; error: string }>()
  const child = execFile(
    process.execPath,
    [MAIN],
    { env: { ...process.env, ...npm, ...env } },
    (_error, out, error) => {
      resolve({ code: child.exitCode ?? -1, out, error })
    }
  )
  return promise
}

function advisory(severity: string) {
  return [{ id: 1, title: 'a hole', severity, vulnerable_versions: '*' }]
}

test('npm run audit-packages is content where nothing is known', async (t) => {
  const { code, out } = await audit(t, await registryWith(t, {}), { REQUIRE_AUDIT: 'yes' })
  assert.equal(code, 0)
  assert.match(out, /^What runs: no known vulnerability\nWhat only builds and tests: no known vulnerability\n$/)
})

test('npm run audit-packages fails for a grave hole in what runs, and tells of all others', async (t) => {
  const grave = await audit(t, await registryWith(t, { fastify: advisory('high') }))
  assert.equal(grave.code, 1)
  assert.match(grave.out, /^ {2}high: fastify: a hole/m)
  const others = await audit(t, await registryWith(t, { fastify: advisory('low'), knip: advisory('critical') }))
  assert.equal(others.code, 0, others.error)
  assert.match(others.out, /^ {2}low: fastify: a hole[^]*^What only builds and tests: \d+\n[^]*critical: knip: a hole/m)
})

test('npm run audit-packages says when nothing was audited, and fails where an audit is required', async (t) => {
  const registry = await registryWith(t, undefined)
  const unrequired = await audit(t, registry, { REQUIRE_AUDIT: '' })
  assert.deepEqual([unrequired.code, unrequired.out], [0, ''])
  assert.match(unrequired.error, /^NOT AUDITED: the registry tells nothing of known vulnerabilities: .*405/)
  assert.equal((await audit(t, registry, { REQUIRE_AUDIT: 'yes' })).code, 1)
  const away = await audit(t, 'http://127.0.0.1:9/', { REQUIRE_AUDIT: 'yes' })
  assert.equal(away.code, 1)
  assert.match(away.error, /^NOT AUDITED/)
})
