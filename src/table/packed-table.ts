/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createHash } from 'node:crypto'
import assert from 'node:assert/strict'
import { nextTurn } from '../embedding/similarity.ts'
import type { Signature } from './signature.ts'
import type { TrainingTable } from './training-table.ts'

/** Content type of a packed table. */
export const PACKED_TABLE_TYPE = 'application/vnd.sbert-service.training-table'

/** Metadata of a packed table. */
export interface TableNotes {
  /** Inverse of the regularization strength, if it was requested. */
  readonly c: number | null
  readonly isForced: boolean
  /** Result of {@link tableHash}. */
  readonly dataHash: string
}

interface Header extends TableNotes {
  readonly signature: Signature
  readonly rowCount: number
  readonly classIds: readonly string[]
}

const ALIGNMENT_BYTES = 8
const HEADER_LENGTH_BYTES = 8
/** Number of texts decoded between two yields to the event loop. */
const TEXTS_A_TURN = 4096

/**
 * Packs a table as bytes that can be read without parsing. Layout, little-endian, each part aligned to 8 bytes: header
 * length (u32), header (JSON), labels (i32), groups (i32), then the columns in the signature's order: for texts the
 * byte length of each (u32) and the texts (UTF-8), for numbers f64.
 */
export function packTable(table: TrainingTable, notes: TableNotes): Uint8Array<ArrayBuffer> {
  const { signature, rowCount, classIds } = table
  const header: Header = { ...notes, signature, rowCount, classIds }
  const headerBytes = Buffer.from(JSON.stringify(header))
  const headerLength = new Uint8Array(HEADER_LENGTH_BYTES)
  new DataView(headerLength.buffer).setUint32(0, headerBytes.length, true)
  const parts = [headerLength, ...padded(headerBytes), ...bodyOf(table)]
  return new Uint8Array(Buffer.concat(parts))
}

/** Hash of a table's content: equal for equal columns, types and rows. */
export function tableHash(table: TrainingTable): string {
  const sum = createHash('sha256')
  sum.update(JSON.stringify([table.signature, table.classIds]))
  for (const part of bodyOf(table)) sum.update(part)
  return sum.digest('hex')
}

/** Unpacks a table of {@link packTable}; yields to the event loop while it decodes texts. */
export async function unpackTable(bytes: Uint8Array, signal?: AbortSignal): Promise<TrainingTable & TableNotes> {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const headerLength = view.readUInt32LE(0)
  const headerEnd = HEADER_LENGTH_BYTES + headerLength
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- packTable wrote it, and only the store of jobs had it since
  const header = JSON.parse(view.toString('utf8', HEADER_LENGTH_BYTES, headerEnd)) as Header
  const { signature, rowCount } = header
  let offset = headerEnd + paddingOf(headerEnd)
  const take = (byteLength: number) => {
    assert(offset + byteLength <= view.length, 'A packed table is cut short; this is a bug')
    const part = view.subarray(offset, offset + byteLength)
    offset += byteLength + paddingOf(byteLength)
    return part
  }
  const copy = (byteLength: number) => new Uint8Array(take(byteLength)).buffer
  const labels = new Int32Array(copy(rowCount * 4))
  const groups = new Int32Array(copy(rowCount * 4))
  const columns = new Map<string, readonly string[] | Float64Array>()
  for (const { name, type } of signature.features) {
    if (type === 'number') {
      columns.set(name, new Float64Array(copy(rowCount * 8)))
      continue
    }
    const lengths = new Uint32Array(copy(rowCount * 4))
    const texts = take(lengths.reduce((sum, length) => sum + length, 0))
    const made: string[] = []
    let from = 0
    for (const length of lengths) {
      made.push(texts.toString('utf8', from, from + length))
      from += length
      if (made.length % TEXTS_A_TURN === 0) await nextTurn(signal)
    }
    columns.set(name, made)
  }
  return { ...header, columns, labels, groups }
}

function bodyOf({ signature, columns, labels, groups }: TrainingTable): Uint8Array[] {
  return [labels, groups]
    .flatMap((array) => padded(array))
    .concat(
      signature.features.flatMap(({ name }) => {
        const values = columns.get(name)
        assert(values !== undefined, 'A table lacks a column of its signature; this is a bug')
        if (values instanceof Float64Array) return padded(values)
        const texts = values.map((text) => Buffer.from(text))
        const lengths = Uint32Array.from(texts, ({ length }) => length)
        return [...padded(lengths), ...padded(Buffer.concat(texts))]
      })
    )
}

function padded(array: Uint8Array | Int32Array | Uint32Array | Float64Array): Uint8Array[] {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
  return [bytes, new Uint8Array(paddingOf(bytes.length))]
}

function paddingOf(length: number): number {
  return (ALIGNMENT_BYTES - (length % ALIGNMENT_BYTES)) % ALIGNMENT_BYTES
}
