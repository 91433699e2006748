/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { readFile } from 'node:fs/promises'
import { Type } from 'typebox'
import { Value } from 'typebox/value'

/** A float32 tensor, row-major. */
export interface FloatTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** Reads tensors by name. @throws Error that names the tensor and the file when there is none or it is not float32 */
export type TensorReader = (name: string) => FloatTensor

/** The tensors of one file. */
export interface Tensors {
  has(name: string): boolean
  readonly read: TensorReader
}

const HEADER_LENGTH_BYTES = 8

const Header = Type.Record(
  Type.String(),
  Type.Object({
    dtype: Type.String(),
    shape: Type.Array(Type.Integer({ minimum: 0 })),
    data_offsets: Type.Array(Type.Integer({ minimum: 0 }), { minItems: 2, maxItems: 2 })
  })
)

/**
 * Opens a safetensors file: 8 bytes of header length (little-endian), a JSON header, then the tensors' bytes.
 * Source: the format's description in the safetensors documentation.
 * @throws Error when the file is shorter than its header says, or the header is not of the format
 */
export async function readSafetensors(path: string): Promise<Tensors> {
  const file = await readFile(path)
  const headerLength = file.length < HEADER_LENGTH_BYTES ? 0 : Number(file.readBigUInt64LE(0))
  const dataStart = HEADER_LENGTH_BYTES + headerLength
  if (headerLength === 0 || dataStart > file.length) {
    throw new Error(`Cannot read ${path}: its header is ${headerLength} bytes long, the whole file ${file.length}`)
  }
  const header: unknown = JSON.parse(file.toString('utf8', HEADER_LENGTH_BYTES, dataStart), (key, value: unknown) =>
    key === '__metadata__' ? undefined : value
  )
  if (!Value.Check(Header, header)) throw new Error(`Cannot read ${path}: its header is not that of a safetensors file`)

  const read: TensorReader = (name) => {
    const entry = header[name]
    if (entry === undefined) throw new Error(`Cannot read tensor "${name}": ${path} does not hold it`)
    if (entry.dtype !== 'F32') throw new Error(`Cannot read tensor "${name}": found ${entry.dtype}, wanted F32`)
    const [start = 0, end = 0] = entry.data_offsets
    const byteCount = entry.shape.reduce((product, size) => product * size, Float32Array.BYTES_PER_ELEMENT)
    if (end - start !== byteCount || dataStart + end > file.length) {
      throw new Error(`Cannot read tensor "${name}": its shape wants ${byteCount} bytes, ${path} has others`)
    }
    // A copy, since a Float32Array needs an offset that four divides.
    const bytes = Uint8Array.prototype.slice.call(file, dataStart + start, dataStart + end)
    return { shape: entry.shape, data: new Float32Array(bytes.buffer) }
  }
  return { has: (name) => name in header, read }
}
