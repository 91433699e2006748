/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Readiness } from '../../readiness.ts'

const ReadyReply = Type.Object({ ready: Type.Boolean() })

/** Routes of `/v2/health`: open to everyone, since probes have no key. */
export const inferenceHealthRoutes: FastifyPluginAsyncTypebox<{ readonly readiness: Readiness }> = async (
  app,
  { readiness }
) => {
  app.get(
    '/health/live',
    {
      config: { scope: 'open' },
      schema: {
        summary: 'Check that the server is alive',
        description: 'Answers 200 as soon as the process listens, in the form of the protocol. Needs no key.',
        tags: ['inference'],
        security: [],
        response: { 200: Type.Object({ live: Type.Literal(true) }) }
      }
    },
    (_request, reply) => {
      void reply.header('cache-control', 'no-store').send({ live: true as const })
    }
  )

  app.get(
    '/health/ready',
    {
      config: { scope: 'open' },
      schema: {
        summary: 'Check that the server takes work',
        description: 'Answers 200 when the service is ready, else 503, in the form of the protocol. Needs no key.',
        tags: ['inference'],
        security: [],
        response: { 200: ReadyReply, 503: ReadyReply }
      }
    },
    (_request, reply) => {
      const ready = readiness.isReady()
      void reply
        .header('cache-control', 'no-store')
        .code(ready ? 200 : 503)
        .send({ ready })
    }
  )
}
