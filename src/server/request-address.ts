/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'

/**
 * Checks that a query string can be decoded.
 * @throws {ServiceError} INVALID_REQUEST for an invalid escape or one that is not UTF-8, with which parsers would leave the whole
 *   value undecoded
 */
export function assertReadableQuery(address: string): void {
  const start = address.indexOf('?')
  if (start < 0 || !address.includes('%', start)) return
  try {
    decodeURIComponent(address.slice(start))
  } catch {
    throw new ServiceError(
      'INVALID_REQUEST',
      'Cannot read the address: its query string is not percent-encoded UTF-8 ("é" is %C3%A9, "%" itself is %25)'
    )
  }
}
