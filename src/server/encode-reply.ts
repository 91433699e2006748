/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { ServiceError } from '../errors.ts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Embeddings, EncodeOptions, EncodeTimings, Truncate } from '../embedding/encoder.ts'
import { callerKey, callerOf } from './auth.ts'
import { NOT_BLANK } from './error-reply.ts'

/** Bounds of one request; {@link Config} has them as settings. */
export interface RequestLimits {
  readonly maxSentences: number
  readonly maxTextCharacters: number
}

/** How a text is cut that is longer than the model reads. */
export const TruncateSchema = Type.Optional(
  Type.Enum(['end', 'start', 'none'], {
    description: 'Which end of a text to cut that is longer than the model reads; with `none` it is refused.',
    default: 'end'
  })
)

/** A text that must say something. */
export function requiredText(limits: RequestLimits, description: string, example?: string) {
  return Type.String({
    description,
    minLength: 1,
    maxLength: limits.maxTextCharacters,
    pattern: NOT_BLANK,
    ...(example !== undefined && { examples: [example] })
  })
}

/** Texts of a request. */
export function textList(limits: RequestLimits, description: string) {
  const text = Type.String({ maxLength: limits.maxTextCharacters })
  return Type.Array(text, { description, maxItems: limits.maxSentences })
}

/** A JSON reply for the docs; what is sent are finished bytes, which no schema serializes. */
export function jsonReply(description: string, schema: object, headers: object = {}) {
  return { description, headers, content: { 'application/json': { schema } } }
}

/** Errors every route may answer with, for the docs. */
export const ERROR_REPLIES = {
  400: { $ref: 'ErrorReply#' },
  401: { $ref: 'ErrorReply#' },
  408: { $ref: 'ErrorReply#' },
  413: { $ref: 'ErrorReply#' },
  415: { $ref: 'ErrorReply#' },
  429: { $ref: 'ErrorReply#' },
  // Before there is a route to answer: in this shape everywhere.
  431: { $ref: 'ErrorReply#' },
  503: { $ref: 'ErrorReply#' }
} as const

/** Headers of every reply with embeddings, or numbers made of them, for the docs. */
export const ENCODE_HEADERS = {
  'x-model-revision': { description: 'Changes when the embeddings of texts change.', type: 'string' },
  'x-truncated': { description: 'How many of the texts were too long and were cut.', type: 'integer' },
  'server-timing': { description: 'Milliseconds spent on tokenize, queue and inference.', type: 'string' }
}

/** Header with which a caller says how long it will wait for its reply, in milliseconds. */
const TIMEOUT_HEADER = 'x-request-timeout-ms'
const MAX_TIMEOUT_MS = 3_600_000

/** How to encode what a request brought: for whom, and until when. */
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

/** How long the caller will wait from now on, if it says so. */
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
 * Aborts when the caller leaves before it has its reply, or when it no longer waits for it.
 * Fastify's own `request.signal` aborts as soon as a body is read.
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

/** Number of texts that were cut. */
export function truncatedCountOf(embeddings: Pick<Embeddings, 'isTruncated'>): number {
  return embeddings.isTruncated.filter(Boolean).length
}

/** `Server-Timing` of an encode call. */
export function serverTimingOf(timings: EncodeTimings): string {
  const { tokenizeMs, queueMs, inferenceMs } = timings
  return `tokenize;dur=${tokenizeMs.toFixed(3)}, queue;dur=${queueMs.toFixed(3)}, inference;dur=${inferenceMs.toFixed(3)}`
}

/** `Server-Timing` of a reply that was kept. */
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
