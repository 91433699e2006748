/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { ServiceError } from '../../src/errors.ts'
import { BacklogReporter } from '../../src/jobs/backlog-reporter.ts'
import { MemoryJobBackend } from '../../src/jobs/memory-job-backend.ts'
import { packPayload } from '../../src/jobs/payload.ts'

function lineLog() {
  const lines: { level: string; fields: object; message: string }[] = []
  const write = (level: string) => (fields: object, message: string) => void lines.push({ level, fields, message })
  return { lines, info: write('info'), warn: write('warn'), error: write('error') }
}

test('BacklogReporter counts the jobs that wait for each worker that lives', async () => {
  const backend = new MemoryJobBackend()
  for (let count = 0; count < 5; count += 1) await backend.enqueue({ type: 'work', input: packPayload(count) })
  await backend.checkIn('another', 60_000)
  const log = lineLog()
  const reporter = new BacklogReporter({ backend, workerId: 'this', log })
  assert.equal(reporter.latest, undefined)
  await reporter.report()
  assert.deepEqual(reporter.latest, {
    queuedCount: 5,
    inProgressCount: 0,
    deadCount: 0,
    workerCount: 2,
    backlogPerWorker: 2.5
  })
})

test('BacklogReporter keeps its last report while the store cannot be reached', async (t) => {
  const backend = new MemoryJobBackend()
  const log = lineLog()
  const reporter = new BacklogReporter({ backend, workerId: 'this', log })
  reporter.start()
  await reporter.stop()
  const { latest } = reporter
  assert.equal(latest?.workerCount, 1)
  t.mock.method(backend, 'backlog').mock.mockImplementation(async () => {
    throw new ServiceError('UNAVAILABLE', 'Cannot use the job store')
  })
  await reporter.report()
  assert.equal(reporter.latest, latest)
  assert.equal(log.lines.at(-1)?.message, 'Cannot report the backlog')
})
