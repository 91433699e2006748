/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test, type TestContext } from 'node:test'
import { ServiceError } from '../../src/errors.ts'
import { LambdaRuntime, type InvocationHandler } from '../../src/platform/lambda-runtime.ts'
import { RuntimeApi } from '../../tools/lambda/runtime-api.ts'

/** Runs a handler as a function; `stop` ends it as a signal would. */
async function serve(t: TestContext, handle: InvocationHandler) {
  const api = await RuntimeApi.listen()
  const runtime = new LambdaRuntime(api.address)
  const stopping = new AbortController()
  const running = runtime.run(handle, stopping.signal)
  const stop = async (): Promise<void> => {
    stopping.abort()
    await running
  }
  t.after(async () => {
    await stop()
    await runtime.close()
    await api.close()
  })
  return { api, stop }
}

test('LambdaRuntime gives each event to the handler and its reply to the caller, one after the other', async (t) => {
  let running = 0
  const { api } = await serve(t, async ({ event, requestId, deadlineMs }) => {
    running += 1
    assert.equal(running, 1)
    assert.match(requestId, /^[0-9a-f-]{36}$/)
    assert.ok(deadlineMs > Date.now())
    await Promise.resolve()
    running -= 1
    return JSON.stringify({ echo: event })
  })
  const outcomes = await Promise.all([1, 'zwei', { drei: 'ü' }].map((event) => api.invoke(event)))
  assert.deepEqual(outcomes, [
    { outcome: 'reply', value: { echo: 1 } },
    { outcome: 'reply', value: { echo: 'zwei' } },
    { outcome: 'reply', value: { echo: { drei: 'ü' } } }
  ])
})

test('LambdaRuntime tells what a handler throws, and goes on', async (t) => {
  const { api } = await serve(t, async ({ event }) => {
    if (event === 'bad') throw new ServiceError('INVALID_REQUEST', 'Cannot answer: bad')
    if (event === 'bug') throw new TypeError('x is not a function')
    return '{"class":[1.0]}'
  })
  assert.deepEqual(await api.invoke('bad'), {
    outcome: 'error',
    errorType: 'INVALID_REQUEST',
    errorMessage: 'Cannot answer: bad'
  })
  assert.deepEqual(await api.invoke('bug'), {
    outcome: 'error',
    errorType: 'TypeError',
    errorMessage: 'x is not a function'
  })
  assert.deepEqual(await api.invoke('good'), { outcome: 'reply', value: { class: [1] } })
})

test('LambdaRuntime goes on after a reply that is too large for Lambda', async (t) => {
  const { api } = await serve(t, async ({ event }) => JSON.stringify('x'.repeat(Number(event))))
  const tooLarge = await api.invoke(6 * 1024 * 1024)
  assert.equal(tooLarge.outcome === 'error' && tooLarge.errorType, 'Function.ResponseSizeTooLarge')
  assert.deepEqual(await api.invoke(1), { outcome: 'reply', value: 'x' })
})

test('LambdaRuntime finishes the call at work before it stops', async (t) => {
  const begun = Promise.withResolvers<void>()
  const finish = Promise.withResolvers<void>()
  const { api, stop } = await serve(t, async () => {
    begun.resolve()
    await finish.promise
    return '"done"'
  })
  const outcome = api.invoke({})
  await begun.promise
  const stopped = stop()
  finish.resolve()
  assert.deepEqual(await outcome, { outcome: 'reply', value: 'done' })
  await stopped
})

test('LambdaRuntime ends when Lambda says that the environment is broken', async (t) => {
  const server = createServer((_request, response) => response.writeHead(500).end('{}')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert(address !== null && typeof address !== 'string')
  const runtime = new LambdaRuntime(`127.0.0.1:${address.port}`)
  t.after(() => runtime.close())
  await assert.rejects(
    runtime.run(async () => 'null', new AbortController().signal),
    { message: 'Cannot get the next call from Lambda: it answered 500' }
  )
})

test('LambdaRuntime tells why the function cannot start', async (t) => {
  const { api } = await serve(t, async () => 'null')
  const runtime = new LambdaRuntime(api.address)
  t.after(() => runtime.close())
  await runtime.reportInitError(new ServiceError('UNAVAILABLE', 'Cannot start: no model'))
  assert.deepEqual(await api.initError, {
    outcome: 'error',
    errorType: 'UNAVAILABLE',
    errorMessage: 'Cannot start: no model'
  })
})
