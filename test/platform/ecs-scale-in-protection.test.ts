/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { MemoryJobBackend } from '../../src/jobs/memory-job-backend.ts'
import { JobRunner } from '../../src/jobs/job-runner.ts'
import { packPayload } from '../../src/jobs/payload.ts'
import { EcsScaleInProtection } from '../../src/platform/ecs-scale-in-protection.ts'

const PROTECTED = { ProtectionEnabled: true, ExpiresInMinutes: 10 }
const UNPROTECTED = { ProtectionEnabled: false }

/** The agent of an ECS task. `answer` says what it answers, and may change meanwhile. */
async function openAgent(t: TestContext) {
  const agent = {
    uri: '',
    asked: [] as unknown[],
    answer: [200, { protection: { ProtectionEnabled: true } }] as readonly [number, object]
  }
  const server = createServer((request, response) => void take(request, response))
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    assert.deepEqual([request.method, request.url], ['PUT', '/api/task-1/task-protection/v1/state'])
    assert.equal(request.headers['content-type'], 'application/json')
    agent.asked.push(JSON.parse(await text(request)))
    const [status, reply] = agent.answer
    response.writeHead(status).end(JSON.stringify(reply))
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  assert(typeof address === 'object' && address !== null)
  agent.uri = `http://127.0.0.1:${address.port}/api/task-1`
  return agent
}

function lineLog() {
  const lines: { fields: object; message: string }[] = []
  const write = (fields: object, message: string) => void lines.push({ fields, message })
  return { lines, info: write, warn: write }
}

test('a task is protected once a job is long, and no more when that has ended', async (t) => {
  const agent = await openAgent(t)
  let oldestJobMs: number | undefined
  const log = lineLog()
  const protection = new EcsScaleInProtection({ agentUri: agent.uri, oldestJobMs: () => oldestJobMs, log })
  for (const ms of [undefined, 0, 29_999]) {
    oldestJobMs = ms
    await protection.look()
  }
  assert.deepEqual(agent.asked, [], 'a short job ends in the time that a stopped task has')
  oldestJobMs = 30_000
  await Promise.all([protection.look(), protection.look()])
  await protection.look()
  assert.deepEqual(agent.asked, [PROTECTED], 'one request for the whole job')
  oldestJobMs = 5
  await protection.look()
  assert.deepEqual(agent.asked, [PROTECTED, UNPROTECTED])
  await protection.stop()
  assert.equal(agent.asked.length, 2)
})

test('a protection is renewed before it expires', async (t) => {
  const agent = await openAgent(t)
  let nowMs = 0
  t.mock.method(performance, 'now', () => nowMs)
  const protection = new EcsScaleInProtection({ agentUri: agent.uri, oldestJobMs: () => nowMs, log: lineLog() })
  nowMs = 60_000
  await protection.look()
  nowMs += 299_000
  await protection.look()
  assert.equal(agent.asked.length, 1)
  nowMs += 2000
  await protection.look()
  assert.deepEqual(agent.asked, [PROTECTED, PROTECTED])
})

test('what the agent refuses is logged and asked again', async (t) => {
  const agent = await openAgent(t)
  const log = lineLog()
  const protection = new EcsScaleInProtection({ agentUri: agent.uri, oldestJobMs: () => 60_000, log })
  // Over the limit of calls, and 200 with a failure of ECS itself: a task that is being stopped already.
  agent.answer = [400, { requestID: '1', error: { Code: 'ThrottlingException' } }]
  await protection.look()
  agent.answer = [200, { requestID: '2', failure: { Reason: 'TASK_NOT_VALID' } }]
  await protection.look()
  agent.answer = [200, { protection: { ProtectionEnabled: true } }]
  await protection.look()
  assert.deepEqual(agent.asked, [PROTECTED, PROTECTED, PROTECTED])
  assert.deepEqual(
    log.lines.map(({ message }) => message),
    ['Cannot protect the ECS task', 'Cannot protect the ECS task', 'the ECS task is protected: a long job is running']
  )
  assert.match(JSON.stringify(log.lines.map(({ fields }) => String(Object.values(fields)[0]))), /TASK_NOT_VALID/)
})

test('an agent that is away does not disturb the jobs', async () => {
  const log = lineLog()
  // A port that fetch refuses.
  const options = { agentUri: 'http://127.0.0.1:1', oldestJobMs: () => 60_000, log }
  const protection = new EcsScaleInProtection(options)
  await protection.look()
  await protection.stop()
  assert.deepEqual(
    log.lines.map(({ message }) => message),
    ['Cannot protect the ECS task']
  )
})

test('a runner whose job is long keeps its task until the job is done, through a stop of the worker', async (t) => {
  const agent = await openAgent(t)
  const backend = new MemoryJobBackend()
  t.after(() => backend.close())
  const done = Promise.withResolvers<undefined>()
  const handlers = new Map([
    [
      'work',
      async () => {
        await done.promise
        return packPayload('out')
      }
    ]
  ])
  const runner = new JobRunner({ backend, handlers })
  assert.equal(runner.oldestJobMs, undefined)
  const protection = new EcsScaleInProtection({
    agentUri: agent.uri,
    oldestJobMs: () => runner.oldestJobMs,
    log: lineLog(),
    protectAfterMs: 20,
    everyMs: 5
  })
  await backend.enqueue({ type: 'work', input: packPayload('in') })
  runner.start()
  protection.start()
  while (agent.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  const stopped = runner.stop()
  done.resolve(undefined)
  await stopped
  assert.equal(runner.oldestJobMs, undefined)
  await protection.stop()
  assert.deepEqual([agent.asked[0], agent.asked.at(-1)], [PROTECTED, UNPROTECTED])
})
