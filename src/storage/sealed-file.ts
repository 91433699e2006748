/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createHash } from 'node:crypto'
import { readJson } from '../reading/bounded-json.ts'

const DIGEST_BYTES = 32
/** Length of magic, format, header length and digest. */
const PREFIX_BYTES = 4 + 4 + 4 + DIGEST_BYTES
const ALIGNMENT_BYTES = 8

/** Kind and format version of a sealed file. */
export interface FileKind {
  /** Magic number: the four ASCII characters that the file starts with. */
  readonly magic: string
  /** Version of the format that this code writes and reads. */
  readonly format: number
}

/** Thrown when bytes are not a valid sealed file. */
export class DamagedFileError extends Error {
  override readonly name = 'DamagedFileError'
}

/**
 * Writes a header and parts as one file with a checksum.
 * Layout, little-endian: magic, format (u32), header length (u32), SHA-256 of all that follows, header (JSON), zero padding to
 * a multiple of 8, then the parts, each zero-padded to a multiple of 8.
 */
export function sealFile({ magic, format }: FileKind, header: object, parts: readonly Uint8Array[]): Uint8Array {
  const headerBytes = Buffer.from(JSON.stringify(header))
  const content = Buffer.concat([
    headerBytes,
    padding(PREFIX_BYTES + headerBytes.length),
    ...parts.flatMap((part) => [part, padding(part.length)])
  ])
  const prefix = Buffer.alloc(PREFIX_BYTES)
  prefix.write(magic, 0, 'latin1')
  prefix.writeUInt32LE(format, 4)
  prefix.writeUInt32LE(headerBytes.length, 8)
  createHash('sha256').update(content).digest().copy(prefix, 12)
  return Buffer.concat([prefix, content])
}

/** Large enough for a model's header, which names its classes, some ten thousand. */
const MAX_HEADER_HEAP_BYTES = 67_108_864

/**
 * Reads a file of {@link sealFile} and verifies its checksum. The caller must check the header's content.
 * @throws DamagedFileError when it is of another kind or format, truncated, or was changed
 */
export function unsealFile(kind: FileKind, bytes: Uint8Array): { header: unknown; body: PartReader } {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.length < PREFIX_BYTES || view.toString('latin1', 0, 4) !== kind.magic) {
    throw new DamagedFileError('it is of another kind')
  }
  const format = view.readUInt32LE(4)
  if (format !== kind.format) throw new DamagedFileError(`format ${format}, this version reads ${kind.format}`)
  const digest = createHash('sha256').update(view.subarray(PREFIX_BYTES)).digest()
  if (!digest.equals(view.subarray(12, PREFIX_BYTES))) throw new DamagedFileError('the checksum does not match')
  const headerEnd = PREFIX_BYTES + view.readUInt32LE(8)
  if (headerEnd > view.length) throw new DamagedFileError('the header is cut short')
  let header: unknown
  try {
    header = readJson(view.subarray(PREFIX_BYTES, headerEnd), { maxJsonHeapBytes: MAX_HEADER_HEAP_BYTES })
  } catch {
    throw new DamagedFileError('the header is not JSON, or is too large')
  }
  return { header, body: new PartReader(view.subarray(headerEnd + padding(headerEnd).length)) }
}

/** Reads the parts of a sealed file, one after another. */
export class PartReader {
  readonly #bytes: Uint8Array
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /**
   * Copies the next part, so that its memory is aligned for any typed array.
   * @throws DamagedFileError when less is left
   */
  take(byteLength: number): Uint8Array<ArrayBuffer> {
    const end = this.#offset + byteLength
    if (end > this.#bytes.length) throw new DamagedFileError('a part is cut short')
    const copy = new Uint8Array(byteLength)
    copy.set(this.#bytes.subarray(this.#offset, end))
    this.#offset = end + padding(byteLength).length
    return copy
  }

  /** @throws DamagedFileError when parts are left */
  assertEnd(): void {
    if (this.#offset < this.#bytes.length) throw new DamagedFileError('there is more than its parts')
  }
}

function padding(length: number): Uint8Array {
  return new Uint8Array((ALIGNMENT_BYTES - (length % ALIGNMENT_BYTES)) % ALIGNMENT_BYTES)
}
