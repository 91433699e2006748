/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type, type Static } from 'typebox'
import { rowOf, type Embeddings, type Encoder } from '../../../embedding/encoder.ts'
import { float32Json } from '../../../embedding/float32-json.ts'
import { dotProduct, nextTurn } from '../../../embedding/similarity.ts'
import { ServiceError } from '../../../errors.ts'
import {
  ENCODE_HEADERS,
  encodeOptionsOf,
  jsonReply,
  requiredText,
  sendEncodeReply,
  serverTimingOf,
  truncatedCountOf,
  type RequestLimits,
  ERROR_REPLY
} from '../../encode-reply.ts'
import type { TypedApp } from '../../typed-app.ts'
import type { Tokenize } from '../../../embedding/tokenizer.ts'

/** The served encoder model. */
export interface ServedEncoder {
  /** Name in the API. */
  readonly id: string
  /** When it was loaded, in seconds since 1970. */
  readonly createdSeconds: number
}

/** Options of the OpenAI routes. */
export interface OpenAiRouteOptions {
  readonly encoder: Encoder
  readonly tokenize: Tokenize
  readonly limits: RequestLimits
  readonly model: ServedEncoder
}

/** Largest number that fits the model's input; the encoder checks which ids exist. */
const MAX_TOKEN_ID = 2 ** 31 - 1

const ModelReply = Type.Object({
  id: Type.String(),
  object: Type.Literal('model'),
  created: Type.Integer({ description: 'When this process loaded it, in seconds since 1970.' }),
  owned_by: Type.String()
})
const ModelsReply = Type.Object({ object: Type.Literal('list'), data: Type.Array(ModelReply) })
const EmbeddingsReply = Type.Object({
  object: Type.Literal('list'),
  data: Type.Array(
    Type.Object({
      object: Type.Literal('embedding'),
      index: Type.Integer(),
      embedding: Type.Union([
        Type.Array(Type.Number()),
        Type.String({ description: 'Base64 of the float32 numbers, little-endian.' })
      ])
    })
  ),
  model: Type.String(),
  usage: Type.Object({ prompt_tokens: Type.Integer(), total_tokens: Type.Integer() })
})
const OpenAiError = Type.Object({
  error: Type.Object({
    message: Type.String(),
    type: Type.String(),
    param: Type.Union([Type.String(), Type.Null()]),
    code: Type.String()
  })
})
const OPENAI_ERRORS = {
  ...Object.fromEntries(
    [400, 401, 404, 408, 413, 415, 429, 503].map((status) => [
      status,
      jsonReply('An error, as OpenAI words it.', OpenAiError)
    ])
  ),
  431: ERROR_REPLY
}

/** Routes `/v1/embeddings` and `/v1/models`, for clients of OpenAI's API. */
export const openAiRoutes: FastifyPluginAsyncTypebox<OpenAiRouteOptions> = async (app, options) => {
  embed(app, options)
  listModels(app, options.model)
  lookUpModel(app, options.model)
}

/** Schema of the body of `POST /v1/embeddings`. */
function embeddingsRequest({ limits, model }: OpenAiRouteOptions) {
  const tokenIds = Type.Array(Type.Integer({ minimum: 0, maximum: MAX_TOKEN_ID }), {
    minItems: 1,
    maxItems: limits.maxTextCharacters
  })
  // Text splitters may give blank texts. Empty ones are refused below, with their position.
  const text = Type.String({ maxLength: limits.maxTextCharacters })
  return Type.Object(
    {
      model: Type.String({
        description: `\`${model.id}\`, also with an owner before it.`,
        minLength: 1,
        maxLength: 200
      }),
      input: Type.Union([
        requiredText(limits, 'A text.'),
        Type.Array(text, { minItems: 1, maxItems: limits.maxSentences, description: 'Texts.' }),
        Type.Array(Type.Integer({ minimum: 0, maximum: MAX_TOKEN_ID }), {
          minItems: 1,
          maxItems: limits.maxTextCharacters,
          description: 'The token ids of one text, as `/v1/tokenize` gives them: with `[CLS]` and `[SEP]` at the ends.'
        }),
        Type.Array(tokenIds, { minItems: 1, maxItems: limits.maxSentences, description: 'The token ids of texts.' })
      ]),
      encoding_format: Type.Optional(Type.Enum(['float', 'base64'], { default: 'float' })),
      dimensions: Type.Optional(
        Type.Integer({
          minimum: 1,
          description: 'Number of leading dimensions to keep of each embedding, which is then scaled to norm 1 again.'
        })
      ),
      user: Type.Optional(Type.String({ description: 'Accepted but not used.' }))
    },
    { examples: [{ model: model.id, input: ['hello world', 'hi world'] }] }
  )
}

