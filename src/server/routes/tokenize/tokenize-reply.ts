/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'

/** Reply with the token ids of texts. */
export const TokenizeReply = Type.Object({
  data: Type.Array(
    Type.Object({
      token_ids: Type.Array(Type.Integer(), { description: '`[CLS]` and `[SEP]` included.' }),
      token_count: Type.Integer(),
      truncated: Type.Boolean({ description: 'Whether the text was too long and was cut.' })
    }),
    { description: 'One for each text, in order.' }
  )
})
export type TokenizeReply = Static<typeof TokenizeReply>
