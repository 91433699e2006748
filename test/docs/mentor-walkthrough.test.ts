/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The walkthrough of README.md against the service as a process, with the real model.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { startReadyService, type ReadyService } from '../app/service-process.ts'
import { temporaryFolder } from '../server/mentor-app.ts'

/** Between two looks at a training: looked at without a pause, it would wait for its own spectators. */
const POLL_MS = 20
const ROOT = join(import.meta.dirname, '../..')

/** Starts the service over a folder; it is ready. */
function start(t: TestContext, dataDir: string): Promise<ReadyService> {
  return startReadyService(t, { API_SECRET_KEY: 'key-one', DATA_DIR: dataDir })
}

/** Stops a service as an operator does. @returns its exit code */
async function stop({ child, exited }: ReadyService): Promise<number | null> {
  child.kill('SIGTERM')
  const [code] = await exited
  return code
}

interface Reply {
  readonly status: number
  readonly body: string
}

interface Request {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

async function ask(url: string, init: Request = {}): Promise<Reply> {
  const headers = { authorization: 'Bearer key-one', ...init.headers }
  const reply = await fetch(url, { ...init, headers })
  return { status: reply.status, body: await reply.text() }
}

async function train(origin: string, body: object): Promise<string> {
  const headers = { 'content-type': 'application/json' }
  const accepted = await ask(`${origin}/train`, { method: 'POST', headers, body: JSON.stringify(body) })
  const { data }: { data: { id: string } } = JSON.parse(accepted.body)
  for (;;) {
    const status = await ask(`${origin}/train/status/${data.id}`)
    if (!/"status":"(QUEUED|IN_PROGRESS)"/.test(status.body)) return status.body
    await pause(POLL_MS)
  }
}

test('a mentor from CSV is trained, asked, evaluated, rolled back, and still there after a restart', async (t) => {
  const dataDir = join(await temporaryFolder(t), 'data')
  const first = await start(t, dataDir)
  const { origin } = first
  const csv = await readFile(join(ROOT, 'examples/mentor.csv'), 'utf8')
  const stored = await ask(`${origin}/mentors/noor`, {
    method: 'PUT',
    headers: { 'content-type': 'text/csv' },
    body: csv
  })
  assert.equal(stored.status, 200, stored.body)
  assert.match(await train(origin, { mentor: 'noor' }), /"status":"SUCCESS".*"version":1,/)

  const question = (query: string, at = origin) =>
    ask(`${at}/questions?mentor=noor&query=${encodeURIComponent(query)}`).then(({ body }) => body)
  assert.match(await question('Which town do you call home these days?'), /"answer_id":"intro-home".*"CLASSIFIER"/)
  assert.match(await question('What is the best recipe for lasagne?'), /"answer_id":"say-off-topic-\d".*"OFF_TOPIC"/)
  const report = await ask(`${origin}/mentors/noor/versions/live/evaluation`)
  const { data }: { data: { evaluation: { accuracy: number } } } = JSON.parse(report.body)
  assert.ok(data.evaluation.accuracy > 0.7, `accuracy ${data.evaluation.accuracy}`)

  assert.match(await train(origin, { mentor: 'noor', arch: 'ridge' }), /"encodedCount":0/)
  assert.match(await question('Which town do you call home these days?'), /"classifier":"ridge\/2"/)
  const back = await ask(`${origin}/mentors/noor/rollback`, { method: 'POST' })
  assert.equal(back.body, '{"data":{"mentor":"noor","live":1}}')
  assert.equal(await stop(first), 0)

  const again = await start(t, dataDir)
  assert.match(await question('Where do you live?', again.origin), /"EXACT".*"classifier":"softmax\/1"/)
  assert.equal(await stop(again), 0)
})
