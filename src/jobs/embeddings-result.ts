/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { float32JsonMaxBytes, writeFloat32Json } from '../embedding/float32-json.ts'
import { nextTurn } from '../embedding/similarity.ts'
import type { Payload } from './payload.ts'

/** Media type of {@link packEmbeddings}. Private to this service: readers get JSON, JSON lines, or the numbers alone. */
export const EMBEDDINGS_TYPE = 'application/vnd.sbert-service.embeddings'

/** Why a line has no embedding. */
export interface LineError {
  readonly code: string
  readonly message: string
}

/** One row of an encode job's result, without its numbers: the sentence or line that it encodes, or why it could not. */
export type EncodedRow =
  | { readonly original: string; readonly isTruncated: boolean }
  | { readonly customId: string | null; readonly isTruncated: boolean }
  | { readonly customId: string | null; readonly error: LineError }

/** The result of an encode job. */
export interface EmbeddingsResult {
  /** Revision of the encoder that made them. */
  readonly revision: string
  readonly dimensions: number
  /** Whether the job's input was a list of sentences or lines of JSON. */
  readonly form: 'sentences' | 'lines'
  /** One entry per row, of the kind that belongs to the form. */
  readonly rows: readonly EncodedRow[]
  /** rows × dimensions, row-major. The row of a line that could not be encoded holds NaN. */
  readonly values: Float32Array<ArrayBuffer>
}

const HEADER_LENGTH_BYTES = 4
const FLOAT_BYTES = 4
/** Rows turned into text before the event loop may run other work: some 2 ms. */
const ROWS_A_TURN = 128

/**
 * Packs a result into a fifth of the size of its JSON: the header's length (uint32), the header (JSON, padded with spaces
 * to a multiple of 4 bytes), then the numbers (float32), all little-endian.
 */
export function packEmbeddings(result: EmbeddingsResult): Payload {
  const { values, ...header } = result
  const text = new TextEncoder().encode(JSON.stringify(header))
  const headerBytes = Math.ceil(text.byteLength / FLOAT_BYTES) * FLOAT_BYTES
  const bytes = new Uint8Array(HEADER_LENGTH_BYTES + headerBytes + values.byteLength).fill(0x20)
  new DataView(bytes.buffer).setUint32(0, headerBytes, true)
  bytes.set(text, HEADER_LENGTH_BYTES)
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), HEADER_LENGTH_BYTES + headerBytes)
  return { contentType: EMBEDDINGS_TYPE, bytes }
}

/** Reads what {@link packEmbeddings} packed. */
export function unpackEmbeddings(payload: Payload): EmbeddingsResult {
  const { bytes } = payload
  const headerBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  const headerEnd = HEADER_LENGTH_BYTES + headerBytes
  const header: Omit<EmbeddingsResult, 'values'> = JSON.parse(
    new TextDecoder().decode(bytes.subarray(HEADER_LENGTH_BYTES, headerEnd))
  )
  // A copy, since a Float32Array must start at a multiple of 4 bytes.
  return { ...header, values: new Float32Array(bytes.slice(headerEnd).buffer) }
}

/** The numbers alone: rows × dimensions float32, little-endian. */
export function embeddingsAsFloats(result: EmbeddingsResult): Buffer {
  return Buffer.from(result.values.buffer, result.values.byteOffset, result.values.byteLength)
}

/** The JSON of `/v1/encode/multiple_encode`, piece by piece. */
export async function* embeddingsAsJson(result: EmbeddingsResult): AsyncGenerator<Buffer> {
  yield Buffer.from('{"data":[')
  for await (const [index, text] of rowTexts(result)) yield Buffer.concat([Buffer.from(index === 0 ? '' : ','), text])
  yield Buffer.from(']}')
}

/** A line of JSON for each row, piece by piece: `{"custom_id", "encoding"}` or `{"custom_id", "error"}`. */
export async function* embeddingsAsLines(result: EmbeddingsResult): AsyncGenerator<Buffer> {
  for await (const [, text] of rowTexts(result)) yield Buffer.concat([text, Buffer.from('\n')])
}

async function* rowTexts(result: EmbeddingsResult): AsyncGenerator<[number, Buffer]> {
  const { dimensions, rows, values } = result
  const scratch = Buffer.allocUnsafe(float32JsonMaxBytes(dimensions))
  for (const [index, row] of rows.entries()) {
    if (index % ROWS_A_TURN === ROWS_A_TURN - 1) await nextTurn()
    if ('error' in row) {
      yield [index, Buffer.from(JSON.stringify({ custom_id: row.customId, error: row.error }))]
      continue
    }
    const end = writeFloat32Json(values.subarray(index * dimensions, (index + 1) * dimensions), scratch, 0)
    const name = 'original' in row ? `"original":${JSON.stringify(row.original)},"encoded":` : lineStart(row.customId)
    const tail = row.isTruncated ? ',"truncated":true}' : '}'
    yield [index, Buffer.concat([Buffer.from(`{${name}`), scratch.subarray(0, end), Buffer.from(tail)])]
  }
}

function lineStart(customId: string | null): string {
  return `"custom_id":${JSON.stringify(customId)},"encoding":`
}
