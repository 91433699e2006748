/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'

/**
 * Checks that a query string can be decoded for what it says.
 * @throws {ServiceError} INVALID_REQUEST when an escape is broken, or is not UTF-8: parsers leave the whole value as it is then
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
