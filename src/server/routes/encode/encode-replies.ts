/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'

const EmbeddingSchema = Type.Array(Type.Number(), {
  description: 'Embedding of L2 norm 1: the shortest decimals that read back as the same float32.'
})
const TruncatedSchema = Type.Optional(
  Type.Literal(true, { description: 'Present when the text was too long and was cut.' })
)

/** Reply with the embedding of a text. */
export const EncodeReply = Type.Object({
  query: Type.String({ description: 'The text as encoded: without white space around it.' }),
  encoding: EmbeddingSchema,
  truncated: TruncatedSchema
})
export type EncodeReply = Static<typeof EncodeReply>

/** Reply with the embeddings of several texts. */
export const MultipleEncodeReply = Type.Object({
  data: Type.Array(Type.Object({ original: Type.String(), encoded: EmbeddingSchema, truncated: TruncatedSchema }))
})
export type MultipleEncodeReply = Static<typeof MultipleEncodeReply>
