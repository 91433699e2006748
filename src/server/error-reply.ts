/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { STATUS_CODES } from 'node:http'
import { ERROR_STATUS, ServiceError, type ErrorCode } from '../errors.ts'

/** The JSON body of an error reply. */
export interface ErrorBody {
  readonly statusCode: number
  readonly code: ErrorCode | 'INTERNAL'
  /** The status in words. */
  readonly error: string
  readonly message: string
  /** What is wrong, by field. */
  readonly errors?: Readonly<Record<string, readonly string[]>>
}

/** Body and headers of an error reply. */
export interface ErrorReply {
  readonly body: ErrorBody
  readonly headers: Readonly<Record<string, string>>
  /** Whether it is a bug of ours, to be logged with its stack and reported. */
  readonly isUnexpected: boolean
}

/** Message for a field that is missing or empty. */
export const REQUIRED_FIELD = 'required field'

/** Pattern of a required text: more than white space. */
export const NOT_BLANK = String.raw`\S`

/** The part of a request that failed validation: its required fields and its value. */
export interface InvalidPart {
  readonly requiredFields: readonly string[]
  readonly value: unknown
}

/** A validation error of Ajv, as Fastify passes it on. */
interface Finding {
  readonly keyword: string
  readonly instancePath: string
  readonly params: Record<string, unknown>
  readonly message?: string
}

/** What the patterns of the routes' schemas want, in words. A test holds this list against the routes. */
const PATTERN_WORDS: ReadonlyMap<unknown, string> = new Map([
  ['^[1-9][0-9]{0,2}$', 'must be a whole number, 1 to 999'],
  ['^[1-9][0-9]{0,4}$', 'must be a whole number, 1 to 99999'],
  ['^([0-9]|1[0-6])$', 'must be a whole number, 0 to 16'],
  ['^([1-9][0-9]?|100)$', 'must be a whole number, 1 to 100'],
  ['^([1-9][0-9]{0,8}|live)$', 'must be the number of a version, or live'],
  [
    '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$',
    'must be letters, digits, dots, dashes and underscores, at most 100, the first a letter or a digit'
  ]
])

/**
 * Errors of Fastify and its plugins, with this service's codes and messages. Their own messages are not sent, since some
 * quote the body, the address or a header of the request.
 */
