/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'

/** Names of AWS errors for invalid requests: bugs of ours, which no retry fixes. */
const BUG_NAMES: ReadonlySet<string> = new Set([
  'ValidationException',
  'SerializationException',
  'InvalidParameterValue'
])

/**
 * Calls AWS, and turns what goes wrong there into a ServiceError. The SDK has tried three times before it throws.
 * @param action what the call does, for the message
 * @throws {ServiceError} UNAVAILABLE when AWS cannot be reached, throttles or denies access; bugs and our own errors are
 *   thrown unchanged
 */
export async function reach<T>(action: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof ServiceError || !(error instanceof Error) || BUG_NAMES.has(error.name)) throw error
    throw new ServiceError('UNAVAILABLE', `Cannot ${action}: ${error.name}`, { cause: error })
  }
}
