/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { HealthWatch } from '../../tools/fault-test/health-watch.ts'
import { reliabilityPage, triedOf } from '../../tools/fault-test/report.ts'
import { describeMachine } from '../../tools/bench/measure/machine.ts'

test('HealthWatch sees how long health takes and that it is not answered, whatever its own thread does', async (t) => {
  let status = 200
  const server = createServer((_request, response) => {
    setTimeout(() => response.writeHead(status).end(), 300)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const watch = await HealthWatch.start(`http://127.0.0.1:${address.port}`)
  await sleep(700)
  status = 503
  await sleep(500)
  const seen = await watch.stop()
  assert.ok(seen.probeCount > 3, `${seen.probeCount} probes`)
  assert.ok(seen.failedCount > 0 && seen.failedCount < seen.probeCount, `${seen.failedCount} of ${seen.probeCount}`)
  assert.ok(seen.worstMs > 250)
})

test('reliabilityPage() lists what was found, what could not be tried and what was broken', async () => {
  const page = reliabilityPage(
    [
      { name: 'a kill', outcome: { seen: 'a | b', lost: 'nothing', recovery: '1.0 s' } },
      { name: 'a clock', outcome: { skipped: 'no library' } },
      { name: 'a disk', outcome: { failure: 'lost a job\n  at x.ts' } }
    ],
    { seed: 7, machine: await describeMachine() }
  )
  assert.match(page, /^\| a kill \| a \\\| b \| nothing \| 1\.0 s \|$/m)
  assert.match(page, /^- a clock: no library$/m)
  assert.match(page, /## Broken promises\n\n- a disk: lost a job\n/)
  assert.match(page, /Seed: 7\./)
})

test('triedOf() reads what reliabilityPage() wrote, so that a fault can be tried alone', async () => {
  const tried = [
    { name: 'an attack: of two words', outcome: { seen: 'a | b', lost: 'nothing', recovery: '1.0 s' } },
    { name: 'a disk: full', outcome: { failure: 'AssertionError [ERR_ASSERTION]: a job is gone: 7' } }
  ]
  const page = reliabilityPage(tried, { seed: 7, machine: await describeMachine() })
  assert.deepEqual(triedOf(page), tried)
})
