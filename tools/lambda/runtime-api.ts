/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

/** How a call of a function ended. */
export type InvocationOutcome =
  | { readonly outcome: 'reply'; readonly value: unknown }
  | { readonly outcome: 'error'; readonly errorType: string; readonly errorMessage: string }

/** Options of {@link RuntimeApi}. */
export interface RuntimeApiOptions {
  /** How long a call may take. @default 30000 */
  readonly timeoutMs?: number
}

interface WaitingCall {
  readonly requestId: string
  readonly event: string
  readonly ended: PromiseWithResolvers<InvocationOutcome>
}

const PATH = /^\/2018-06-01\/runtime\/(?:invocation\/(?<requestId>[^/]+)\/(?<outcome>response|error)|init\/error)$/
/** Maximum size of a reply in Lambda. */
const MAX_REPLY_BYTES = 6 * 1024 * 1024

/**
 * The runtime API of AWS Lambda, over HTTP on this machine. A function's process finds its address in
 * `AWS_LAMBDA_RUNTIME_API`.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export class RuntimeApi {
  readonly #server: Server
  readonly #timeoutMs: number
  readonly #waiting: WaitingCall[] = []
  readonly #running = new Map<string, WaitingCall>()
  readonly #initError = Promise.withResolvers<InvocationOutcome>()
  #asking: ServerResponse | undefined
  #lastReply = ''

  private constructor(server: Server, timeoutMs: number) {
    this.#server = server
    this.#timeoutMs = timeoutMs
  }

  static async listen({ timeoutMs = 30_000 }: RuntimeApiOptions = {}): Promise<RuntimeApi> {
    const server = createServer()
    const api = new RuntimeApi(server, timeoutMs)
    server.on('request', (request, response) => void api.#reply(request, response))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return api
  }

  /** Host and port. */
  get address(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('The runtime API does not listen')
    return `127.0.0.1:${address.port}`
  }

  /** The last reply, unparsed. */
  get lastReply(): string {
    return this.#lastReply
  }

  /** How the start of the function failed; never settles when it does not. */
  get initError(): Promise<InvocationOutcome> {
    return this.#initError.promise
  }

  /** Invokes the function as soon as it asks for the next event. */
  async invoke(event: unknown): Promise<InvocationOutcome> {
    const call = {
      requestId: randomUUID(),
      event: JSON.stringify(event),
      ended: Promise.withResolvers<InvocationOutcome>()
    }
    this.#waiting.push(call)
    this.#handOut()
    return call.ended.promise
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #reply(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET' && request.url === '/2018-06-01/runtime/invocation/next') {
      this.#asking = response
      this.#handOut()
      return
    }
    const { requestId = '', outcome } = PATH.exec(request.url ?? '')?.groups ?? {}
    const body = await bodyOf(request)
    if (request.url?.endsWith('/init/error') === true) {
      this.#initError.resolve(errorOutcome(body))
      response.writeHead(202).end('{"status":"OK"}')
      return
    }
    const call = this.#running.get(requestId)
    this.#running.delete(requestId)
    if (call === undefined) {
      response.writeHead(403).end('{"errorType":"InvalidRequestID"}')
    } else if (body.length > MAX_REPLY_BYTES) {
      const error = { errorType: 'Function.ResponseSizeTooLarge', errorMessage: `The reply has ${body.length} bytes` }
      call.ended.resolve({ outcome: 'error', ...error })
      response.writeHead(413).end(JSON.stringify(error))
    } else {
      this.#lastReply = body.toString()
      call.ended.resolve(
        outcome === 'error' ? errorOutcome(body) : { outcome: 'reply', value: JSON.parse(body.toString()) }
      )
      response.writeHead(202).end('{"status":"OK"}')
    }
  }

  #handOut(): void {
    const response = this.#asking
    if (response === undefined) return
    const call = this.#waiting.shift()
    if (call === undefined) return
    this.#asking = undefined
    this.#running.set(call.requestId, call)
    response
      .writeHead(200, {
        'content-type': 'application/json',
        'lambda-runtime-aws-request-id': call.requestId,
        'lambda-runtime-deadline-ms': String(Date.now() + this.#timeoutMs),
        'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:us-east-1:000000000000:function:local'
      })
      .end(call.event)
  }
}

function errorOutcome(body: Buffer): InvocationOutcome {
  const { errorType, errorMessage }: { errorType: string; errorMessage: string } = JSON.parse(body.toString())
  return { outcome: 'error', errorType, errorMessage }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}
