/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Embeddings, EncodeOptions, Encoder } from '../embedding/encoder.ts'

/** An encoder that reports the length of each text, for metrics. Cached replies do not get here. */
export class ObservedEncoder implements Encoder {
  readonly #encoder: Encoder
  readonly #observeInput: (characterCount: number) => void

  constructor(encoder: Encoder, observeInput: (characterCount: number) => void) {
    this.#encoder = encoder
    this.#observeInput = observeInput
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
    for (const sentence of sentences) this.#observeInput(sentence.length)
    return this.#encoder.encode(sentences, options)
  }

  encodeTokens(tokenIds: readonly Int32Array[], options?: EncodeOptions): Promise<Embeddings> {
    return this.#encoder.encodeTokens(tokenIds, options)
  }
}
