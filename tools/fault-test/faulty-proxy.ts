/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

/** What can go wrong with the replies of a service of AWS. */
export const AWS_FAULTS = {
  slow: 'answers two seconds late',
  silent: 'never answers',
  error: 'answers 500',
  throttled: 'says that there are too many requests',
  half: 'does what was asked, and breaks off in the middle of the reply',
  closed: 'closes the connection without a reply'
} as const
export type AwsFault = keyof typeof AWS_FAULTS

/** How each service says that there are too many requests. */
const THROTTLED = {
  sqs: {
    status: 400,
    type: 'application/x-amz-json-1.0',
    body: '{"__type":"com.amazonaws.sqs#RequestThrottled","message":"slower"}'
  },
  dynamodb: {
    status: 400,
    type: 'application/x-amz-json-1.0',
    body: '{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slower"}'
  },
  s3: {
    status: 503,
    type: 'application/xml',
    body: '<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>slower</Message></Error>'
  }
} as const
export type AwsService = keyof typeof THROTTLED

const LATE_MS = 2000

/** A proxy of an AWS emulator that injects faults on request. */
export class FaultyProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #target: URL
  readonly #service: AwsService
  #fault: AwsFault | undefined
  /** Requests that went wrong. */
  faultCount = 0

  private constructor(target: string, service: AwsService) {
    this.#target = new URL(target)
    this.#service = service
    this.#server = createServer((asked, reply) => {
      this.#answer(asked, reply).catch(() => reply.destroy())
    })
  }

  static async listen(target: string, service: AwsService): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target, service)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get url(): string {
    const address = this.#server.address()
    assert(typeof address === 'object' && address !== null)
    return `http://127.0.0.1:${address.port}`
  }

  /** Sets or clears the fault. Requests that hang are released. */
  fail(fault?: AwsFault): void {
    this.#fault = fault
    this.#server.closeAllConnections()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }

  async #answer(asked: IncomingMessage, reply: ServerResponse): Promise<void> {
    const fault = this.#fault
    const body = await buffer(asked)
    if (fault !== undefined) this.faultCount += 1
    if (fault === 'silent') return
    if (fault === 'closed') {
      reply.destroy()
      return
    }
    if (fault === 'error') {
      reply.writeHead(500).end()
      return
    }
    if (fault === 'throttled') {
      const { status, type, body: told } = THROTTLED[this.#service]
      reply.writeHead(status, { 'content-type': type }).end(told)
      return
    }
    if (fault === 'slow') await sleep(LATE_MS)
    const { status, headers, bytes } = await this.#forward(asked, body, reply)
    reply.writeHead(status, headers)
    if (fault !== 'half') {
      reply.end(bytes)
      return
    }
    // A reply without a body has its head cut.
    if (bytes.length > 1) reply.write(bytes.subarray(0, bytes.length / 2), () => reply.destroy())
    else reply.destroy()
  }

  async #forward(asked: IncomingMessage, body: Buffer, reply: ServerResponse) {
    const { hostname, port } = this.#target
    const { method, url: path, headers } = asked
    const forwarded = request({ hostname, port, method, path, headers })
    // A client that leaves while it waits for messages must receive none.
    reply.once('close', () => forwarded.destroy())
    forwarded.end(body)
    const [answered]: IncomingMessage[] = await once(forwarded, 'response')
    assert(answered !== undefined)
    const bytes = await buffer(answered)
    const { 'transfer-encoding': _chunked, ...rest } = answered.headers
    return { status: answered.statusCode ?? 500, headers: rest, bytes }
  }
}
