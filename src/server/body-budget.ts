/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Transform, type Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from '../config/settings.ts'
import { ServiceError } from '../errors.ts'
import { callerKey } from './auth.ts'
import { brokenBody } from './request-head.ts'

/** Limits on the bytes of request bodies in memory. */
export interface BodyBudgetLimits {
  /** Bytes of all callers together. */
  readonly maxBytes: number
  /** Bytes of one caller. */
  readonly maxCallerBytes: number
}

/**
 * Bodies announced with at most this length are not counted: the limit on connections bounds them too, and counting would
 * cost a typical request more than it saves.
 */
const UNCOUNTED_BYTES = 16_384
/** Bytes counted for a body that is answered while it is read, whatever its length. */
const STREAMED_BYTES = 1_048_576
const RETRY_AFTER_SECONDS = 2

/** Limits the bytes of bodies in memory, counted from their arrival until the request is answered or the caller has left. */
export class BodyBudget {
  readonly #limits: BodyBudgetLimits
  readonly #ofCaller = new Map<string, number>()
  #bytes = 0
  #refusedCount = 0

  constructor(limits: BodyBudgetLimits) {
    this.#limits = limits
  }

  /** Bytes in memory. */
  get bytes(): number {
    return this.#bytes
  }

  /** Bodies that were refused. */
  get refusedCount(): number {
    return this.#refusedCount
  }

  /**
   * Counts more bytes of a body of which `held` are counted already. A body that is alone may be as large as its route allows.
   * @throws {ServiceError} TOO_MANY_REQUESTS beyond the caller's limit, OVERLOADED beyond the limit of all; then nothing was
   *   counted
   */
  take(caller: string, byteCount: number, held: number): void {
    const ofCaller = this.#ofCaller.get(caller) ?? 0
    if (ofCaller > held && ofCaller + byteCount > this.#limits.maxCallerBytes) {
      throw this.#refusal('TOO_MANY_REQUESTS', 'this caller has as many bytes of bodies under way as it may')
    }
    if (this.#bytes > held && this.#bytes + byteCount > this.#limits.maxBytes) {
      throw this.#refusal('OVERLOADED', 'as many bytes of bodies are under way as may be')
    }
    this.#book(caller, byteCount)
  }

  /** Uncounts bytes of {@link take}. */
  giveBack(caller: string, byteCount: number): void {
    this.#book(caller, -byteCount)
  }

  #book(caller: string, byteCount: number): void {
    const after = (this.#ofCaller.get(caller) ?? 0) + byteCount
    if (after > 0) this.#ofCaller.set(caller, after)
    else this.#ofCaller.delete(caller)
    this.#bytes += byteCount
  }

  #refusal(code: 'TOO_MANY_REQUESTS' | 'OVERLOADED', found: string): ServiceError {
    this.#refusedCount += 1
    return new ServiceError(code, `Cannot read the body: ${found}`, { retryAfterSeconds: RETRY_AFTER_SECONDS })
  }
}

/** Creates the budget from the settings. */
export function bodyBudgetOf(config: Pick<Config, 'bodiesUnderWayBytes' | 'maxCallerPercent'>): BodyBudget {
  const { bodiesUnderWayBytes: maxBytes, maxCallerPercent } = config
  return new BodyBudget({ maxBytes, maxCallerBytes: (maxBytes * maxCallerPercent) / 100 })
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the body is read no faster than it is answered, so that it is never in memory as a whole. */
    readonly isBodyStreamed?: (request: FastifyRequest) => boolean
  }
}

/**
 * Counts the bodies of all routes, and answers `Expect: 100-continue` once the head of a request is accepted, so that a
 * refused caller need not send the body.
 * @param mayTake called before a large body is read; throws a ServiceError when there is no memory for it
 */
export function addBodyBudget(app: FastifyInstance, budget: BodyBudget, mayTake: () => void): void {
  app.addHook('preParsing', (request, reply, payload, done) => {
    const { 'content-length': announced, 'transfer-encoding': coding } = request.headers
    const length = coding === undefined ? Number(announced ?? 0) : Number.POSITIVE_INFINITY
    const broken = brokenBody(request.raw)
    if (broken !== undefined) {
      done(broken)
      return
    }
    // A body that is too long by its head is refused by Fastify's parser, without a `100 Continue`.
    if (length > (request.routeOptions.bodyLimit ?? length) && coding === undefined) {
      done(null, payload)
      return
    }
    const isLarge = length > UNCOUNTED_BYTES
    try {
      if (isLarge) mayTake()
    } catch (error) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- mayTake throws nothing else
      done(error as ServiceError)
      return
    }
    if (request.headers.expect !== undefined && isTypeRead(request)) reply.raw.writeContinue()
    if (!isLarge) {
      done(null, payload)
      return
    }
    const caller = request.caller === undefined ? '' : callerKey(request.caller)
    const meter = new BodyMeter(budget, caller)
    const isStreamed = request.routeOptions.config.isBodyStreamed?.(request) === true
    try {
      if (isStreamed) meter.take(STREAMED_BYTES)
    } catch (error) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- take throws nothing else
      done(error as ServiceError)
      return
    }
    const { socket } = request.raw
    const giveBack = (): void => {
      meter.giveBack()
      socket.removeListener('close', giveBack)
    }
    reply.raw.once('close', giveBack)
    // A reply that waits behind others of its connection does not emit `close` when the connection ends.
    socket.once('close', giveBack)
    done(null, isStreamed ? payload : meter.of(payload))
  })
}

/** Whether a parser is registered for the body's type. */
function isTypeRead({ headers, server }: FastifyRequest): boolean {
  const [mediaType = ''] = (headers['content-type'] ?? '').split(';', 1)
  return mediaType.includes('/') && server.hasContentTypeParser(mediaType.trim().toLowerCase())
}

/** Counts the bytes of one body. */
class BodyMeter {
  readonly #budget: BodyBudget
  readonly #caller: string
  #held = 0
  #isOver = false

  constructor(budget: BodyBudget, caller: string) {
    this.#budget = budget
    this.#caller = caller
  }

  giveBack(): void {
    this.#budget.giveBack(this.#caller, this.#held)
    this.#held = 0
    this.#isOver = true
  }

  /** Wraps the body in a stream that fails as soon as the budget is exceeded. */
  of(payload: Readable): Readable {
    const counted = new Transform({
      transform: (chunk: Uint8Array, _encoding, done) => {
        try {
          if (!this.#isOver) this.take(chunk.byteLength)
          done(null, chunk)
        } catch (error) {
          this.giveBack()
          payload.unpipe(counted)
          // Reads the rest: closing a socket with unread bytes would lose the reply.
          payload.resume()
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- take throws nothing else
          done(error as ServiceError)
        }
      }
    })
    payload.on('error', (error) => counted.destroy(error))
    payload.once('close', () => {
      if (!payload.readableEnded) counted.destroy()
    })
    return payload.pipe(counted)
  }

  /** Counts more bytes. @throws {ServiceError} when the budget is exceeded */
  take(byteCount: number): void {
    this.#budget.take(this.#caller, byteCount, this.#held)
    this.#held += byteCount
  }
}
