/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { isUtf8 } from 'node:buffer'
import { TextDecoder } from 'node:util'
import { ServiceError } from '../errors.ts'

const UTF_8 = 'utf-8'
const LINE_FEED = 10
const CARRIAGE_RETURN = 13
/** The search for the first invalid line stops at this many bytes, whose lines are then checked one by one. */
const FEW_BYTES = 64

/** Byte order marks and their encodings. */
const MARKS = [
  { charset: UTF_8, bytes: [0xef, 0xbb, 0xbf] },
  { charset: 'utf-16le', bytes: [0xff, 0xfe] },
  { charset: 'utf-16be', bytes: [0xfe, 0xff] }
] as const
/** Length of the longest of {@link MARKS}. */
const MAX_MARK_BYTES = 3

/** First bytes of spreadsheets and archives, which people send as CSV. Such files are not text in any charset. */
const BINARY_FILES = [
  { found: 'a ZIP file, as .xlsx and .ods are', bytes: [0x50, 0x4b, 0x03, 0x04] },
  { found: 'an old file of Office, as .xls is', bytes: [0xd0, 0xcf, 0x11, 0xe0] },
  { found: 'compressed by gzip', bytes: [0x1f, 0x8b, 0x08] },
  { found: 'compressed by zstd', bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  { found: 'a PDF', bytes: [0x25, 0x50, 0x44, 0x46] }
] as const
/** Length of the longest of {@link MARKS} and {@link BINARY_FILES}. */
const HEAD_BYTES = 4
/** Character that ends a text file in DOS and its successors. */
const END_OF_FILE = '\u001A'

/**
 * Reads the charset of a content type, by its standard name; undefined when none is declared.
 * @throws {ServiceError} UNSUPPORTED_MEDIA_TYPE when it is unknown
 * @example charsetOf('text/csv; charset=latin1') // 'windows-1252', as in browsers
 */
export function charsetOf(contentType: string | undefined): string | undefined {
  const label = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType ?? '')?.[1]
  if (label === undefined) return undefined
  // The standard treats ASCII as windows-1252, but text beyond ASCII is far more often UTF-8.
  if (/^(?:us-)?ascii$/i.test(label)) return UTF_8
  try {
    return new TextDecoder(label).encoding
  } catch {
    // Without the cause, which quotes the header and would be logged.
    throw new ServiceError(
      'UNSUPPORTED_MEDIA_TYPE',
      'Cannot read the body: its content-type declares an unknown charset; utf-8, utf-16, windows-1252 and others are read'
    )
  }
}

/**
 * Converts a whole body that is not a table to UTF-8 without a byte order mark. A body in UTF-8 is not copied.
 * @param declared its charset, as {@link charsetOf} gives it. @default 'utf-8'
 * @throws {ServiceError} INVALID_REQUEST when it is in another encoding
 */
export function bodyAsUtf8<Store extends ArrayBufferLike>(
  bytes: Uint8Array<Store>,
  declared: string = UTF_8
): Uint8Array<Store | ArrayBuffer> {
  if (declared !== UTF_8) return new TextEncoder().encode(decodeTable(bytes, declared, 'the body'))
  if (!isUtf8(bytes)) {
    throw new ServiceError(
      'INVALID_REQUEST',
      `Cannot read the body: it is not UTF-8, from line ${brokenLine(bytes)} on`
    )
  }
  return hasMark(bytes, MARKS[0].bytes) ? bytes.subarray(MAX_MARK_BYTES) : bytes
}

/** Decodes a whole table, as {@link TextReader}. */
export function decodeTable(bytes: Uint8Array, declared?: string, subject?: string): string {
  const reader = new TextReader(declared, subject)
  return reader.write(bytes) + reader.end()
}

/**
 * Decodes a table in pieces that may be cut anywhere: by its byte order mark, else by the declared charset, else as
 * UTF-8. Nothing is replaced: bytes that are not in this encoding are refused, with the number of their first line.
 */
export class TextReader {
  readonly #declared: string | undefined
  readonly #subject: string
  /** Set once the first bytes have been seen. */
  #decoder: TextDecoder | undefined
  /** Bytes that are not decoded yet: a possible byte order mark, or the beginning of a character. */
  #rest: Uint8Array = new Uint8Array()
  /** Characters that are dropped at the end of the table but are text elsewhere. */
  #heldBack = ''
  /** Number of decoded line breaks, and whether the last one is a carriage return, whose line feed may follow. */
  #breakCount = 0
  #endsWithReturn = false

  /**
   * @param declared charset, as {@link charsetOf} gives it
   * @param subject name of what is read, for errors
   */
  constructor(declared?: string, subject = 'the table') {
    this.#declared = declared
    this.#subject = subject
  }

  /** @throws {ServiceError} INVALID_REQUEST when the bytes are in another encoding */
  write(bytes: Uint8Array): string {
    return this.#decode(this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]), false)
  }

  /** Returns what was held back. @throws {ServiceError} INVALID_REQUEST when a character is cut off */
  end(): string {
    return this.#decode(this.#rest, true)
  }

  #decode(bytes: Uint8Array, isEnd: boolean): string {
    this.#rest = new Uint8Array()
    if (this.#decoder === undefined && !isEnd && bytes.length < HEAD_BYTES) {
      this.#rest = Uint8Array.from(bytes)
      return ''
    }
    if (this.#decoder === undefined) this.#refuseBinary(bytes)
    this.#decoder ??= new TextDecoder(charsetByMark(bytes) ?? charsetByZeros(bytes, this.#declared), { fatal: true })
    const decoded =
      this.#decoder.encoding === UTF_8 ? this.#utf8(bytes, isEnd) : this.#other(this.#decoder, bytes, isEnd)
    const text = this.#withoutEndOfFile(this.#heldBack + decoded, isEnd)
    const zero = text.indexOf('\0')
    if (zero >= 0) {
      throw this.#refusal(this.#lineAt(text.slice(0, zero)), 'holds a NUL: UTF-16 is read with its byte order mark')
    }
    this.#count(text)
    return text
  }

