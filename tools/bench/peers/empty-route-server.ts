/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// A route that sends the bytes of a file, and nothing else: what Fastify can do at most. Its port and the file are in the environment.

import { readFileSync } from 'node:fs'
import Fastify from 'fastify'

const body = readFileSync(process.env['BODY_PATH'] ?? '')
const app = Fastify()
app.get('/v1/encode', (_request, reply) => {
  void reply.header('content-type', 'application/json; charset=utf-8').send(body)
})
await app.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) })
