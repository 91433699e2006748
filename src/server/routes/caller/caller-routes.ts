/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { callerOf } from '../../auth.ts'
import { isAdmin, scopesOf } from '../../callers/caller.ts'
import { ERROR_REPLIES } from '../../encode-reply.ts'
import { CallerReply } from './caller-reply.ts'

/** `/v1/caller`: who is calling and what it may do, for programs that hide the rest. */
export const callerRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/caller',
    {
      config: { scope: 'any' },
      schema: {
        summary: 'Show who is calling',
        description:
          'Returns the name of the key or token and its scopes, for programs that hide what the caller may not do.',
        tags: ['caller'],
        response: { 200: CallerReply, ...ERROR_REPLIES }
      }
    },
    async (request, reply) => {
      void reply.header('cache-control', 'no-store')
      const caller = callerOf(request)
      const scopes = [...scopesOf(caller)]
      if (caller.kind === 'key') return { name: caller.name, scopes }
      return { name: caller.id, scopes, ...(!isAdmin(caller) && { mentors: [...caller.mentorIds] }) }
    }
  )
}