  /** Drops {@link END_OF_FILE} at the end; holds it back until it is known whether more text follows. */
  #withoutEndOfFile(text: string, isEnd: boolean): string {
    let length = text.length
    while (text[length - 1] === END_OF_FILE) length -= 1
    this.#heldBack = isEnd ? '' : text.slice(length)
    return text.slice(0, length)
  }

  #refuseBinary(bytes: Uint8Array): void {
    const file = BINARY_FILES.find(({ bytes: head }) => hasMark(bytes, head))
    if (file === undefined) return
    throw new ServiceError(
      'INVALID_REQUEST',
      `Cannot read ${this.#subject}: it is ${file.found}. Text is wanted: save a spreadsheet as CSV, and unpack what is compressed`
    )
  }

  #utf8(bytes: Uint8Array, isEnd: boolean): string {
    const whole = isEnd ? bytes.length : bytes.length - cutCharacterBytes(bytes)
    const characters = bytes.subarray(0, whole)
    if (!isUtf8(characters)) {
      throw this.#refusal(this.#breaksBefore(characters[0]) + brokenLine(characters), 'is not UTF-8')
    }
    this.#rest = Uint8Array.from(bytes.subarray(whole))
    return this.#decoder!.decode(characters, { stream: !isEnd })
  }

  #other(decoder: TextDecoder, bytes: Uint8Array, isEnd: boolean): string {
    try {
      return decoder.decode(bytes, { stream: !isEnd })
    } catch {
      const lenient = new TextDecoder(decoder.encoding).decode(bytes)
      throw this.#refusal(
        this.#lineAt(lenient.slice(0, Math.max(0, lenient.indexOf('\uFFFD')))),
        `is not ${decoder.encoding}`
      )
    }
  }

  #lineAt(text: string): number {
    return this.#breaksBefore(text.charCodeAt(0)) + countBreaks(text) + 1
  }

  #count(text: string): void {
    if (text === '') return
    this.#breakCount = this.#lineAt(text) - 1
    this.#endsWithReturn = text.endsWith('\r')
  }

  /** Number of line breaks so far; one less when the text continues with the line feed of the last carriage return. */
  #breaksBefore(firstCode: number | undefined): number {
    return this.#endsWithReturn && firstCode === LINE_FEED ? this.#breakCount - 1 : this.#breakCount
  }

  #refusal(line: number, found: string): ServiceError {
    return new ServiceError(
      'INVALID_REQUEST',
      `Cannot read ${this.#subject}: line ${line} ${found}. UTF-8 is wanted, or a charset that is declared, as by ` +
        '"Content-Type: text/csv; charset=windows-1252" (in a shell --charset windows-1252)'
    )
  }
}

function charsetByMark(bytes: Uint8Array): string | undefined {
  return MARKS.find((mark) => hasMark(bytes, mark.bytes))?.charset
}

/**
 * Byte order of UTF-16 without a byte order mark (RFC 2781 section 4.3), from the zero bytes of the header's ASCII
 * characters.
 */
function charsetByZeros(bytes: Uint8Array, declared: string | undefined): string | undefined {
  return declared === 'utf-16le' && bytes[0] === 0 && bytes[1] !== 0 ? 'utf-16be' : declared
}

function hasMark(bytes: Uint8Array, mark: readonly number[]): boolean {
  return mark.every((byte, index) => bytes[index] === byte)
}

function countBreaks(text: string): number {
  let count = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === LINE_FEED) count += 1
    else if (code === CARRIAGE_RETURN && text.charCodeAt(at + 1) !== LINE_FEED) count += 1
  }
  return count
}

/** Number of bytes at the end that begin an incomplete UTF-8 character. */
function cutCharacterBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back]!
    if (byte < 0x80) return 0
    if (byte < 0xc0) continue
    const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
    return length > back ? back : 0
  }
  return 0
}

/** Number of the first line that is not UTF-8, counted from 1; the bytes must not be UTF-8. */
function brokenLine(bytes: Uint8Array): number {
  // Checking each line would take seconds for millions of empty ones.
  const good = goodPrefixBytes(bytes)
  let line = 1
  let start = good
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]
    if (byte !== LINE_FEED && byte !== CARRIAGE_RETURN) continue
    if (at >= good) {
      if (!isUtf8(bytes.subarray(start, at))) return line
      start = at + 1
    }
    if (byte === CARRIAGE_RETURN || bytes[at - 1] !== CARRIAGE_RETURN) line += 1
  }
  return line
}

/**
 * Lower bound of the number of leading bytes that are UTF-8, at most some tens too low; the bytes must not be UTF-8.
 */
function goodPrefixBytes(bytes: Uint8Array): number {
  let good = 0
  let bad = bytes.length
  while (bad - good > FEW_BYTES) {
    const middle = Math.floor((good + bad) / 2)
    // The beginning of a character, unless there is none nearby.
    const end = [0, 1, 2, 3].map((back) => middle - back).find((at) => (bytes[at]! & 0xc0) !== 0x80) ?? middle
    if (isUtf8(bytes.subarray(good, end))) good = end
    else bad = middle
  }
  return good
}
