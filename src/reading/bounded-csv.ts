/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'

const FIRST_NON_ASCII = 0x80

/** Heap that V8 takes for a cell, without its text, and for a line. */
const CELL_BYTES = 32
const LINE_BYTES = 160

/** Bytes that end a cell, unless a line `sep=` names a separator. */
const CELL_ENDS = Buffer.from(',;\t|\n\r')
const LINE_ENDS = Buffer.from('\n\r')
/** A first line that names the separator, perhaps after a byte order mark, as bytes without zeros. */
const SEPARATOR_LINE = /^[\x80-\xff]{0,3}"?sep=([^])/i
const MAX_SEPARATOR_LINE_BYTES = 32

/**
 * Estimates the heap that parsed CSV takes, text included, in one pass over its bytes. Mostly too high: it counts every
 * possible separator, also in quotes. It works for every charset in which CSV is read. As with JSON, a heap that
 * overflows while a list grows ends the whole process, even when it is a thread's heap.
 */
function csvHeapBytes(bytes: Uint8Array): number {
  const costs = new Uint8Array(256)
  for (const byte of CELL_ENDS) costs[byte] = CELL_BYTES
  const beginning = Buffer.from(bytes.subarray(0, MAX_SEPARATOR_LINE_BYTES)).toString('latin1').replaceAll('\0', '')
  const named = SEPARATOR_LINE.exec(beginning)?.[1]
  if (named !== undefined) costs[named.charCodeAt(0)] = CELL_BYTES
  for (const byte of LINE_ENDS) costs[byte] = CELL_BYTES + LINE_BYTES
  let heapBytes = 0
  let isAscii = true
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i]!
    heapBytes += costs[byte]!
    if (byte >= FIRST_NON_ASCII) isAscii = false
  }
  return heapBytes + bytes.length * (isAscii ? 2 : 4)
}

/** @throws {ServiceError} PAYLOAD_TOO_LARGE when CSV would take more heap than allowed */
export function assertCsvFits(bytes: Uint8Array, maxHeapBytes: number | undefined): void {
  if (maxHeapBytes === undefined) return
  const heapBytes = csvHeapBytes(bytes)
  if (heapBytes <= maxHeapBytes) return
  const found = `its CSV would take some ${heapBytes} bytes of memory, at most ${maxHeapBytes} are allowed`
  throw new ServiceError('PAYLOAD_TOO_LARGE', `Cannot read the body: ${found}`)
}
