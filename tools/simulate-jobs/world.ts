/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ServiceError } from '../../src/errors.ts'
import type { Clock } from '../../src/jobs/job-backend.ts'
import type { Timers } from '../../src/jobs/timers.ts'
import type { Random } from './random.ts'

interface Event {
  readonly atMs: number
  /** Random order of events that are due at the same time. */
  readonly order: number
  act: (() => void) | undefined
}

/** Maximum latency of a request or a reply without faults. */
const LATENCY_MS = 20
/** Probability that a request or its reply is lost while faults are on. */
const LOSS = 0.01

/**
 * Simulated time with its events: no schedule waits for a real clock. Events that are due at once run in random order.
 */
export class World {
  readonly random: Random
  nowMs = 0
  areFaultsOn = true
  #events: Event[] = []
  #broken: Error | undefined

  constructor(random: Random) {
    this.random = random
  }

  /** @returns how to cancel it */
  after(ms: number, act: () => void): () => void {
    const event: Event = { atMs: this.nowMs + Math.max(0, ms), order: this.random.next(), act }
    const index = this.#events.findLastIndex((each) => !isBefore(each, event))
    // Latest first, so that the next event is the last of the list; most new events are due soon and so are near its
    // end.
    this.#events.splice(index + 1, 0, event)
    return () => {
      event.act = undefined
    }
  }

  /** Stops the schedule: a promise is broken. */
  fail(broken: unknown): void {
    this.#broken ??= broken instanceof Error ? broken : new Error(String(broken))
  }

  /**
   * Lets everything happen in turn, until `isOver`.
   * @returns whether it came to that in time
   * @throws what {@link World.fail} was told
   */
  async run(untilMs: number, isOver: () => boolean): Promise<boolean> {
    while (!isOver()) {
      const next = this.#events.at(-1)
      if (next === undefined || next.atMs > untilMs) return false
      this.#events.pop()
      if (next.act === undefined) continue
      this.nowMs = next.atMs
      next.act()
      await quiet()
      if (this.#broken !== undefined) throw this.#broken
    }
    return true
  }

  latencyMs(): number {
    return this.random.below(LATENCY_MS)
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

/** Resolves when all pending promise callbacks have run. */
async function quiet(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve)
  })
}

/** A process of the simulation: it may stall or be killed, and its clock may be wrong. */
export class SimulatedProcess implements Clock, Timers {
  readonly #world: World
  readonly #skewMs: number
  #isAlive = true
  #stalledUntilMs = 0

  constructor(world: World) {
    this.#world = world
    this.#skewMs = world.random.below(4000) - 2000
  }

  wallMs(): number {
    return 1_800_000_000_000 + Math.floor(this.#world.nowMs) + this.#skewMs
  }

  monotonicMs(): number {
    return this.#world.nowMs
  }

  /** Kills the process in the middle of whatever it does; requests that it has sent still arrive. */
  kill(): void {
    this.#isAlive = false
  }

  /** Stalls the process, as a garbage collection or a paused machine does; afterwards it goes on. */
  stall(ms: number): void {
    this.#stalledUntilMs = this.#world.nowMs + ms
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return undefined
    return new Promise((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener('abort', wake)
        cancel()
        this.#go(resolve)
      }
      const cancel = this.#world.after(ms, wake)
      signal?.addEventListener('abort', wake, { once: true })
    })
  }

  /** Asks a service that answers at once. */
  async call<T>(work: () => T): Promise<T> {
    return this.request<T>((reply) => reply(work()))
  }

  /**
   * Calls a service with latency. Request or reply may be lost: the result is then 503, although the call may have been
   * done.
   */
  async request<T>(serve: (reply: (value: T) => void) => void): Promise<T> {
    const world = this.#world
    return new Promise<T>((resolve, reject) => {
      if (!this.#isAlive) return
      const lose = (): void => this.#go(() => reject(new ServiceError('UNAVAILABLE', 'Cannot reach the service')))
      const reply = (value: T): void => {
        world.after(world.latencyMs(), () => (this.#isLost() ? lose() : this.#go(() => resolve(value))))
      }
      world.after(world.latencyMs(), () => {
        if (this.#isLost()) lose()
        else serve(reply)
      })
    })
  }

  #isLost(): boolean {
    return this.#world.areFaultsOn && this.#world.random.chance(LOSS)
  }

  #go(act: () => void): void {
    if (!this.#isAlive) return
    const waitMs = this.#stalledUntilMs - this.#world.nowMs
    if (waitMs > 0) this.#world.after(waitMs, () => this.#go(act))
    else act()
  }
}
