/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Embeddings, EncodeOptions, Encoder } from './encoder.ts'

/** An encoder that passes every call to another one. Subclasses add to the calls that they override. */
export class WrappedEncoder implements Encoder {
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
    return this.#encoder.encode(sentences, options)
  }

  encodeTokens(tokenIds: readonly Int32Array[], options?: EncodeOptions): Promise<Embeddings> {
    return this.#encoder.encodeTokens(tokenIds, options)
  }
}