/** `POST /v1/embeddings`. */
function embed(app: TypedApp, options: OpenAiRouteOptions): void {
  const { encoder, tokenize, model } = options
  app.post(
    '/embeddings',
    {
      config: { scope: 'encode' },
      schema: {
        summary: 'Embed texts, in the format of OpenAI',
        description:
          'For clients of OpenAI’s API: set their base URL to this service and `/v1`. Returns an embedding for each input, as ' +
          'numbers or as base64.',
        tags: ['openai'],
        body: embeddingsRequest(options),
        response: { 200: jsonReply('The embeddings.', EmbeddingsReply, ENCODE_HEADERS), ...OPENAI_ERRORS }
      }
    },
    async (request, reply) => {
      const { input, encoding_format: format = 'float', dimensions = encoder.dimensions } = request.body
      assertServed(request.body.model, model)
      if (dimensions > encoder.dimensions) {
        throw new ServiceError('INVALID_REQUEST', 'Cannot cut the embeddings: dimensions is more than they have', {
          fields: { dimensions: [`must be <= ${encoder.dimensions}`] }
        })
      }
      const encodeOptions = encodeOptionsOf(request, reply, undefined)
      const full = isText(input)
        ? await encoder.encode(toTexts(input), encodeOptions)
        : await encoder.encodeTokens(toTokenRows(input, tokenize), encodeOptions)
      const embeddings = dimensions === full.dimensions ? full : cutDimensions(full, dimensions)
      sendEncodeReply(reply, await embeddingsJson(embeddings, format, model, encodeOptions.signal), {
        revision: encoder.revision,
        truncatedCount: truncatedCountOf(full),
        serverTiming: serverTimingOf(full.timings)
      })
      return reply
    }
  )
}

function listModels(app: TypedApp, model: ServedEncoder): void {
  app.get(
    '/models',
    {
      config: { scope: 'encode' },
      schema: {
        summary: 'List the models',
        description: 'Lists the one model that `/v1/embeddings` takes, in the format of OpenAI.',
        tags: ['openai'],
        response: { 200: ModelsReply, ...OPENAI_ERRORS }
      }
    },
    async () => ({ object: 'list' as const, data: [describe(model), describe(model, listedAlias(model))] })
  )
}

function lookUpModel(app: TypedApp, model: ServedEncoder): void {
  app.get(
    '/models/:model',
    {
      config: { scope: 'encode' },
      schema: {
        summary: 'Look up a model',
        description: 'Describes one model in the format of OpenAI; 404 for names that are not served here.',
        tags: ['openai'],
        params: Type.Object({ model: Type.String({ description: 'Its name.', examples: [model.id] }) }),
        response: { 200: ModelReply, ...OPENAI_ERRORS }
      }
    },
    async (request) => {
      assertServed(request.params.model, model)
      return describe(model)
    }
  )
}

/** Rows turned into JSON before the event loop may run other work: some 2 ms. */
const ROWS_A_TURN = 128

/** Makes the bytes of an {@link EmbeddingsReply}. */
async function embeddingsJson(
  embeddings: Pick<Embeddings, 'dimensions' | 'tokenCounts' | 'values'>,
  format: 'float' | 'base64',
  model: ServedEncoder,
  signal: AbortSignal | undefined
): Promise<Buffer> {
  const pieces: Buffer[] = [Buffer.from('{"object":"list","data":[')]
  for (let index = 0; index < embeddings.tokenCounts.length; index += 1) {
    const row = rowOf(embeddings, index)
    pieces.push(Buffer.from(`${index === 0 ? '' : ','}{"object":"embedding","index":${index},"embedding":`))
    pieces.push(format === 'float' ? float32Json(row) : Buffer.from(`"${base64Of(row)}"`), Buffer.from('}'))
    if (index % ROWS_A_TURN === ROWS_A_TURN - 1) await nextTurn(signal)
  }
  const tokenCount = embeddings.tokenCounts.reduce((sum, count) => sum + count, 0)
  const usage = { prompt_tokens: tokenCount, total_tokens: tokenCount }
  pieces.push(Buffer.from(`],"model":${JSON.stringify(model.id)},"usage":${JSON.stringify(usage)}}`))
  return Buffer.concat(pieces)
}

