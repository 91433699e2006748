/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { hash } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { rowOf, type Encoder, type Truncate } from '../../../embedding/encoder.ts'
import { copyToKeep, float32JsonMaxBytes, writeFloat32Json } from '../../../embedding/float32-json.ts'
import {
  CACHED_SERVER_TIMING,
  ENCODE_HEADERS,
  ERROR_REPLIES,
  JSON_TYPE,
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
import type { RepeatedReplies } from '../../repeated-replies.ts'
import type { CachedReply, ReplyCache } from '../../reply-cache.ts'
import { EncodeReply, MultipleEncodeReply } from './encode-replies.ts'
import type { TypedApp } from '../../typed-app.ts'

/** Options of the encoding routes. */
export interface EncodeRouteOptions {
  readonly encoder: Encoder
  readonly replyCache: ReplyCache
  readonly repeatedReplies: Pick<RepeatedReplies, 'remember'>
  readonly limits: RequestLimits
  readonly encodeMaxAgeSeconds: number
}

/** Pattern of the route whose cached replies may be sent ahead of routing. */
const ENCODE_ROUTE = '/v1/encode'

/** Version of the format of `/v1/encode` replies. Raise it when their bytes change for the same embedding, so that older `ETag`s no longer match. */
const REPLY_FORMAT = 1

/** Routes `/v1/encode` and `/v1/encode/multiple_encode`: texts to embeddings. */
export const encodeRoutes: FastifyPluginAsyncTypebox<EncodeRouteOptions> = async (app, options) => {
  encodeOfAddress(app, options)
  encodeOfBody(app, options)
  multipleEncode(app, options)
}

/** Fields of a request to encode one text. */
function encodeFields(limits: RequestLimits) {
  return { query: requiredText(limits, 'The text to encode.', 'hello world'), truncate: TruncateSchema }
}

/** `GET /v1/encode`, whose replies browsers and CDNs may cache. */
function encodeOfAddress(app: TypedApp, options: EncodeRouteOptions): void {
  const { encoder, replyCache, repeatedReplies } = options
  const EncodeQuery = Type.Object(encodeFields(options.limits))
  const cacheControl = cacheControlOf(options.encodeMaxAgeSeconds)

  app.get(
    '/encode',
    {
      config: { scope: 'encode' },
      schema: {
        summary: 'Encode a text',
        description:
          'Returns the embedding of one text. Browsers and CDNs may cache the reply; a request with `If-None-Match` is answered ' +
          'with 304 while the model stays the same.',
        tags: ['encode'],
        querystring: EncodeQuery,
        response: {
          200: jsonReply('The embedding.', EncodeReply, {
            ...ENCODE_HEADERS,
            etag: { description: 'Changes only with the model.', type: 'string' },
            'cache-control': { type: 'string' }
          }),
          304: { description: 'The caller’s copy is still valid.' },
          ...ERROR_REPLIES
        }
      }
    },
    (request, reply) => {
      const query = request.query.query.trim()
      const { truncate } = request.query
      const key = encodeKey(encoder.revision, query, truncate)
      const cached = replyCache.get(key)
      const etag = cached?.etag ?? etagOf(key)
      void reply
        .header('etag', etag)
        .header('cache-control', cacheControl)
        .header('vary', varyWith(reply.getHeader('vary')))
      const ifNoneMatch = request.headers['if-none-match']
      if (ifNoneMatch !== undefined && isMatch(ifNoneMatch, etag)) {
        void reply.code(304).header('x-model-revision', encoder.revision).send()
        return undefined
      }
      repeatedReplies.remember(request.url, { key, route: ENCODE_ROUTE, scope: 'encode' })
      if (cached !== undefined) {
        send(reply, encoder, cached, CACHED_SERVER_TIMING)
        return undefined
      }
      return encodeQuery(request, reply, options, { query, key, etag, truncate }).then(({ encoded, serverTiming }) => {
        send(reply, encoder, encoded, serverTiming)
        return reply
      })
    }
  )
}

/** `POST /v1/encode`. */
function encodeOfBody(app: TypedApp, options: EncodeRouteOptions): void {
  const { encoder, replyCache } = options
  const EncodeRequest = Type.Object(encodeFields(options.limits), { examples: [{ query: 'hello world' }] })

  app.post(
    '/encode',
    {
      config: { scope: 'encode' },
      schema: {
        summary: 'Encode a text that is sent as a body',
        description:
          'Returns the embedding of one text. Use it for texts that are too long for an address, or that must not appear in one.',
        tags: ['encode'],
        body: EncodeRequest,
        response: { 200: jsonReply('The embedding.', EncodeReply, ENCODE_HEADERS), ...ERROR_REPLIES }
      }
    },
    async (request, reply) => {
      const query = request.body.query.trim()
      const { truncate } = request.body
      const key = encodeKey(encoder.revision, query, truncate)
      const cached = replyCache.get(key)
      if (cached !== undefined) {
        send(reply, encoder, cached, CACHED_SERVER_TIMING)
        return reply
      }
      const { encoded, serverTiming } = await encodeQuery(request, reply, options, {
        query,
        key,
        etag: etagOf(key),
        truncate
      })
      send(reply, encoder, encoded, serverTiming)
      return reply
    }
  )
}

/** `POST /v1/encode/multiple_encode`. */
function multipleEncode(app: TypedApp, { encoder, limits }: EncodeRouteOptions): void {
  const MultipleEncodeRequest = Type.Object(
    { sentences: textList(limits, 'The texts to encode, in one batch.'), truncate: TruncateSchema },
    { examples: [{ sentences: ['hello world', 'hi world'] }] }
  )

  app.post(
    '/encode/multiple_encode',
    {
      config: { scope: 'encode' },
      schema: {
        summary: 'Encode several texts',
        description:
          'Returns one embedding for each text, in order. A text has the same embedding here as alone: batches do not change it.',
        tags: ['encode'],
        body: MultipleEncodeRequest,
        response: { 200: jsonReply('The embeddings, in order.', MultipleEncodeReply, ENCODE_HEADERS), ...ERROR_REPLIES }
      }
    },
    async (request, reply) => {
      const { sentences, truncate } = request.body
      const embeddings = await encoder.encode(sentences, encodeOptionsOf(request, reply, truncate))
      const pieces: (string | Float32Array)[] = ['{"data":[']
      for (const [index, sentence] of sentences.entries()) {
        pieces.push(`${index === 0 ? '' : ','}{"original":${JSON.stringify(sentence)},"encoded":`)
        pieces.push(rowOf(embeddings, index), embeddings.isTruncated[index] === true ? ',"truncated":true}' : '}')
      }
      pieces.push(']}')
      sendEncodeReply(reply, joinJson(pieces), {
        revision: encoder.revision,
        truncatedCount: truncatedCountOf(embeddings),
        serverTiming: serverTimingOf(embeddings.timings)
      })
      return reply
    }
  )
}

/** One text to encode, with the key of its reply in the cache, and the reply's ETag. */
interface AskedText {
  readonly query: string
  readonly key: string
  readonly etag: string
  readonly truncate: Truncate | undefined
}

/** Encodes a text, and caches the reply's bytes. */
async function encodeQuery(
  request: FastifyRequest,
  reply: FastifyReply,
  { encoder, replyCache }: EncodeRouteOptions,
  { query, key, etag, truncate }: AskedText
) {
  const embeddings = await encoder.encode([query], encodeOptionsOf(request, reply, truncate))
  const isTruncated = embeddings.isTruncated[0] === true
  const row = rowOf(embeddings, 0)
  const encoded: CachedReply = {
    body: joinJson([`{"query":${JSON.stringify(query)},"encoding":`, row, isTruncated ? ',"truncated":true}' : '}']),
    etag,
    truncatedCount: isTruncated ? 1 : 0
  }
  replyCache.set(key, encoded)
  return { encoded, serverTiming: serverTimingOf(embeddings.timings) }
}

function send(reply: FastifyReply, { revision }: Encoder, encoded: CachedReply, serverTiming: string): void {
  sendEncodeReply(reply, encoded.body, { revision, truncatedCount: encoded.truncatedCount, serverTiming })
}

/** Headers of a cached `GET /v1/encode` reply, beside those of every reply and `Vary`. */
export function cachedReplyHeaders(
  reply: CachedReply,
  revision: string,
  maxAgeSeconds: number
): Record<string, string> {
  return {
    etag: reply.etag,
    'cache-control': cacheControlOf(maxAgeSeconds),
    'content-type': JSON_TYPE,
    'content-length': String(reply.body.length),
    'x-model-revision': revision,
    'x-truncated': String(reply.truncatedCount),
    'server-timing': CACHED_SERVER_TIMING
  }
}

/**
 * Value of `Cache-Control`. A shared cache stores a reply to a request with Authorization only if it is `public` (RFC 9111
 * section 3.5); `Vary: Authorization` makes sure that callers with another key, or none, do not get it.
 */
function cacheControlOf(maxAgeSeconds: number): string {
  return maxAgeSeconds === 0 ? 'no-cache' : `public, max-age=${maxAgeSeconds}`
}

/** Buffer in which replies are assembled before they are copied; most need far less. */
const scratch = Buffer.allocUnsafe(65_536)

/** Joins pieces of JSON text and arrays of numbers into bytes. */
function joinJson(pieces: readonly (string | Float32Array)[]): Buffer {
  let roomBytes = 0
  // A UTF-16 code unit takes at most three bytes in UTF-8.
  for (const piece of pieces)
    roomBytes += typeof piece === 'string' ? piece.length * 3 : float32JsonMaxBytes(piece.length)
  const bytes = roomBytes <= scratch.length ? scratch : Buffer.allocUnsafe(roomBytes)
  let end = 0
  for (const piece of pieces) {
    end = typeof piece === 'string' ? end + bytes.write(piece, end) : writeFloat32Json(piece, bytes, end)
  }
  return copyToKeep(bytes.subarray(0, end))
}

function encodeKey(revision: string, query: string, truncate: Truncate = 'end'): string {
  return `encode ${REPLY_FORMAT} ${revision} ${truncate} ${query}`
}

/** ETag of a reply: a hash of all that determines its bytes, so that it is known before they are computed. */
function etagOf(key: string): string {
  return `"${hash('sha256', key, 'base64url').slice(0, 27)}"`
}

/** Compares ETags weakly (RFC 9110 section 13.1.2), since a CDN that compresses a reply makes its ETag weak. */
function isMatch(ifNoneMatch: string, etag: string): boolean {
  return ifNoneMatch.split(',').some((candidate) => {
    const trimmed = candidate.trim()
    return trimmed === '*' || trimmed === etag || trimmed === `W/${etag}`
  })
}

/** Value of `Vary` of an encoding. @param ofCors what CORS sets */
export function varyWith(ofCors: unknown): string {
  return typeof ofCors === 'string' ? `Authorization, ${ofCors}` : 'Authorization'
}
