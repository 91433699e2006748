/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { inSpan } from '../tracing/span.ts'
import type { Embeddings, EncodeOptions } from './encoder.ts'
import { WrappedEncoder } from './wrapped-encoder.ts'

/**
 * An encoder that records each call as a span of the current trace. A span has the counts of sentences and tokens,
 * never their content.
 */
export class TracedEncoder extends WrappedEncoder {
  override encode(sentences: readonly string[], options?: EncodeOptions): Promise<Embeddings> {
    return traced(sentences.length, () => super.encode(sentences, options))
  }

  override encodeTokens(tokenIds: readonly Int32Array[], options?: EncodeOptions): Promise<Embeddings> {
    return traced(tokenIds.length, () => super.encodeTokens(tokenIds, options))
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