/** A second name in the list of models, for clients that only show models with "embed" in their name. */
function listedAlias(model: ServedEncoder): string {
  return `embedding/${model.id}`
}

function describe(model: ServedEncoder, id: string = model.id): Static<typeof ModelReply> {
  return { id, object: 'model', created: model.createdSeconds, owned_by: 'sbert-service' }
}

/** Refuses another model's name: the embeddings would look right, but not be comparable with that model's. */
function assertServed(name: string, model: ServedEncoder): void {
  if (name === model.id || name.endsWith(`/${model.id}`)) return
  throw new ServiceError('NOT_FOUND', `Cannot use that model: only ${model.id} is served here`, {
    fields: { model: ['unknown model'] }
  })
}

function isText(input: string | (string | number | number[])[]): input is string | string[] {
  return typeof input === 'string' || input.every((item) => typeof item === 'string')
}

/** Makes a list of texts. @throws {ServiceError} INVALID_REQUEST when one is empty */
function toTexts(input: string | string[]): string[] {
  const texts = typeof input === 'string' ? [input] : input
  const empty = texts.indexOf('')
  if (empty >= 0) throw invalidInput(`[${empty}] is an empty string: leave it out, its embedding would mean nothing`)
  return texts
}

/**
 * Makes rows of token ids: a list of ids is one text, a list of lists several.
 * @throws {ServiceError} INVALID_REQUEST for ids of another tokenizer, which only the first and last ids reveal
 */
function toTokenRows(input: readonly (number | number[])[], tokenize: Tokenize): Int32Array[] {
  const lists = input.filter((item) => typeof item !== 'number')
  const rows = lists.length > 0 ? lists : [input.filter((item) => typeof item === 'number')]
  const ends = Array.from(tokenize('', 'end').ids)
  for (const [index, row] of rows.entries()) {
    if (row.length >= 2 && row[0] === ends[0] && row.at(-1) === ends.at(-1)) continue
    const which = lists.length > 0 ? `[${index}]` : ''
    throw invalidInput(
      `${which} holds token ids of another tokenizer: those of this model, as /v1/tokenize gives them, begin with ` +
        `[CLS] (${ends[0]}) and end with [SEP] (${ends.at(-1)}). Send text instead; of LangChain's OpenAIEmbeddings the switch for ` +
        'that is check_embedding_ctx_length=False'
    )
  }
  return rows.map((row) => Int32Array.from(row))
}

/** Makes the error for an invalid input. @param found begins with the position in the list, if there is one */
function invalidInput(found: string): ServiceError {
  return new ServiceError('INVALID_REQUEST', `Cannot embed: input${found}`, { fields: { input: [found.trimStart()] } })
}

/** Shortens embeddings to their first dimensions, scaled to L2 norm 1 again; their quality is lower. */
function cutDimensions(
  embeddings: Embeddings,
  dimensions: number
): Pick<Embeddings, 'values' | 'dimensions' | 'tokenCounts'> {
  const count = embeddings.tokenCounts.length
  const values = new Float32Array(count * dimensions)
  for (let index = 0; index < count; index += 1) {
    const row = rowOf(embeddings, index).subarray(0, dimensions)
    const norm = Math.sqrt(dotProduct(row, 0, row, 0, dimensions))
    for (const [position, value] of row.entries()) {
      values[index * dimensions + position] = norm === 0 ? 0 : value / norm
    }
  }
  return { values, dimensions, tokenCounts: embeddings.tokenCounts }
}

/** Encodes a row as base64 of float32, little-endian on any machine. */
function base64Of(row: Float32Array): string {
  const bytes = Buffer.allocUnsafe(row.length * 4)
  for (const [index, value] of row.entries()) bytes.writeFloatLE(value, index * 4)
  return bytes.toString('base64')
}
