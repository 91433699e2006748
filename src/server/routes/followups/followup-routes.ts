/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { FollowupSuggester } from '../../../followup/followup-suggester.ts'
import { assertMayRead, callerHeadersOf, callerOf } from '../../auth.ts'
import { encodeOptionsOf } from '../../encode-reply.ts'
import { MENTOR_ERROR_REPLIES, MentorId, unknownMentor } from '../mentors/mentor-routes.ts'

/** Options of the followup route. */
export interface FollowupRouteOptions {
  readonly followups: FollowupSuggester
}

const FollowupsReply = Type.Object({
  data: Type.Object({
    followups: Type.Array(
      Type.Object({
        question: Type.String(),
        entityType: Type.Enum(['person', 'place', 'acronym', 'organisation', 'family']),
        template: Type.String({
          description: 'Template of the question; `{entity}` stands for the entity.'
        })
      }),
      { description: 'Highest weight first.' }
    )
  })
})

/** Routes of `/followups`: questions to ask next. */
export const followupRoutes: FastifyPluginAsyncTypebox<FollowupRouteOptions> = async (app, { followups }) => {
  app.post(
    '/followups/category/:category/:mentor',
    {
      config: { scope: 'ask' },
      schema: {
        summary: 'Suggest followup questions',
        description:
          'Returns questions that could be asked next, about the people, places, organisations and relatives that the mentor mentions in the answers ' +
          'of a category. The category of a stored mentor is a topic of its questions. Questions that the mentor has answered are left out.',
        tags: ['questions'],
        params: Type.Object({
          category: Type.String({
            minLength: 1,
            maxLength: 200,
            description: 'The category, or topic.',
            examples: ['About me']
          }),
          mentor: MentorId
        }),
        response: { 200: FollowupsReply, ...MENTOR_ERROR_REPLIES }
      }
    },
    async (request, reply) => {
      const { category, mentor } = request.params
      assertMayRead(callerOf(request), mentor)
      const { signal } = encodeOptionsOf(request, reply, undefined)
      const suggested = await followups.suggest(category, mentor, { caller: callerHeadersOf(request), signal })
      if (suggested === undefined) throw unknownMentor()
      return { data: { followups: suggested } }
    }
  )
}
