/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { CallerSeal } from '../../src/platform/caller-seal.ts'
import { GraphQlClient } from '../../src/platform/graphql-client.ts'
import { GraphQlTrainings } from '../../src/platform/graphql-trainings.ts'
import { MemoryJobBackend } from '../../src/jobs/memory-job-backend.ts'

/** A service that answers all the same; gives what it was asked. */
async function setUp(t: TestContext, data: unknown) {
  const asked: { variables: Record<string, string> }[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    asked.push(JSON.parse(await text(request)))
    response.end(JSON.stringify({ data }))
  }
  const server = createServer((request, response) => void answer(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a server that listens on TCP has such an address
  const { port } = server.address() as AddressInfo
  const client = new GraphQlClient({ endpoint: `http://127.0.0.1:${port}/` })
  t.after(async () => {
    await client.close()
    server.close()
  })
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const jobs = new MemoryJobBackend()
  return { asked, jobs, trainings: new GraphQlTrainings({ client, seal: new CallerSeal(['s']), jobs, log }) }
}

test('register() takes the id that the service gives', async (t) => {
  const { trainings, asked } = await setUp(t, { me: { mentorTrainTaskAddOrUpdate: { _id: 'task-7' } } })
  const { id, labels } = await trainings.register('noor', { authorization: 'Bearer x' }, undefined)
  assert.equal(id, 'task-7')
  assert.deepEqual(asked[0]?.variables['status'], 'QUEUED')
  assert.deepEqual(trainings.callerOf({ id, labels }), { authorization: 'Bearer x' })
})

test('register() goes on with its own id for a caller who is no user of the service', async (t) => {
  const { trainings, asked } = await setUp(t, { me: null })
  const { id } = await trainings.register('noor', {}, undefined)
  assert.match(id, /^[0-9a-f]{24}$/)
  assert.equal(asked[0]?.variables['taskDocId'], id)
  const { id: other } = await trainings.register('noor', {}, undefined)
  assert.notEqual(other, id)
  const [first, again] = [await trainings.register('noor', {}, 'key'), await trainings.register('noor', {}, 'key')]
  assert.equal(first.id, again.id)
})

test('tell() never rejects, and queues what it cannot tell of an end', async (t) => {
  const { trainings, jobs } = await setUp(t, { other: 'shape' })
  const training = { id: 'a', labels: { mentor: 'noor' } }
  await trainings.tell(training, 'IN_PROGRESS')
  assert.equal((await jobs.backlog()).queuedCount, 0)
  await trainings.tell(training, 'FAILURE')
  assert.equal((await jobs.backlog()).queuedCount, 1)
})
