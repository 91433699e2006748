/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { SCOPES } from '../../callers/scope.ts'

/** Reply that tells who is calling. */
export const CallerReply = Type.Object({
  name: Type.String({
    description: 'Name of the key in `API_KEYS_FILE`, or `id` of the token; of other keys, the start of their SHA-256.'
  }),
  scopes: Type.Array(Type.Enum([...SCOPES]), { description: 'What the caller may do.' }),
  mentors: Type.Optional(
    Type.Array(Type.String(), {
      description: 'Mentors that the caller is limited to. Classifiers are not for such callers.'
    })
  )
})
export type CallerReply = Static<typeof CallerReply>
