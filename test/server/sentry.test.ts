/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { registerHooks } from 'node:module'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { setExtra, setUser } from '@sentry/node'
import { createErrorReporter, withoutRequest } from '../../src/server/sentry.ts'

/** What the reporter asked Node.js to load, since this file began. */
const loadedByReporter: string[] = []
registerHooks({
  resolve: (specifier, context, nextResolve) => {
    if (context.parentURL?.endsWith('/src/server/sentry.ts') === true) loadedByReporter.push(specifier)
    return nextResolve(specifier, context)
  }
})

test('createErrorReporter() without a DSN reports nothing and loads nothing', async () => {
  const reporter = await createErrorReporter({ sentryDsn: undefined, stage: 'dev', release: 'x' })
  reporter.report(new Error('a bug'))
  await reporter.close(1)
  assert.deepEqual(loadedByReporter, [])
})

test('createErrorReporter() sends an error with its release, stage, route and request id to the DSN', async (t) => {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    void receive(request, response)
  })
  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    bodies.push(await text(request))
    response.end('{}')
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const sentryDsn = `http://publickey@127.0.0.1:${address.port}/42`
  const reporter = await createErrorReporter({ sentryDsn, stage: 'qa', release: 'sbert-service@1.2.3' })
  assert.deepEqual(loadedByReporter, ['@sentry/node'])
  // What any code of a request might leave behind for Sentry to send.
  setUser({ ip_address: '10.0.0.1' })
  setExtra('body', 'private')
  reporter.report(new TypeError('a bug', { cause: new Error('its cause') }), {
    requestId: 'request-1',
    route: '/v1/encode'
  })
  await reporter.close(5000)

  const lines = bodies.join('\n').split('\n')
  const events = lines.filter((line) => line.includes('"exception"')).map((line) => JSON.parse(line))
  assert.equal(events.length, 1)
  const [event] = events
  assert.equal(event.release, 'sbert-service@1.2.3')
  assert.equal(event.environment, 'qa')
  assert.deepEqual(event.tags, { request_id: 'request-1', route: '/v1/encode' })
  const types = event.exception.values.map((exception: { type: string; value: string }) => exception.value)
  assert.deepEqual(types, ['its cause', 'a bug'])
  assert.equal(event.request, undefined)
  assert.equal(event.user, undefined)
  assert.equal(event.breadcrumbs, undefined)
  assert.ok(!bodies.join().includes('private'))
})

test('withoutRequest() takes away all that a request brought', () => {
  const event = withoutRequest({
    type: undefined,
    message: 'm',
    request: { url: '/v1/encode?query=private', headers: { authorization: 'Bearer hush' } },
    user: { ip_address: '10.0.0.1' },
    extra: { body: 'private' },
    breadcrumbs: [{ message: 'private' }]
  })
  assert.deepEqual(event, { type: undefined, message: 'm' })
})
