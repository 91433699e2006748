/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { randomBytes } from 'node:crypto'

const TIMESTAMP_BYTES = 6

/**
 * Makes the id of a new job: a UUID of version 7 (RFC 9562), so that ids sort by the millisecond they were made in.
 * Node.js can make such ids from 24.16 on, but programs on older versions may import this package.
 */
export function newJobId(nowMs: number = Date.now()): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(nowMs, 0, TIMESTAMP_BYTES)
  bytes[6] = (bytes[6]! & 0x0f) | 0x70
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
