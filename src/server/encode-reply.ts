/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { ServiceError } from '../errors.ts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type, type Static, type TSchema } from 'typebox'
import type { Embeddings, EncodeOptions, EncodeTimings, Truncate } from '../embedding/encoder.ts'
import { callerKey, callerOf } from './auth.ts'
import { NOT_BLANK } from './error-reply.ts'

/** Limits of one request, from the settings. */
export interface RequestLimits {
  readonly maxSentences: number
  readonly maxTextCharacters: number
}

/** Schema of how to truncate a text that is longer than the model reads. */
export const TruncateSchema = Type.Optional(
  Type.Enum(['end', 'start', 'none'], {
    description: 'Which end to cut off a text that is too long for the model; with `none` such a text is refused.',
    default: 'end'
  })
)

/** Schema of a text that must not be blank. */
export function requiredText(limits: RequestLimits, description: string, example?: string) {
  return Type.String({
    description,
    minLength: 1,
    maxLength: limits.maxTextCharacters,
    pattern: NOT_BLANK,
    ...(example !== undefined && { examples: [example] })
  })
}

/** Schema of a list of texts. */
export function textList(limits: RequestLimits, description: string) {
  const text = Type.String({ maxLength: limits.maxTextCharacters })
  return Type.Array(text, { description, maxItems: limits.maxSentences })
}

/** Describes a JSON reply for the docs. The schema does not serialize replies, which are sent as finished bytes. */
export function jsonReply(description: string, schema: object, headers: object = {}) {
  return { description, headers, content: { 'application/json': { schema } } }
}

/** A schema for the docs alone, of a reply that is a stream or finished bytes: what a handler sends is not held to it. */
export function documentOnly(schema: TSchema) {
  return Type.Unsafe<unknown>(schema)
}

/** A value that is only read. */
type ReadonlyDeep<Value> = Value extends object ? { readonly [Key in keyof Value]: ReadonlyDeep<Value[Key]> } : Value

/** Serializes a reply that is sent as finished bytes; the schema gives the type that the value must have. */
export function jsonOf<Schema extends TSchema>(_schema: Schema, value: ReadonlyDeep<Static<Schema>>): string {
  return JSON.stringify(value)
}

/**
 * Schema of an error reply, for the docs. Handlers throw and never return one: so to types it is nothing, and what a handler
 * returns is held to the schemas of its other replies.
 */
export const ERROR_REPLY = Type.Unsafe<never>({ $ref: 'ErrorReply#' })

/** Error replies of all routes, for the docs. */
export const ERROR_REPLIES = {
  400: ERROR_REPLY,
  401: ERROR_REPLY,
  408: ERROR_REPLY,
  413: ERROR_REPLY,
  415: ERROR_REPLY,
  429: ERROR_REPLY,
  // Sent before a route is found, so it has this shape everywhere.
  431: ERROR_REPLY,
  503: ERROR_REPLY
} as const

/** Headers of replies with embeddings, or with numbers derived from them, for the docs. */
export const ENCODE_HEADERS = {
  'x-model-revision': { description: 'Changes when the embeddings of texts change.', type: 'string' },
  'x-truncated': { description: 'Number of texts that were too long and were cut.', type: 'integer' },
  'server-timing': { description: 'Milliseconds spent on tokenize, queue and inference.', type: 'string' }
}

/** Header with the caller's timeout, in milliseconds. */
const TIMEOUT_HEADER = 'x-request-timeout-ms'
const MAX_TIMEOUT_MS = 3_600_000

/** Options to encode a request's texts: caller, deadline, abort signal and truncation. */
export function encodeOptionsOf(
  request: FastifyRequest,
  reply: FastifyReply,
  truncate: Truncate | undefined
): Required<Pick<EncodeOptions, 'callerKey' | 'signal'>> & EncodeOptions {
  const deadlineMs = deadlineOf(request)
  return {
    callerKey: callerKey(callerOf(request)),
    signal: callerSignal(reply, deadlineMs),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(truncate === undefined ? {} : { truncate })
  }
}

/** The caller's timeout from now on; undefined when it sent none. */
function deadlineOf(request: FastifyRequest): number | undefined {
  const given = request.headers[TIMEOUT_HEADER]
  if (given === undefined) return undefined
  const timeoutMs = typeof given === 'string' && /^\d{1,7}$/.test(given) ? Number(given) : Number.NaN
  if (timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS) return timeoutMs
  throw new ServiceError('INVALID_REQUEST', `Reading ${TIMEOUT_HEADER}: want milliseconds, 1 to ${MAX_TIMEOUT_MS}`, {
    fields: { [TIMEOUT_HEADER]: [`want an integer, 1 to ${MAX_TIMEOUT_MS}`] }
  })
}

/**
 * Makes a signal that aborts when the caller disconnects before it has its reply, or when its timeout is over.
 * Fastify's own `request.signal` would not do: it aborts as soon as the body is read.
 */
export function callerSignal(reply: FastifyReply, deadlineMs: number | undefined): AbortSignal {
  const controller = new AbortController()
  const timer =
    deadlineMs === undefined
      ? undefined
      : setTimeout(() => {
          const message = `Cannot encode: not done within the ${deadlineMs} ms that the caller would wait`
          controller.abort(new ServiceError('DEADLINE_EXCEEDED', message))
        }, deadlineMs)
  reply.raw.once('close', () => {
    clearTimeout(timer)
    if (!reply.raw.writableFinished) controller.abort()
  })
  return controller.signal
}

/** Number of texts that were truncated. */
export function truncatedCountOf(embeddings: Pick<Embeddings, 'isTruncated'>): number {
  return embeddings.isTruncated.filter(Boolean).length
}

/** Value of `Server-Timing` for an encode call. */
export function serverTimingOf(timings: EncodeTimings): string {
  const { tokenizeMs, queueMs, inferenceMs } = timings
  return `tokenize;dur=${tokenizeMs.toFixed(3)}, queue;dur=${queueMs.toFixed(3)}, inference;dur=${inferenceMs.toFixed(3)}`
}

/** Value of `Server-Timing` for a cached reply. */
export const CACHED_SERVER_TIMING = 'cache;desc="hit", tokenize;dur=0, queue;dur=0, inference;dur=0'

/** Content type of all JSON replies. */
export const JSON_TYPE = 'application/json; charset=utf-8'

/** Sends finished JSON with the headers of {@link ENCODE_HEADERS}. */
export function sendEncodeReply(
  reply: FastifyReply,
  body: Buffer | string,
  told: { revision: string; truncatedCount: number; serverTiming: string }
): void {
  void reply
    .header('content-type', JSON_TYPE)
    .header('x-model-revision', told.revision)
    .header('x-truncated', String(told.truncatedCount))
    .header('server-timing', told.serverTiming)
    .send(body)
}
