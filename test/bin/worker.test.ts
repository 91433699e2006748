/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startService, type Service } from '../app/service-process.ts'
import { modelPath } from '../fixtures/model-path.ts'

const ENTRY = fileURLToPath(new URL('../../src/bin/worker.ts', import.meta.url))
const start = (t: TestContext, env: Record<string, string>): Service =>
  startService(t, ENTRY, { MODEL_DIR: join(modelPath, 'compiled'), ENCODE_WORKERS: '1', WORKER_PORT: '0', ...env })

test('a worker whose port is in use says so in one line, and ends with 1', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.after(() => taken.close())
  const address = taken.address()
  assert.ok(typeof address === 'object' && address !== null)
  const worker = start(t, { WORKER_PORT: String(address.port) })
  assert.deepEqual(await worker.exited, [1, null])
  assert.deepEqual(worker.stderr, [`Cannot listen on 127.0.0.1 port ${address.port}: the port is in use`])
  assert.equal(worker.log.at(-1)?.['msg'], 'stopped')
})

test('a worker that is told to stop takes no more jobs, closes what it opened and ends with 0', async (t) => {
  const worker = start(t, {})
  const { address } = await worker.logged('listening')
  assert.ok(typeof address === 'object' && address !== null && 'port' in address)
  await worker.logged('ready')
  const health = await fetch(`http://127.0.0.1:${String(address.port)}/health/ready`)
  assert.deepEqual([health.status, await health.json()], [200, { status: 'ready', reasons: [] }])
  worker.child.kill('SIGTERM')
  assert.deepEqual(await worker.exited, [0, null])
  const said = worker.log.map(({ msg }) => msg)
  assert.deepEqual(said.slice(said.indexOf('stopping')), ['stopping', 'no more jobs are taken', 'stopped'])
  assert.deepEqual(worker.stderr, [])
})

test('a worker on ECS takes the address of the agent, and refuses one that is none', async (t) => {
  const worker = start(t, { ECS_AGENT_URI: 'unix:///agent.sock' })
  assert.deepEqual(await worker.exited, [1, null])
  assert.match(worker.stderr.join('\n'), /ECS_AGENT_URI: want an http URL/)
  const other = start(t, { ECS_AGENT_URI: 'http://127.0.0.1:1/api/task-1' })
  await other.logged('ready')
  other.child.kill('SIGTERM')
  assert.deepEqual(await other.exited, [0, null])
})
