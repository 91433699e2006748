/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Embeddings, EncodeOptions, Encoder } from '../embedding/encoder.ts'
import { WrappedEncoder } from '../embedding/wrapped-encoder.ts'

/** An encoder that reports the length of each text, for metrics. Cached replies do not get here. */
export class ObservedEncoder extends WrappedEncoder {
  readonly #observeInput: (characterCount: number) => void

  constructor(encoder: Encoder, observeInput: (characterCount: number) => void) {
    super(encoder)
    this.#observeInput = observeInput
  }

  override encode(sentences: readonly string[], options?: EncodeOptions): Promise<Embeddings> {
    for (const sentence of sentences) this.#observeInput(sentence.length)
    return super.encode(sentences, options)
  }
}
