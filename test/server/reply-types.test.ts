/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Fastify from 'fastify'
import { Type } from 'typebox'
import { ERROR_REPLIES } from '../../src/server/encode-reply.ts'

const response = { 200: Type.Object({ count: Type.Integer() }), ...ERROR_REPLIES }

// The compiler reports an unused directive when it does not hold a handler to the schema of its reply.
const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/right', { schema: { response } }, async () => ({ count: 1 }))
  // @ts-expect-error -- a member with another name
  app.get('/name', { schema: { response } }, async () => ({ counts: 1 }))
  // @ts-expect-error -- a member of another type
  app.get('/type', { schema: { response } }, async () => ({ count: 'one' }))
}

test('a reply is held to its schema when a route is compiled and when it is sent', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  app.addSchema(Type.Object({ message: Type.String() }, { $id: 'ErrorReply' }))
  await app.register(routes)
  assert.deepEqual((await app.inject('/right')).json(), { count: 1 })
  assert.equal((await app.inject('/name')).statusCode, 500)
  assert.equal((await app.inject('/type')).statusCode, 500)
})
