/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The classifiers of README.md and docs/ against the service as a process, with the real model.
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

interface Request {
  readonly method?: string
  readonly type?: string
  readonly body?: string
}

async function ask(url: string, { method, type, body }: Request = {}): Promise<{ reply: Response; body: string }> {
  const headers = { authorization: 'Bearer key-one', ...(type !== undefined && { 'content-type': type }) }
  const reply = await fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers,
    ...(body !== undefined && { body })
  })
  return { reply, body: await reply.text() }
}

/** Trains from CSV to the end. */
async function train(origin: string, path: string, csv: string): Promise<void> {
  const accepted = await ask(`${origin}/v1/classifiers/${path}`, { type: 'text/csv', body: csv })
  assert.equal(accepted.reply.status, 200, accepted.body)
  const { data }: { data: { statusUrl: string } } = JSON.parse(accepted.body)
  for (;;) {
    const { body } = await ask(origin + data.statusUrl)
    if (!/"status":"(QUEUED|IN_PROGRESS)"/.test(body)) {
      assert.match(body, /"status":"SUCCESS".*"outcome":"promoted"/)
      return
    }
    await pause(POLL_MS)
  }
}

async function predict(origin: string, name: string, body: string): Promise<{ version: string | null; body: string }> {
  const asked = await ask(`${origin}/v1/classifiers/${name}/predict`, { type: 'application/json', body })
  return { version: asked.reply.headers.get('x-model-version'), body: asked.body }
}

test('README’s sensors and docs’ letters: the calls as typed give the replies as shown', async (t) => {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
  const { origin } = await start(t, join(await temporaryFolder(t), 'data'))
  await train(origin, 'sensors/train', await readFile(join(ROOT, 'examples/sensors.csv'), 'utf8'))
  const call = '{"sensor_1":"[1,2.0,3]","sensor_2":"[1,-1,0]"}'
  const reply = '{"class":[0.0,1.0,1.0]}'
  assert.ok(readme.includes(call) && readme.includes(reply))
  assert.equal((await predict(origin, 'sensors', call)).body, reply)

  await train(origin, 'letters/train', await readFile(join(ROOT, 'examples/letters.csv'), 'utf8'))
  const page = await readFile(join(ROOT, 'docs/classify-text.md'), 'utf8')
  const typed = /-d '(\{"text":.*?\})'/.exec(page)?.[1]
  const shown = /^(\{"class":.*),"probability"/m.exec(page)?.[1]
  assert.ok(typed !== undefined && shown !== undefined, 'docs/classify-text.md shows a call and its reply')
  const { body } = await predict(origin, 'letters', typed)
  assert.ok(body.startsWith(`${shown},"probability":[`), body)
})

test('kill -9 during a promotion leaves the old or the new version live, and it answers', async (t) => {
  const dataDir = join(await temporaryFolder(t), 'data')
  const csv = await readFile(join(ROOT, 'examples/sensors.csv'), 'utf8')
  const contrary = csv.replaceAll(/\d(?=\r\n)/g, (label) => String(1 - Number(label)))
  let service = await start(t, dataDir)
  await train(service.origin, 'sensors/train', csv)
  await train(service.origin, 'sensors/train?force=true', contrary)
  const replies = ['{"class":[0.0,1.0,1.0]}', '{"class":[1.0,0.0,0.0]}']
  let live = 2
  for (const promotionCount of [4, 7, 12]) {
    for (let done = 0; done < promotionCount; done++) {
      live = 3 - live
      await promote(service.origin, live)
    }
    // The next one is on its way when the process dies, wherever it is then.
    const wanted = 3 - live
    const cutOff = promote(service.origin, wanted).then(
      () => true,
      () => false
    )
    // As a power cut does.
    service.child.kill('SIGKILL')
    await service.exited
    const wasAnswered = await cutOff
    service = await start(t, dataDir)
    const { body } = await ask(`${service.origin}/v1/classifiers/sensors/versions`)
    const { data }: { data: { live: number; history: { version: number }[] } } = JSON.parse(body)
    assert.ok(data.live === wanted || (data.live === live && !wasAnswered), `live ${data.live}, wanted ${wanted}`)
    assert.equal(data.history[0]?.version, data.live)
    live = data.live
    const predicted = await predict(service.origin, 'sensors', '{"sensor_1":[1,2,3],"sensor_2":[1,-1,0]}')
    assert.deepEqual(predicted, { version: String(live), body: replies[live - 1] })
  }
})

async function promote(origin: string, version: number): Promise<void> {
  const url = `${origin}/v1/classifiers/sensors/versions/${version}/promote`
  const { reply, body } = await ask(url, { type: 'application/json', body: '{"force":true}' })
  assert.equal(reply.status, 200, body)
}
