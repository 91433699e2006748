/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { inSpan } from '../tracing/span.ts'
import type { Embeddings, EncodeOptions, Encoder } from './encoder.ts'

/**
 * An encoder that records each call as a span of the current trace. A span has the counts of sentences and tokens,
 * never their content.
 */
export class TracedEncoder implements Encoder {
  readonly #encoder: Encoder

  constructor(encoder: Encoder) {
    this.#encoder = encoder
  }

  get revision(): string {
    return this.#encoder.revision
  }

  get dimensions(): number {
    return this.#encoder.dimensions
  }

  get maxTokens(): number {
    return this.#encoder.maxTokens
  }

  encode(sentences: readonly string[], options?: EncodeOptions): Promise<Embeddings> {
    return traced(sentences.length, () => this.#encoder.encode(sentences, options))
  }

  encodeTokens(tokenIds: readonly Int32Array[], options?: EncodeOptions): Promise<Embeddings> {
    return traced(tokenIds.length, () => this.#encoder.encodeTokens(tokenIds, options))
  }
}

async function traced(sentenceCount: number, encode: () => Promise<Embeddings>): Promise<Embeddings> {
  const attributes = { 'sbert.sentence_count': sentenceCount }
  return inSpan('encode', { attributes }, async (span) => {
    const embeddings = await encode()
    const { tokenizeMs, queueMs, inferenceMs } = embeddings.timings
    span?.set({
      'sbert.token_count': embeddings.tokenCounts.reduce((sum, count) => sum + count, 0),
      'sbert.tokenize_ms': tokenizeMs,
      'sbert.queue_ms': queueMs,
      'sbert.inference_ms': inferenceMs
    })
    return embeddings
  })
}
