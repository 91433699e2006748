/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Encoder } from '../../../embedding/encoder.ts'
import { float32JsonMaxBytes, float32Text, writeFloat32Json } from '../../../embedding/float32-json.ts'
import { mineParaphrases } from '../../../embedding/paraphrase-mining.ts'
import { cosineMatrix, nextTurn } from '../../../embedding/similarity.ts'
import { ServiceError } from '../../../errors.ts'
import {
  ENCODE_HEADERS,
  ERROR_REPLIES,
  TruncateSchema,
  encodeOptionsOf,
  jsonReply,
  requiredText,
  sendEncodeReply,
  serverTimingOf,
  textList,
  truncatedCountOf,
  type RequestLimits
} from '../../encode-reply.ts'
import type { TypedApp } from '../../typed-app.ts'

/** Options of the similarity routes. */
export interface SimilarityRouteOptions {
  readonly encoder: Encoder
  readonly limits: RequestLimits
}

const CosineReply = Type.Object({
  cos_sim_weight: Type.Union([
    Type.Number({ description: 'One text on each side.' }),
    Type.Array(Type.Array(Type.Number()), {
      description: 'Several texts on a side: a row for each text of `a`, a column for each text of `b`.'
    })
  ])
})
const ParaphraseReply = Type.Object({
  pairs: Type.Array(Type.Array(Type.Number(), { minItems: 3, maxItems: 3 }), {
    description: '`[score, i, j]` with `i < j`, best first.'
  })
})

/** Pairs turned into JSON before the event loop may run other work: some 2 ms. */
const PAIRS_A_TURN = 4096

/** Routes `/v1/encode/cos_sim_weight` and `/v1/paraphrase`: similarity of texts. */
export const similarityRoutes: FastifyPluginAsyncTypebox<SimilarityRouteOptions> = async (app, options) => {
  compareTexts(app, options)
  findParaphrases(app, options)
}

/** `POST /v1/encode/cos_sim_weight`. */
function compareTexts(app: TypedApp, { encoder, limits }: SimilarityRouteOptions): void {
  const textOrTexts = Type.Union([requiredText(limits, 'A text.'), textList(limits, 'Several texts.')])
  const CosineRequest = Type.Object(
    { a: textOrTexts, b: textOrTexts, truncate: TruncateSchema },
    { examples: [{ a: ['hello world'], b: ['hi world'] }] }
  )

  app.post(
    '/encode/cos_sim_weight',
    {
      config: { scope: 'encode' },
      schema: {
        summary: 'Compare texts by cosine similarity',
        description:
          'Returns the cosine similarity of each text of `a` to each text of `b`: -1 to 1, near 1 when they mean the same. One text on each side gives ' +
          'one number, more give a matrix.',
        tags: ['similarity'],
        body: CosineRequest,
        response: { 200: jsonReply('The similarities.', CosineReply, ENCODE_HEADERS), ...ERROR_REPLIES }
      }
    },
    async (request, reply) => {
      const a = toTexts(request.body.a)
      const b = toTexts(request.body.b)
      if (a.length + b.length > limits.maxSentences) {
        throw new ServiceError(
          'INVALID_REQUEST',
          `Cannot compare ${a.length} with ${b.length} texts: more than ${limits.maxSentences} together`
        )
      }
      const options = encodeOptionsOf(request, reply, request.body.truncate)
      const embeddings = await encoder.encode([...a, ...b], options)
      const { values, dimensions } = embeddings
      const cosines = await cosineMatrix(
        { values: values.subarray(0, a.length * dimensions), dimensions },
        { values: values.subarray(a.length * dimensions), dimensions },
        options.signal
      )
      const isSingle = a.length === 1 && b.length === 1
      const json = isSingle ? float32Text(cosines[0]!) : await matrixJson(cosines, a.length, b.length)
      sendEncodeReply(reply, `{"cos_sim_weight":${json}}`, {
        revision: encoder.revision,
        truncatedCount: truncatedCountOf(embeddings),
        serverTiming: serverTimingOf(embeddings.timings)
      })
      return reply
    }
  )
}

/** `POST /v1/paraphrase`. */
function findParaphrases(app: TypedApp, { encoder, limits }: SimilarityRouteOptions): void {
  const ParaphraseRequest = Type.Object(
    { sentences: textList(limits, 'The texts to compare with each other.'), truncate: TruncateSchema },
    { examples: [{ sentences: ['Where do you live?', 'What is your salary?', 'Where is home for you?'] }] }
  )

  app.post(
    '/paraphrase',
    {
      config: { scope: 'encode' },
      schema: {
        summary: 'Find pairs of texts that mean the same',
        description:
          'Returns the most similar pairs of a list, best first: each text’s 100 nearest, and at most 500,000 pairs.',
        tags: ['similarity'],
        body: ParaphraseRequest,
        response: { 200: jsonReply('The pairs.', ParaphraseReply, ENCODE_HEADERS), ...ERROR_REPLIES }
      }
    },
    async (request, reply) => {
      const { sentences, truncate } = request.body
      const options = encodeOptionsOf(request, reply, truncate)
      const embeddings = await encoder.encode(sentences, options)
      const pairs = await mineParaphrases(embeddings, { signal: options.signal })
      let json = ''
      for (let start = 0; start < pairs.length; start += PAIRS_A_TURN) {
        for (const { score, i, j } of pairs.slice(start, start + PAIRS_A_TURN)) {
          json += `${json === '' ? '' : ','}[${float32Text(score)},${i},${j}]`
        }
        await nextTurn(options.signal)
      }
      sendEncodeReply(reply, `{"pairs":[${json}]}`, {
        revision: encoder.revision,
        truncatedCount: truncatedCountOf(embeddings),
        serverTiming: serverTimingOf(embeddings.timings)
      })
      return reply
    }
  )
}

function toTexts(side: string | string[]): string[] {
  return typeof side === 'string' ? [side] : side
}

/** Numbers turned into JSON before the event loop may run other work: some 2 ms. */
const NUMBERS_A_TURN = 50_000

/** Writes a row-major matrix as JSON arrays of its rows. */
async function matrixJson(values: Float32Array, rowCount: number, columnCount: number): Promise<string> {
  const bytes = Buffer.allocUnsafe(float32JsonMaxBytes(columnCount))
  const rows: string[] = []
  let leftInTurn = NUMBERS_A_TURN
  for (let row = 0; row < rowCount; row += 1) {
    const end = writeFloat32Json(values.subarray(row * columnCount, (row + 1) * columnCount), bytes, 0)
    rows.push(bytes.toString('latin1', 0, end))
    leftInTurn -= columnCount
    if (leftInTurn <= 0) {
      await nextTurn()
      leftInTurn = NUMBERS_A_TURN
    }
  }
  return `[${rows.join(',')}]`
}
