/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { createHash } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { loadConfig, type Environment } from '../../src/config/load-config.ts'
import type { Embeddings, EncodeOptions, Encoder, Truncate } from '../../src/embedding/encoder.ts'
import { ServiceError } from '../../src/errors.ts'
import { encoderCatalogue } from '../../src/inference/encoder-model.ts'
import { buildApp } from '../../src/server/app.ts'
import type { AppDependencies } from '../../src/server/app-dependencies.ts'
import { createAuthenticator } from '../../src/server/auth.ts'
import { ReplyCache } from '../../src/server/reply-cache.ts'
import { createLogger } from '../../src/server/request-log.ts'
import type { TokenizedText } from '../../src/embedding/tokenizer.ts'

/** A key that the app under test knows. */
export const API_KEY = 'test-key-1'
/** A secret that it checks tokens with. */
export const JWT_SECRET = 'a-secret-of-thirty-two-characters'
/** Header of a caller who may do everything. */
export const AUTHORIZED = { authorization: `Bearer ${API_KEY}` }

const DIMENSIONS = 384
const MAX_TOKENS = 256

/** Stands in for the model: a word is a token, and a text's embedding is drawn from its hash. */
export class StandInEncoder implements Encoder {
  readonly revision = 'stand-in-1'
  readonly dimensions = DIMENSIONS
  readonly maxTokens = MAX_TOKENS
  /** Texts of each call, in order. */
  readonly calls: (readonly string[])[] = []
  readonly options: (EncodeOptions | undefined)[] = []
  /** What each call waits for before it gives its result. */
  gate: Promise<unknown> = Promise.resolve()
  #called = Promise.withResolvers<EncodeOptions | undefined>()

  /** The options of the next call, as soon as it is made. */
  nextCall(): Promise<EncodeOptions | undefined> {
    this.#called = Promise.withResolvers()
    return this.#called.promise
  }

  async encode(sentences: readonly string[], options?: EncodeOptions): Promise<Embeddings> {
    const tokenized = sentences.map((sentence) => tokenizeWords(sentence, options?.truncate ?? 'end'))
    this.calls.push(sentences)
    return this.#embed(sentences, tokenized, options)
  }

  async encodeTokens(tokenIds: readonly Int32Array[], options?: EncodeOptions): Promise<Embeddings> {
    const texts = tokenIds.map((row) => row.join(' '))
    return this.#embed(
      texts,
      tokenIds.map((ids) => ({ ids, isTruncated: false })),
      options
    )
  }

  async #embed(texts: readonly string[], tokenized: TokenizedText[], options?: EncodeOptions): Promise<Embeddings> {
    this.options.push(options)
    this.#called.resolve(options)
    await this.gate
    options?.signal?.throwIfAborted()
    const values = new Float32Array(texts.length * DIMENSIONS)
    for (const [index, text] of texts.entries()) values.set(embeddingOf(text), index * DIMENSIONS)
    return {
      values,
      dimensions: DIMENSIONS,
      tokenCounts: Int32Array.from(tokenized, ({ ids }) => ids.length),
      isTruncated: tokenized.map(({ isTruncated }) => isTruncated),
      timings: { tokenizeMs: 0.25, queueMs: 0, inferenceMs: 1.5 }
    }
  }
}

/** The stand-in's embedding of a text: norm 1. */
export function embeddingOf(text: string): Float32Array {
  const bytes = createHash('shake256', { outputLength: DIMENSIONS }).update(text).digest()
  const values = Float32Array.from(bytes, (byte) => byte - 127.5)
  const norm = Math.hypot(...values)
  return values.map((value) => value / norm)
}

/** The stand-in's tokens: a word's length is its id. */
export function tokenizeWords(text: string, truncate: Truncate): TokenizedText {
  const words = text.split(/\s+/).filter((word) => word !== '')
  const isTruncated = words.length > MAX_TOKENS - 2
  if (isTruncated && truncate === 'none') throw new ServiceError('INVALID_REQUEST', 'Cannot encode: too long')
  const kept = truncate === 'start' ? words.slice(-MAX_TOKENS + 2) : words.slice(0, MAX_TOKENS - 2)
  return { ids: [101, ...kept.map((word) => word.length), 102], isTruncated }
}

/** A server under test, and what it is made of. */
export interface TestApp {
  readonly app: FastifyInstance
  readonly encoder: StandInEncoder
  readonly replyCache: ReplyCache
  /** The log: a line of JSON each. */
  readonly logLines: string[]
  readonly reported: unknown[]
}

/** Builds the app with a stand-in for the model; it is closed after the test. */
export async function buildTestApp(
  t: TestContext,
  env: Environment = {},
  dependencies: Partial<AppDependencies> = {}
): Promise<TestApp> {
  const config = loadConfig({ API_SECRET_KEY: `${API_KEY},test-key-2`, JWT_SECRET_KEY: JWT_SECRET, ...env })
  const encoder = new StandInEncoder()
  const replyCache = new ReplyCache(config.replyCacheBytes)
  const logLines: string[] = []
  const reported: unknown[] = []
  const app = await buildApp({
    config,
    logger: lineLogger(logLines),
    authenticate: createAuthenticator(config),
    readiness: { isReady: () => true, reasons: () => [] },
    encoder,
    tokenize: tokenizeWords,
    inferenceModels: encoderCatalogue('all-MiniLM-L6-v2', encoder, config),
    model: { id: 'all-MiniLM-L6-v2', createdSeconds: 1_800_000_000 },
    replyCache,
    containerId: 'container-1',
    reportError: (error) => reported.push(error),
    ...dependencies
  })
  t.after(() => app.close())
  return { app, encoder, replyCache, logLines, reported }
}

/** A logger whose lines can be looked at. */
export function lineLogger(lines: string[]): Logger {
  return createLogger('debug', { write: (line) => void lines.push(line) })
}
