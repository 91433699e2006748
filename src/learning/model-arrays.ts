/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { PartReader } from '../storage/sealed-file.ts'

/** Types of arrays in a model's file. */
export type NumberArray = Float64Array | Float32Array | Int32Array | Int8Array | Uint8Array | Uint16Array

/** Reads arrays from a model's bytes, one after another. */
export class ArrayReader {
  readonly #parts: PartReader

  constructor(parts: PartReader) {
    this.#parts = parts
  }

  read<T extends NumberArray>(
    kind: { new (buffer: ArrayBuffer): T; readonly BYTES_PER_ELEMENT: number },
    length: number
  ): T {
    return new kind(this.#parts.take(length * kind.BYTES_PER_ELEMENT).buffer)
  }
}
