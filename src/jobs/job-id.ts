/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { randomUUID } from 'node:crypto'

/** Hexadecimal digits of the time. */
const TIME_DIGITS = 12
/** Where the random digits after the version begin in a UUID. */
const RANDOM_START = 15

/**
 * Makes the id of a new job: a UUID of version 7 (RFC 9562), so that ids sort by the millisecond they were made in.
 * Node.js can make such ids from 24.16 on, but programs on older versions may import this package. The random digits are
 * those of a UUID of version 4, which Node.js makes from a buffer: asking the system each time took a fifth of an enqueue.
 */
export function newJobId(nowMs: number = Date.now()): string {
  const time = nowMs.toString(16).padStart(TIME_DIGITS, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(RANDOM_START)}`
}
