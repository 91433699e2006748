/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { groupUsage, machineCpuSeconds, type ProcessUsage } from '../measure/process-usage.ts'
import type { Load, LoadMessage, LoadResult } from './load-generator.ts'

/** A load test's figures and its use of the machine. Processor shares are of one core: 1 is one core's whole time. */
export interface LoadMeasurement extends LoadResult {
  readonly requestsPerSecond: number
  readonly serverCpuShare: number
  readonly clientCpuShare: number
  /** CPU share of everything else on the machine: idle servers, other processes. */
  readonly otherCpuShare: number
  /** The greatest of some samples; shared pages count once for each process. */
  readonly serverRssBytes: number
}

const RSS_SAMPLE_INTERVAL_MS = 200

/** The process that simulates the clients, for any number of loads, one after the other. */
export class LoadGenerator implements Disposable {
  readonly #child: ChildProcess

  constructor() {
    this.#child = fork(new URL('load-generator.ts', import.meta.url), {
      serialization: 'advanced',
      stdio: ['ignore', 2, 2, 'ipc']
    })
  }

  /**
   * Puts a server under load.
   * @param processGroup the server's
   * @param whileCounting runs beside, from when warming up is over
   */
  async run(load: Load, processGroup: number, whileCounting?: () => Promise<void>): Promise<LoadMeasurement> {
    this.#child.send(load)
    await this.#message('counting')
    const before = groupUsage(processGroup)
    const machineBefore = machineCpuSeconds()
    const beganMs = performance.now()
    let rssBytes = before.rssBytes
    const sampler = setInterval(() => {
      rssBytes = Math.max(rssBytes, groupUsage(processGroup).rssBytes)
    }, RSS_SAMPLE_INTERVAL_MS)
    const [result] = await Promise.all([this.#message('done'), whileCounting?.()])
    clearInterval(sampler)
    if (result.type !== 'done') throw new Error('The load ended without a result: this is a bug')
    const seconds = (performance.now() - beganMs) / 1000
    return measurementOf(result.result, before, groupUsage(processGroup), {
      seconds,
      machineCpuSeconds: machineCpuSeconds() - machineBefore,
      rssBytes
    })
  }

  [Symbol.dispose](): void {
    this.#child.disconnect()
  }

  async #message(type: LoadMessage['type']): Promise<LoadMessage> {
    const abort = new AbortController()
    try {
      for (;;) {
        const [message]: LoadMessage[] = await Promise.race([
          once(this.#child, 'message', { signal: abort.signal }),
          once(this.#child, 'exit', { signal: abort.signal }).then(() => {
            throw new Error('The load generator ended before the load did')
          })
        ])
        if (message?.type === type) return message
      }
    } finally {
      abort.abort()
    }
  }
}

function measurementOf(
  result: LoadResult,
  before: ProcessUsage,
  after: ProcessUsage,
  machine: { readonly seconds: number; readonly machineCpuSeconds: number; readonly rssBytes: number }
): LoadMeasurement {
  const serverCpuShare = (after.cpuSeconds - before.cpuSeconds) / machine.seconds
  const clientCpuShare = result.cpuSeconds / result.seconds
  return {
    ...result,
    requestsPerSecond: result.requestCount / result.seconds,
    serverCpuShare,
    clientCpuShare,
    otherCpuShare: Math.max(0, machine.machineCpuSeconds / machine.seconds - serverCpuShare - clientCpuShare),
    serverRssBytes: Math.max(machine.rssBytes, after.rssBytes)
  }
}
