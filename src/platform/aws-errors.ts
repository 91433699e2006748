/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../errors.ts'

/** Errors by which AWS says that our request makes no sense: bugs, which waiting does not mend. */
const BUG_NAMES: ReadonlySet<string> = new Set([
  'ValidationException',
  'SerializationException',
  'InvalidParameterValue'
])

/**
 * Calls AWS. The SDK has tried three times before an error comes here.
 * @param action what is being done, for the message
 * @throws {ServiceError} UNAVAILABLE when AWS cannot be reached, throttles or denies access; bugs and our own errors as
 *   they are
 */
export async function reach<T>(action: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof ServiceError || !(error instanceof Error) || BUG_NAMES.has(error.name)) throw error
    throw new ServiceError('UNAVAILABLE', `Cannot ${action}: ${error.name}`, { cause: error })
  }
}
