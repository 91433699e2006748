/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { wantsPage } from '../playground/playground-routes.ts'
import type { Readiness } from '../../readiness.ts'

/** Options of the health routes. */
export interface HealthRouteOptions {
  readonly readiness: Readiness
}

const HealthReply = Type.Object({ status: Type.Literal('ok') })
const ReadyReply = Type.Object({
  status: Type.Union([Type.Literal('ready'), Type.Literal('not ready')]),
  reasons: Type.Array(Type.String())
})
const PingReply = Type.Object({
  status: Type.Literal('success'),
  message: Type.Literal('pong!'),
  container_id: Type.String({ description: 'Which of several containers answered.' })
})

/** Routes `/`, `/health/live` and `/health/ready`: open to everyone, since load balancers have no key. `/` redirects browsers to the playground. */
export const healthRoutes: FastifyPluginAsyncTypebox<HealthRouteOptions> = async (app, { readiness }) => {
  for (const path of ['/', '/health/live'] as const) {
    app.get(
      path,
      {
        config: { scope: 'open' },
        schema: {
          summary: 'Check that the process is alive',
          description:
            'Answers 200 as soon as the process listens, also while the model is being loaded. Needs no key.',
          tags: ['operations'],
          security: [],
          response: { 200: HealthReply }
        }
      },
      (request, reply) => {
        void reply.header('cache-control', 'no-store')
        if (path === '/') void reply.header('vary', 'Accept')
        if (path === '/' && wantsPage(request)) void reply.redirect('/playground', 302)
        else void reply.send({ status: 'ok' as const })
      }
    )
  }

  app.get(
    '/health/ready',
    {
      config: { scope: 'open' },
      schema: {
        summary: 'Check that the service takes work',
        description:
          'Answers 200 when the service is ready, else 503. It is ready once the model has passed its self-test and is warm. `reasons` also lists what is refused while ' +
          'everything else works, such as jobs when the disk is full. Needs no key.',
        tags: ['operations'],
        security: [],
        response: { 200: ReadyReply, 503: ReadyReply }
      }
    },
    (_request, reply) => {
      void reply.header('cache-control', 'no-store')
      if (readiness.isReady()) void reply.send({ status: 'ready' as const, reasons: [...(readiness.notes?.() ?? [])] })
      else void reply.code(503).send({ status: 'not ready' as const, reasons: [...readiness.reasons()] })
    }
  )
}

/** Route `/v1/ping`: which container answers; open to everyone, since monitors of the service that this one replaces send no key. */
export const pingRoutes: FastifyPluginAsyncTypebox<{ readonly containerId: string }> = async (app, { containerId }) => {
  app.get(
    '/ping',
    {
      config: { scope: 'open' },
      schema: {
        summary: 'Ping',
        description: 'Says which container answered, as the service that this one replaces does. Needs no key.',
        tags: ['operations'],
        security: [],
        response: { 200: PingReply }
      }
    },
    async (_request, reply) => {
      void reply.header('cache-control', 'no-store')
      return { status: 'success' as const, message: 'pong!' as const, container_id: containerId }
    }
  )
}
