/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { setTimeout as pause } from 'node:timers/promises'
import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel'
import { Agent, errors, request } from 'undici'
import { ServiceError, type ErrorCode, type ServiceErrorOptions } from '../errors.ts'
import { ServiceAwayError } from '../jobs/job.ts'
import type { CallerHeaders } from '../mentor/mentor-source.ts'
import { inClientSpan } from '../tracing/client-span.ts'

/** How to reach a GraphQL service; what is left out has its default. */
export interface GraphQlClientOptions {
  readonly endpoint: string
  /** Sent with every request; authenticates this service. */
  readonly secretHeader?: { readonly name: string; readonly value: string }
  /** How long an operation may take, retries included. @default 10000 */
  readonly timeoutMs?: number
  /** Longest reply; beyond it the operation fails. @default 64 MB */
  readonly maxReplyBytes?: number
  /** How long the circuit breaker stays open after {@link FAILURES_TO_OPEN} operations in a row failed. @default 5000 */
  readonly openMs?: number
}

/** An operation, and how to read its result. */
export interface GraphQlOperation<Result> {
  /** What it does, for error messages: `read the mentor`. */
  readonly action: string
  readonly document: string
  /** Queries are retried when the service fails; mutations are not, since they may have taken effect. */
  readonly kind: 'query' | 'mutation'
  /** @returns undefined when the data has another shape than the document asks for */
  readonly read: (data: unknown) => Result | undefined
}

/** Caller and time limit of one operation. */
export interface GraphQlCall {
  readonly caller?: CallerHeaders
  /** @default the client's */
  readonly timeoutMs?: number
}

/** Thrown when an operation of a {@link GraphQlClient} fails. */
export class GraphQlError extends ServiceError {
  /** Whether the service is unavailable, so that a later retry may succeed. */
  readonly isAway: boolean
  /** Whether the request was sent and may have taken effect. */
  readonly mayBeDone: boolean

  constructor(
    code: ErrorCode,
    message: string,
    { isAway, mayBeDone, ...options }: ServiceErrorOptions & { readonly isAway: boolean; readonly mayBeDone: boolean }
  ) {
    super(code, message, options)
    this.isAway = isAway
    this.mayBeDone = mayBeDone
  }
}

/** Maps the error of an operation to that of its job: a {@link ServiceAwayError} when the service is unavailable. */
export function jobErrorOf(error: unknown): unknown {
  return error instanceof GraphQlError && error.isAway ? new ServiceAwayError(error.message, { cause: error }) : error
}

/** Failures in a row that open the circuit breaker. */
const FAILURES_TO_OPEN = 10

const TIMEOUT_MS = 10_000
const MAX_REPLY_BYTES = 67_108_864
const OPEN_MS = 5000
/** Maximum number of tries of a query within its time limit. */
const MAX_QUERY_TRIES = 3
/** Upper bound of the first backoff; it doubles with every retry. */
const RETRY_BASE_MS = 100
const MAX_CONNECTIONS = 64
/** Shorter than the 60 s after which load balancers close idle connections. */
const KEEP_ALIVE_MS = 50_000
/** Error codes of GraphQL replies that may be shown; messages may quote what users typed. */
const SHOWN_CODE = /^[A-Z][A-Z0-9_]{0,63}$/

/**
 * Client of a GraphQL service over HTTP, with retries and a circuit breaker. An operation always ends within its time limit,
 * with its result or with a {@link GraphQlError} BAD_GATEWAY or DEADLINE_EXCEEDED. Messages never quote what was sent or
 * received.
 */
export class GraphQlClient {
  readonly #options: GraphQlClientOptions
  readonly #timeoutMs: number
  readonly #agent: Agent
  readonly #breaker

