/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Client } from 'undici'

/** A call of the function. */
export interface Invocation {
  /** AWS's id of the call, as in its logs. */
  readonly requestId: string
  /** When the call times out, in milliseconds since 1970. */
  readonly deadlineMs: number
  readonly event: unknown
}

/** Answers a call with a JSON document; an exception becomes the call's error. */
export type InvocationHandler = (invocation: Invocation) => Promise<string>

const PREFIX = '/2018-06-01/runtime'
/** Above the largest event that Lambda sends, base64 and escapes included. */
const MAX_EVENT_BYTES = 16 * 1024 * 1024
/** Time limit of posting an outcome. Waiting for the next call has none, since the process may be frozen meanwhile. */
const POST_DEADLINE_MS = 30_000

/**
 * Client of AWS Lambda's runtime API, for a function whose image brings its own runtime: gets the next call, passes it to the
 * handler and posts the outcome, one call after the other.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export class LambdaRuntime {
  readonly #client: Client

  /** @param address host and port, from `AWS_LAMBDA_RUNTIME_API` */
  constructor(address: string) {
    this.#client = new Client(`http://${address}`, {
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: MAX_EVENT_BYTES
    })
  }

  /**
   * Serves calls until the signal aborts; a call in progress is finished first.
   * @throws {Error} when Lambda reports a broken environment or cannot be reached; then the process should end
   */
  async run(handle: InvocationHandler, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const invocation = await this.#next(signal)
      if (invocation === undefined) return
      const path = `${PREFIX}/invocation/${encodeURIComponent(invocation.requestId)}`
      let reply: string
      try {
        reply = await handle(invocation)
      } catch (error) {
        await this.#post(`${path}/error`, errorDocument(error), { 'lambda-runtime-function-error-type': typeOf(error) })
        continue
      }
      await this.#post(`${path}/response`, reply)
    }
  }

  /** Reports that the function cannot start: the call that waits for it fails with this error. Then the process should end. */
  async reportInitError(error: unknown): Promise<void> {
    await this.#post(`${PREFIX}/init/error`, errorDocument(error), {
      'lambda-runtime-function-error-type': typeOf(error)
    })
  }

  async close(): Promise<void> {
    await this.#client.close()
  }

  async #next(signal: AbortSignal): Promise<Invocation | undefined> {
    try {
      const { statusCode, headers, body } = await this.#client.request({
        method: 'GET',
        path: `${PREFIX}/invocation/next`,
        signal
      })
      const text = await body.text()
      const requestId = headers['lambda-runtime-aws-request-id']
      if (statusCode !== 200 || typeof requestId !== 'string') {
        throw new Error(`Cannot get the next call from Lambda: it answered ${statusCode}`)
      }
      return { requestId, deadlineMs: Number(headers['lambda-runtime-deadline-ms']), event: JSON.parse(text) }
    } catch (error) {
      if (signal.aborted) return undefined
      throw error
    }
  }

  /** Posts an outcome. When Lambda refuses it as too large or too late, Lambda tells the caller; only 5xx is an error here. */
  async #post(path: string, json: string, headers: Record<string, string> = {}): Promise<void> {
    const { statusCode, body } = await this.#client.request({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json', ...headers },
      body: json,
      signal: AbortSignal.timeout(POST_DEADLINE_MS)
    })
    await body.dump()
    if (statusCode >= 500) throw new Error(`Cannot tell Lambda an outcome: it answered ${statusCode}`)
  }
}

/** The JSON document of an error for the function's caller. */
function errorDocument(error: unknown): string {
  const errorMessage = error instanceof Error ? error.message : String(error)
  return JSON.stringify({ errorType: typeOf(error), errorMessage })
}

function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'Error'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