const FRAMEWORK_ERRORS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['PAYLOAD_TOO_LARGE', 'Cannot read the body: it is longer than the service takes'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'UNSUPPORTED_MEDIA_TYPE',
    'Cannot read the body: its content-type is not accepted here'
  ],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['INVALID_REQUEST', 'Cannot read the body: it is empty, and JSON is wanted'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['INVALID_REQUEST', 'Cannot read the body: it is not JSON'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'INVALID_REQUEST',
    'Cannot read the body: its length is not what content-length says'
  ],
  FST_ERR_BAD_URL: ['INVALID_REQUEST', 'Cannot read the address: it is not valid percent-encoded UTF-8'],
  FST_ERR_MAX_PARAM_LENGTH: ['URI_TOO_LONG', 'Cannot read the address: a part of its path is too long'],
  FST_BEARER_AUTH_MISSING_AUTHORIZATION_HEADER: [
    'UNAUTHORIZED',
    'Cannot tell who is calling: the header "Authorization: Bearer <key>" is missing'
  ],
  FST_BEARER_AUTH_INVALID_AUTHORIZATION_HEADER: [
    'UNAUTHORIZED',
    'Cannot tell who is calling: the key or token is unknown, wrong or expired'
  ],
  // Errors of Node.js's HTTP parser, before there is a request.
  HPE_HEADER_OVERFLOW: ['HEADERS_TOO_LARGE', 'Cannot read the request: its address and headers are too long'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['PAYLOAD_TOO_LARGE', 'Cannot read the body: its chunk extensions are too long'],
  ERR_HTTP_REQUEST_TIMEOUT: ['REQUEST_TIMEOUT', 'Cannot read the request: it did not arrive in time']
}

/** Retry-After for 503 without a known time: a store or another service is unavailable, or a model is being loaded. */
const UNAVAILABLE_SECONDS = 5

/** Code of each status, for other errors with a status that a plugin may throw. */
const CODE_BY_STATUS = new Map<number, ErrorCode>(
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.entries widens the keys of a constant
  (Object.entries(ERROR_STATUS) as [ErrorCode, number][]).map(([code, status]) => [status, code])
)

/**
 * Makes the reply to anything that was thrown. Only this file knows what an error looks like on the wire.
 * @param part of the request that failed validation
 */
export function toErrorReply(error: unknown, part?: InvalidPart): ErrorReply {
  if (error instanceof ServiceError) return serviceErrorReply(error)
  const known = knownError(error, part)
  if (known !== undefined) return serviceErrorReply(known)
  const body: ErrorBody = {
    statusCode: 500,
    code: 'INTERNAL',
    error: STATUS_CODES[500] ?? '',
    message: 'The service failed: this is a bug of ours, logged under the x-request-id of this reply'
  }
  return { body, headers: { 'cache-control': 'no-store' }, isUnexpected: true }
}

/** Converts an error to the form of OpenAI's API. */
export function toOpenAiError(body: ErrorBody): { error: Record<string, string | null> } {
  const [param = null] = Object.keys(body.errors ?? {})
  return { error: { message: body.message, type: openAiType(body.statusCode), param, code: body.code.toLowerCase() } }
}

function openAiType(statusCode: number): string {
  if (statusCode === 401) return 'authentication_error'
  if (statusCode === 403) return 'permission_error'
  if (statusCode === 429) return 'rate_limit_error'
  return statusCode < 500 ? 'invalid_request_error' : 'server_error'
}

function serviceErrorReply(error: ServiceError): ErrorReply {
  const headers: Record<string, string> = { 'cache-control': 'no-store' }
  const { retryAfterSeconds = error.statusCode === 503 ? UNAVAILABLE_SECONDS : undefined } = error
  if (retryAfterSeconds !== undefined) headers['retry-after'] = String(Math.ceil(retryAfterSeconds))
  // RFC 6750 section 3: a challenge has an error code only when credentials were sent.
  if (error.code === 'UNAUTHORIZED') {
    const isMissing = codeOf(error.cause) === 'FST_BEARER_AUTH_MISSING_AUTHORIZATION_HEADER'
    headers['www-authenticate'] = `Bearer realm="sbert-service"${isMissing ? '' : ', error="invalid_token"'}`
  }
  const body: ErrorBody = {
    statusCode: error.statusCode,
    code: error.code,
    error: STATUS_CODES[error.statusCode] ?? '',
    message: error.message,
    ...(error.fields === undefined ? {} : { errors: error.fields })
  }
  return { body, headers, isUnexpected: false }
}

/** Converts a framework's error about the request to a ServiceError; undefined for any other error. */
function knownError(error: unknown, part: InvalidPart | undefined): ServiceError | undefined {
  if (!(error instanceof Error)) return undefined
  if ('validation' in error && Array.isArray(error.validation)) return invalidRequest(error.validation, part)
  const framework = FRAMEWORK_ERRORS[codeOf(error)]
  if (framework !== undefined) {
    const [code, message] = framework
    const isBodyMissing = codeOf(error) === 'FST_ERR_CTP_EMPTY_JSON_BODY'
    const fields = isBodyMissing && part !== undefined ? requiredFields(part) : undefined
    return new ServiceError(code, message, { cause: error, ...(fields === undefined ? {} : { fields }) })
  }
  const status = 'statusCode' in error ? Number(error.statusCode) : Number.NaN
  if (!(status >= 400 && status < 500)) return undefined
  const code = CODE_BY_STATUS.get(status) ?? 'INVALID_REQUEST'
  return new ServiceError(code, `Cannot answer the request: ${STATUS_CODES[status] ?? 'it is not valid'}`, {
    cause: error
  })
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

function invalidRequest(findings: readonly Finding[], part: InvalidPart | undefined): ServiceError {
  const fields: Record<string, string[]> = {}
  for (const finding of findings) {
    // Ajv reports missing fields one at a time; the reply lists all of them.
    if (part !== undefined && (finding.keyword === 'required' || finding.instancePath === '')) {
      Object.assign(fields, requiredFields(part))
    }
    const field = finding.instancePath.split('/')[1]
    if (field !== undefined && finding.keyword !== 'anyOf') (fields[field] ??= []).push(problemOf(finding))
  }
  for (const [field, problems] of Object.entries(fields)) {
    // With alternatives, each schema that does not match reports an error; that the text is missing is what matters.
    fields[field] = problems.includes(REQUIRED_FIELD) ? [REQUIRED_FIELD] : [...new Set(problems)]
  }
  const [first] = Object.entries(fields)
  const found =
    first === undefined ? (findings[0]?.message ?? 'it is not valid') : `${first[0]}: ${first[1].join(', ')}`
  return new ServiceError('INVALID_REQUEST', `Cannot read the request: ${found}`, { fields })
}

function problemOf(finding: Finding): string {
  const isTopLevel = finding.instancePath.lastIndexOf('/') === 0
  const isBlank =
    finding.keyword === 'minLength' || (finding.keyword === 'pattern' && finding.params['pattern'] === NOT_BLANK)
  if (isTopLevel && isBlank) return REQUIRED_FIELD
  const where = isTopLevel ? '' : `${finding.instancePath.split('/').slice(2).join('/')} `
  const allowed = finding.params['allowedValues']
  const words = finding.keyword === 'pattern' ? PATTERN_WORDS.get(finding.params['pattern']) : undefined
  const message = Array.isArray(allowed)
    ? `must be one of ${allowed.join(', ')}`
    : (words ?? finding.message ?? 'is not valid')
  return `${where}${message}`
}

function requiredFields(part: InvalidPart): Record<string, string[]> {
  const value = typeof part.value === 'object' && part.value !== null ? part.value : {}
  const missing = part.requiredFields.filter((field) => !Object.hasOwn(value, field))
  return Object.fromEntries(missing.map((field) => [field, [REQUIRED_FIELD]]))
}
