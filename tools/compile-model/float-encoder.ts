/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { NativeProgram } from '../../src/embedding/native-program.ts'
import type { InputMaxima } from './packed-weights.ts'
import type { SourceModel } from './source-model.ts'

/** The model in float32 by the native kernels (src/embedding/native/float-encoder.c): the same bytes on every CPU. */
export class FloatEncoder {
  readonly #program: NativeProgram
  readonly #encoder: unknown
  readonly #hiddenSize: number
  readonly #maxima: Float32Array

  /** @param path a file of `packFloatWeights`; it is mapped and may be removed */
  constructor(program: NativeProgram, path: string, { hiddenSize }: SourceModel) {
    this.#program = program
    this.#encoder = program.openFloat(path, program.kernels()[0] ?? 'none')
    this.#hiddenSize = hiddenSize
    this.#maxima = new Float32Array(program.inputColumns(this.#encoder))
  }

  /** Embedding of a sentence of token ids, with L2 norm 1. */
  encode(ids: Int32Array): Float32Array {
    const embedding = new Float32Array(this.#hiddenSize)
    this.#program.encodeFloat(this.#encoder, ids, embedding, this.#maxima)
    return embedding
  }

  /** Greatest magnitudes in the inputs of each layer, over all sentences so far. */
  inputMaxima(): InputMaxima[] {
    const size = this.#hiddenSize
    return Array.from({ length: this.#maxima.length / (3 * size) }, (_, layer) => {
      const part = (index: number): Float32Array =>
        this.#maxima.slice((3 * layer + index) * size, (3 * layer + index + 1) * size)
      return { attention: part(0), output: part(1), inner: part(2) }
    })
  }
}
