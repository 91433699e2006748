/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { ERROR_REPLIES, TruncateSchema, requiredText, textList, type RequestLimits } from '../../encode-reply.ts'
import type { Tokenize } from '../../../embedding/tokenizer.ts'
import { TokenizeReply } from './tokenize-reply.ts'

/** Options of the tokenize route. */
export interface TokenizeRouteOptions {
  readonly tokenize: Tokenize
  readonly limits: RequestLimits
}

/** Route `/v1/tokenize`: texts to token ids. */
export const tokenizeRoutes: FastifyPluginAsyncTypebox<TokenizeRouteOptions> = async (app, { tokenize, limits }) => {
  const TokenizeRequest = Type.Object(
    {
      inputs: Type.Union([requiredText(limits, 'A text.'), textList(limits, 'Several texts.')]),
      truncate: TruncateSchema
    },
    { examples: [{ inputs: 'hello world' }] }
  )

  app.post(
    '/tokenize',
    {
      config: { scope: 'encode' },
      schema: {
        summary: 'Tokenize texts',
        description:
          'Returns the token ids that the model reads for each text, how many there are, and whether the text was cut.',
        tags: ['encode'],
        body: TokenizeRequest,
        response: { 200: TokenizeReply, ...ERROR_REPLIES }
      }
    },
    async (request) => {
      const { inputs, truncate = 'end' } = request.body
      const texts = typeof inputs === 'string' ? [inputs] : inputs
      return {
        data: texts.map((text) => {
          const { ids, isTruncated } = tokenize(text, truncate)
          return { token_ids: Array.from(ids), token_count: ids.length, truncated: isTruncated }
        })
      }
    }
  )
}
