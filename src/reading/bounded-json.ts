/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'
import { describeJsonFault } from './json-fault.ts'
import { bodyAsUtf8 } from './text-reader.ts'

/** Limits of JSON that clients send. */
export interface JsonLimits {
  /** Maximum nesting of arrays and objects. @default 64 */
  readonly maxJsonDepth?: number
  /** Maximum heap of the parsed value, as {@link measureJson} estimates it. @default no limit: for short texts */
  readonly maxJsonHeapBytes?: number
}

/** Estimated cost of parsing a text. */
export interface JsonMeasure {
  /** Nesting of arrays and objects. */
  readonly depth: number
  /** Estimate of the heap that text and value take together, mostly too high. */
  readonly heapBytes: number
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const FIRST_NON_ASCII = 0x80

const DEFAULT_MAX_JSON_DEPTH = 64

/** Heap that V8 takes for an empty array or object, a list element, a key that occurs once, and a string's header. */
const CONTAINER_BYTES = 64
const ELEMENT_BYTES = 24
const KEY_BYTES = 96
const TEXT_BYTES = 24

/**
 * Measures JSON in one pass over its bytes, without parsing it. For invalid JSON the result counts the text before the
 * error, which is as far as a parser reads.
 *
 * The heap has to be known beforehand: V8 cannot interrupt `JSON.parse`, and a value that outgrows the heap of a thread
 * ends the whole process, whatever `resourceLimits` say.
 *
 * @param maxDepth ends the pass as soon as more are open
 */
export function measureJson(bytes: Uint8Array, maxDepth: number): JsonMeasure {
  let open = 0
  let depth = 0
  let containers = 0
  let commas = 0
  let colons = 0
  let texts = 0
  let isAscii = true
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i]!
    if (byte === QUOTE) {
      texts += 1
      for (i += 1; i < bytes.length && bytes[i] !== QUOTE; i += 1) {
        if (bytes[i] === BACKSLASH) i += 1
        else if (bytes[i]! >= FIRST_NON_ASCII) isAscii = false
      }
    } else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) {
      containers += 1
      open += 1
      if (open > depth) depth = open
      if (depth > maxDepth) break
    } else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) open -= 1
    else if (byte === COMMA) commas += 1
    else if (byte === COLON) colons += 1
  }
  // The text itself and the strings in it: one byte for each character, or two when any character is not Latin-1.
  const textBytes = bytes.length * (isAscii ? 2 : 4)
  const heapBytes =
    textBytes + containers * CONTAINER_BYTES + commas * ELEMENT_BYTES + colons * KEY_BYTES + texts * TEXT_BYTES
  return { depth, heapBytes }
}

/** Keys that stand for an object's prototype, however they are escaped, and the colon that makes a text a key. */
const PROTO_KEY =
  /"(?:_|\\u005f)(?:_|\\u005f)(?:p|\\u0070)(?:r|\\u0072)(?:o|\\u006f)(?:t|\\u0074)(?:o|\\u006f)(?:_|\\u005f)(?:_|\\u005f)"\s*:/i

/** Description of a JSON text. */
export interface JsonSource {
  /** The declared charset, as `charsetOf` gives it. @default UTF-8 */
  readonly charset?: string | undefined
  /** Beginning of error messages: the action that failed. @default 'Cannot read the body' */
  readonly action?: string
}

/**
 * Parses JSON after checking its limits.
 * @throws {ServiceError} INVALID_REQUEST when it is not JSON, not in its charset, nested too deeply or has a key
 *   `__proto__`; PAYLOAD_TOO_LARGE when the value would take too much memory. No message contains any of the text.
 */
export function readJson(
  bytes: Uint8Array,
  limits: JsonLimits,
  { charset, action = 'Cannot read the body' }: JsonSource = {}
): unknown {
  const { maxJsonDepth = DEFAULT_MAX_JSON_DEPTH, maxJsonHeapBytes } = limits
  const utf8 = bodyAsUtf8(bytes, charset)
  // A text of at most `maxJsonDepth` bytes cannot be nested too deeply.
  if (utf8.length > maxJsonDepth || maxJsonHeapBytes !== undefined) {
    const { depth, heapBytes } = measureJson(utf8, maxJsonDepth)
    if (depth > maxJsonDepth) {
      throw new ServiceError('INVALID_REQUEST', `${action}: its JSON is nested more than ${maxJsonDepth} deep`)
    }
    if (maxJsonHeapBytes !== undefined && heapBytes > maxJsonHeapBytes) {
      const found = `its JSON would take some ${heapBytes} bytes of memory, at most ${maxJsonHeapBytes} are allowed`
      throw new ServiceError('PAYLOAD_TOO_LARGE', `${action}: ${found}`)
    }
  }
  const text = Buffer.from(utf8.buffer, utf8.byteOffset, utf8.byteLength).toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's message quotes the text, so it is dropped, even as a cause.
    throw new ServiceError('INVALID_REQUEST', `${action}: it is not JSON: ${describeJsonFault(text)}`)
  }
  if (PROTO_KEY.test(text)) {
    throw new ServiceError('INVALID_REQUEST', `${action}: the key "__proto__" is not taken`)
  }
  return value
}
