/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { EncodeReply, MultipleEncodeReply } from '../../../src/server/routes/encode/encode-replies.ts'
import type { TokenizeReply } from '../../../src/server/routes/tokenize/tokenize-reply.ts'
import { ask, askQuietly } from '../service/ask.ts'
import { serverTimingOf, type ServerTiming } from '../service/server-timing.ts'
import { withJson } from '../service/service-request.ts'
import { dot } from './principal-axes.ts'

/** A sentence and what the service said of it. */
export interface ComparedSentence {
  readonly text: string
  readonly embedding: readonly number[]
  readonly tokenCount: number
  readonly isTruncated: boolean
  /** Undefined for a sentence that was encoded in one call with others. */
  readonly call: { readonly durationMs: number; readonly timing: ServerTiming | undefined } | undefined
}

export interface Comparison {
  readonly sentences: readonly ComparedSentence[]
  /** Cosines, a row for each sentence. */
  readonly similarities: readonly (readonly number[])[]
  /** All of it, from the first call to the last reply. */
  readonly durationMs: number
  readonly revision: string
}

/** Two sentences by their index. */
export interface Pair {
  readonly score: number
  readonly a: number
  readonly b: number
}

/** More lines would make a table that nobody reads; the API takes more. */
export const MAX_LINES = 200
/** Up to this many are encoded by a call each, which shows what is cached; more in one call. */
export const MAX_SINGLE_CALLS = 40

/** The lines of a text that say something. */
export function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

/** Encodes sentences and compares each with each. */
export async function compareSentences(texts: readonly string[]): Promise<Comparison> {
  const beganMs = performance.now()
  const [{ data: tokens }, encoded] = await Promise.all([
    askQuietly<TokenizeReply>(withJson('POST', '/v1/tokenize', { inputs: texts })),
    texts.length > MAX_SINGLE_CALLS ? encodeTogether(texts) : encodeEach(texts)
  ])
  const sentences = texts.map((text, index) => ({
    text,
    embedding: encoded.embeddings[index] ?? [],
    tokenCount: tokens.data[index]?.token_count ?? 0,
    isTruncated: tokens.data[index]?.truncated ?? false,
    call: encoded.calls[index]
  }))
  const similarities = sentences.map((a) => sentences.map((b) => dot(a.embedding, b.embedding)))
  return { sentences, similarities, durationMs: performance.now() - beganMs, revision: encoded.revision }
}

interface Encoded {
  readonly embeddings: readonly (readonly number[])[]
  readonly calls: readonly ComparedSentence['call'][]
  readonly revision: string
}

async function encodeTogether(sentences: readonly string[]): Promise<Encoded> {
  const { data, headers } = await ask<MultipleEncodeReply>(
    withJson('POST', '/v1/encode/multiple_encode', { sentences })
  )
  return {
    embeddings: data.data.map(({ encoded }) => encoded),
    calls: [],
    revision: headers.get('x-model-revision') ?? ''
  }
}

async function encodeEach(sentences: readonly string[]): Promise<Encoded> {
  const replies = await Promise.all(
    sentences.map((query) => ask<EncodeReply>(withJson('POST', '/v1/encode', { query })))
  )
  return {
    embeddings: replies.map(({ data }) => data.encoding),
    calls: replies.map(({ headers, durationMs }) => ({
      durationMs,
      timing: serverTimingOf(headers.get('server-timing'))
    })),
    revision: replies[0]?.headers.get('x-model-revision') ?? ''
  }
}

/** The pairs that are most alike, best first. */
export function nearestPairs(similarities: readonly (readonly number[])[], maxPairs: number): Pair[] {
  const pairs: Pair[] = []
  for (const [a, row] of similarities.entries()) {
    for (let b = a + 1; b < row.length; b++) pairs.push({ score: row[b] ?? 0, a, b })
  }
  return pairs.toSorted((one, other) => other.score - one.score).slice(0, maxPairs)
}
