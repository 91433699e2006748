/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Error codes that callers see, each with its HTTP status. */
export const ERROR_STATUS = {
  INVALID_REQUEST: 400,
  UNAUTHORIZED: 401,
  MISSING_SCOPE: 403,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TIMEOUT: 408,
  CONFLICT: 409,
  PAYLOAD_TOO_LARGE: 413,
  URI_TOO_LONG: 414,
  UNSUPPORTED_MEDIA_TYPE: 415,
  EXPECTATION_FAILED: 417,
  UNPROCESSABLE: 422,
  RATE_LIMITED: 429,
  TOO_MANY_REQUESTS: 429,
  HEADERS_TOO_LARGE: 431,
  NOT_IMPLEMENTED: 501,
  BAD_GATEWAY: 502,
  OVERLOADED: 503,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504
} as const

/** A key of {@link ERROR_STATUS}. */
export type ErrorCode = keyof typeof ERROR_STATUS

/** Options of a {@link ServiceError} besides its message. */
export interface ServiceErrorOptions extends ErrorOptions {
  /** What is wrong, by field of the request: `{query: ['required field']}`. */
  readonly fields?: Readonly<Record<string, readonly string[]>>
  /** When to retry, in whole seconds. */
  readonly retryAfterSeconds?: number
}

/**
 * An error that the caller can understand and act on; all other errors are bugs and give a bare 500. The message names
 * the action, then a colon, then what was found and what was wanted. It never holds a user's text.
 */
export class ServiceError extends Error {
  override readonly name = 'ServiceError'
  readonly code: ErrorCode
  readonly fields: Readonly<Record<string, readonly string[]>> | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(code: ErrorCode, message: string, options: ServiceErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.fields = options.fields
    this.retryAfterSeconds = options.retryAfterSeconds
  }

  /** HTTP status of this error's code. */
  get statusCode(): number {
    return ERROR_STATUS[this.code]
  }
}