  constructor(options: GraphQlClientOptions) {
    this.#options = options
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS
    this.#agent = new Agent({
      connections: MAX_CONNECTIONS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxResponseSize: options.maxReplyBytes ?? MAX_REPLY_BYTES,
      // A new connection and a reply are bound by the time limit of an operation as well.
      connect: { timeout: this.#timeoutMs },
      headersTimeout: this.#timeoutMs,
      bodyTimeout: this.#timeoutMs
    })
    this.#breaker = circuitBreaker(
      handleWhen((error) => error instanceof GraphQlError && error.isAway),
      { breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN), halfOpenAfter: options.openMs ?? OPEN_MS }
    )
  }

  /**
   * Runs one operation.
   * @throws {GraphQlError} when it does not succeed in time
   */
  async run<Result>(
    operation: GraphQlOperation<Result>,
    variables: object,
    { caller = {}, timeoutMs = this.#timeoutMs }: GraphQlCall = {}
  ): Promise<Result> {
    const deadlineMs = performance.now() + timeoutMs
    // One operation probes the service. The breaker would make the others wait for it, perhaps beyond their time limit.
    if (this.#breaker.state === CircuitState.HalfOpen) throw this.#leftAlone(operation)
    try {
      return await this.#breaker.execute(() => this.#sendWithRetries(operation, variables, caller, deadlineMs))
    } catch (error) {
      throw error instanceof BrokenCircuitError ? this.#leftAlone(operation) : error
    }
  }

  /** Closes the connections; running operations fail. */
  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #sendWithRetries<Result>(
    operation: GraphQlOperation<Result>,
    variables: object,
    caller: CallerHeaders,
    deadlineMs: number
  ): Promise<Result> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#send(operation, variables, caller, deadlineMs)
      } catch (error) {
        const waitMs = Math.random() * RETRY_BASE_MS * 2 ** (tries - 1)
        const isWorthRetrying =
          operation.kind === 'query' &&
          tries < MAX_QUERY_TRIES &&
          error instanceof GraphQlError &&
          error.isAway &&
          performance.now() + waitMs < deadlineMs
        if (!isWorthRetrying) throw error
        await pause(waitMs)
      }
    }
  }

  async #send<Result>(
    operation: GraphQlOperation<Result>,
    variables: object,
    caller: CallerHeaders,
    deadlineMs: number
  ): Promise<Result> {
    const { endpoint, secretHeader } = this.#options
    const { statusCode, text } = await inClientSpan('POST', endpoint, async (trace) => {
      try {
        const reply = await request(endpoint, {
          method: 'POST',
          dispatcher: this.#agent,
          headers: {
            accept: 'application/json',
            'content-type': 'application/json',
            'user-agent': 'sbert-service',
            ...trace,
            ...(caller.authorization !== undefined && { authorization: caller.authorization }),
            ...(caller.externalOrigin !== undefined && { 'custom-external-origin': caller.externalOrigin }),
            ...(secretHeader !== undefined && { [secretHeader.name]: secretHeader.value })
          },
          body: JSON.stringify({ query: operation.document, variables }),
          signal: AbortSignal.timeout(Math.max(1, Math.ceil(deadlineMs - performance.now())))
        })
        return { statusCode: reply.statusCode, text: await reply.body.text() }
      } catch (error) {
        throw transportError(operation, error)
      }
    })
    return resultOf(operation, statusCode, text)
  }

  #leftAlone(operation: GraphQlOperation<unknown>): GraphQlError {
    const openMs = this.#options.openMs ?? OPEN_MS
    return new GraphQlError(
      'BAD_GATEWAY',
      `Cannot ${operation.action}: the GraphQL service failed ${FAILURES_TO_OPEN} times in a row and is left alone for some seconds`,
      { isAway: true, mayBeDone: false, retryAfterSeconds: Math.max(1, Math.ceil(openMs / 1000)) }
    )
  }
}

/** Errors of a connection that was never made. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT'
])

function transportError({ action }: GraphQlOperation<unknown>, error: unknown): GraphQlError {
  if (error instanceof errors.ResponseExceededMaxSizeError) {
    return new GraphQlError('BAD_GATEWAY', `Cannot ${action}: the reply of the GraphQL service is too long`, {
      isAway: false,
      mayBeDone: true
    })
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const isTimeout =
    (error instanceof DOMException && error.name === 'TimeoutError') ||
    error instanceof errors.ConnectTimeoutError ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError
  const [errorCode, found]: [ErrorCode, string] = isTimeout
    ? ['DEADLINE_EXCEEDED', 'did not answer in time']
    : NOT_SENT.has(code)
      ? ['BAD_GATEWAY', 'cannot be reached']
      : ['BAD_GATEWAY', 'broke the connection off']
  return new GraphQlError(errorCode, `Cannot ${action}: the GraphQL service ${found}`, {
    cause: error,
    isAway: true,
    mayBeDone: !NOT_SENT.has(code)
  })
}

function resultOf<Result>(operation: GraphQlOperation<Result>, statusCode: number, text: string): Result {
  const { action } = operation
  const failed = (found: string, isAway: boolean) =>
    new GraphQlError('BAD_GATEWAY', `Cannot ${action}: the GraphQL service ${found}`, {
      isAway,
      mayBeDone: statusCode === 200 || statusCode >= 500
    })
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    throw failed(`answered ${statusCode}, and not with JSON`, true)
  }
  const problems = errorsIn(body)
  if (problems.length > 0) {
    const codes = [...new Set(problems.flatMap(shownCodes))].join(', ')
    const found = `answered ${statusCode} with ${problems.length} error(s)${codes === '' ? '' : `: ${codes}`}`
    throw failed(found, statusCode >= 500)
  }
  if (statusCode !== 200) throw failed(`answered ${statusCode}`, statusCode >= 500 || statusCode === 429)
  const data = typeof body === 'object' && body !== null && 'data' in body ? body.data : undefined
  const result = operation.read(data)
  if (result === undefined) throw failed('answered with data of another shape', false)
  return result
}

function errorsIn(body: unknown): readonly unknown[] {
  if (typeof body !== 'object' || body === null || !('errors' in body) || body.errors === null) return []
  return Array.isArray(body.errors) ? body.errors : [body.errors]
}

function shownCodes(problem: unknown): string[] {
  const extensions = typeof problem === 'object' && problem !== null && 'extensions' in problem && problem.extensions
  const code = typeof extensions === 'object' && extensions !== null && 'code' in extensions && extensions.code
  return typeof code === 'string' && SHOWN_CODE.test(code) ? [code] : []
}
