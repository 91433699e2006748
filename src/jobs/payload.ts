/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Bytes and their media type: a job's input, or its result. */
export interface Payload {
  /** Media type, as HTTP names it. */
  readonly contentType: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** The bytes of a body, without a copy: a caller that transfers them to a thread must not use the body any more. */
export function bytesOf(body: unknown): Uint8Array<ArrayBuffer> {
  if (!(body instanceof Uint8Array) || !(body.buffer instanceof ArrayBuffer)) return new Uint8Array()
  return new Uint8Array(body.buffer, body.byteOffset, body.byteLength)
}

const JSON_TYPE = 'application/json'
const BYTES_TYPE = 'application/octet-stream'

/**
 * Packs a value: bytes stay as they are, everything else becomes JSON (`undefined` becomes `null`).
 * @throws TypeError when the value has no JSON, such as a cycle or a BigInt
 */
export function packPayload(value: unknown): Payload {
  if (value instanceof Uint8Array) return { contentType: BYTES_TYPE, bytes: new Uint8Array(value) }
  return { contentType: JSON_TYPE, bytes: new TextEncoder().encode(JSON.stringify(value) ?? 'null') }
}

/** Unpacks a payload of {@link packPayload}: parses JSON, and returns the bytes of anything else. */
export function unpackPayload(payload: Payload): unknown {
  if (payload.contentType !== JSON_TYPE) return payload.bytes
  return JSON.parse(new TextDecoder().decode(payload.bytes))
}
