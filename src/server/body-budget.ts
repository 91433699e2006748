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

/** How many bytes of bodies may be held. */
export interface BodyBudgetLimits {
  /** Bytes of all callers. */
  readonly maxBytes: number
  /** Bytes of one caller. */
  readonly maxCallerBytes: number
}

/**
 * Bodies announced as no longer than this are not counted: the bound on connections bounds them too, and counting would
 * cost the usual request more than it spares.
 */
const UNCOUNTED_BYTES = 16_384
/** What a body holds that is answered while it is read, whatever its length. */
const STREAMED_BYTES = 1_048_576
const RETRY_AFTER_SECONDS = 2

/** Counts the bytes of bodies from their arrival until their request is answered, or its caller has left. */
export class BodyBudget {
  readonly #limits: BodyBudgetLimits
  readonly #ofCaller = new Map<string, number>()
  #bytes = 0
  #refusedCount = 0

  constructor(limits: BodyBudgetLimits) {
    this.#limits = limits
  }

  /** Bytes that are held. */
  get bytes(): number {
    return this.#bytes
  }

  /** Bodies that were refused. */
  get refusedCount(): number {
    return this.#refusedCount
  }

  /**
   * Takes bytes of a body in, on top of `held` of the same body. A body that is alone may be of any size, as its route allows.
   * @throws {ServiceError} TOO_MANY_REQUESTS when its caller, OVERLOADED when all would hold too much; then nothing was taken
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

  /** Gives back what {@link take} took. */
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

/** Makes the budget that the settings ask for. */
export function bodyBudgetOf(config: Pick<Config, 'bodiesUnderWayBytes' | 'maxCallerPercent'>): BodyBudget {
  const { bodiesUnderWayBytes: maxBytes, maxCallerPercent } = config
  return new BodyBudget({ maxBytes, maxCallerBytes: (maxBytes * maxCallerPercent) / 100 })
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body is read no faster than it is answered, so that its bytes are not held. */
    readonly isBodyStreamed?: (request: FastifyRequest) => boolean
  }
}

/**
 * Counts the bodies of all routes, and asks for those that wait to be asked for (`Expect: 100-continue`): once its head is
 * found good, so that whoever is refused need not send it.
 * @param mayTake asked before a body is read that may be large. @throws {ServiceError} when there is no room for it
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
    // What its head alone forbids is refused by whoever would read it, and not asked for.
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
    // A reply that waits behind others of its connection does not hear of the end.
    socket.once('close', giveBack)
    done(null, isStreamed ? payload : meter.of(payload))
  })
}

/** Whether somebody reads bodies of this type. */
function isTypeRead({ headers, server }: FastifyRequest): boolean {
  const [mediaType = ''] = (headers['content-type'] ?? '').split(';', 1)
  return mediaType.includes('/') && server.hasContentTypeParser(mediaType.trim().toLowerCase())
}

/** Counts one body. */
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

  /** The body, which fails as soon as there is no room for more of it. */
  of(payload: Readable): Readable {
    const counted = new Transform({
      transform: (chunk: Uint8Array, _encoding, done) => {
        try {
          if (!this.#isOver) this.take(chunk.byteLength)
          done(null, chunk)
        } catch (error) {
          this.giveBack()
          payload.unpipe(counted)
          // Let it run out: a socket that is closed on unread bytes takes the reply with it.
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

  /** @throws {ServiceError} when there is no room for as many more */
  take(byteCount: number): void {
    this.#budget.take(this.#caller, byteCount, this.#held)
    this.#held += byteCount
  }
}
