/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Claim: at full load the service answers health checks within milliseconds, and its memory stays small.
 *
 *     npm run bench -- full-load
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Client, request } from 'undici'
import { LoadGenerator } from './load/run-load.ts'
import { percentile } from './measure/statistics.ts'
import { API_KEY, ourProgram } from './peers/contestants.ts'
import { freePort, ServerProcess } from './peers/server-process.ts'
import type { FullLoadResult } from './report/full-load.ts'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '15' } } })
const CLIENT_COUNTS = [10, 64]
const HEALTH_INTERVAL_MS = 10
const seconds = Number(values.seconds)

const metricsPort = await freePort()
await using server = await ServerProcess.start((port) => ourProgram(port, { METRICS_PORT: String(metricsPort) }))
using load = new LoadGenerator()
const cases: FullLoadResult['cases'] = []
let firstTextIndex = 0
for (const clientCount of CLIENT_COUNTS) {
  const healthMs: number[] = []
  let eventLoopDelayP99Ms: number | undefined
  const measurement = await load.run(
    {
      origin: server.origin,
      target: { kind: 'get', firstTextIndex },
      headers: { authorization: `Bearer ${API_KEY}` },
      clientCount,
      pipelining: 1,
      warmUpMs: 2000,
      durationMs: seconds * 1000,
      maxRequests: Number.MAX_SAFE_INTEGER
    },
    server.processGroup,
    async () => {
      await readEventLoopDelayP99Ms(metricsPort) // What is told next is of the time since.
      const client = new Client(server.origin)
      const endMs = performance.now() + (seconds - 1) * 1000
      while (performance.now() < endMs) {
        const sentMs = performance.now()
        const { statusCode, body } = await client.request({ method: 'GET', path: '/health/live' })
        await body.dump()
        if (statusCode !== 200) throw new Error(`/health/live answered ${statusCode} at full load`)
        healthMs.push(performance.now() - sentMs)
        await sleep(HEALTH_INTERVAL_MS)
      }
      eventLoopDelayP99Ms = await readEventLoopDelayP99Ms(metricsPort)
      await client.close()
    }
  )
  firstTextIndex = measurement.nextTextIndex
  const sorted = healthMs.toSorted((a, b) => a - b)
  cases.push({
    clientCount,
    load: measurement,
    health: {
      count: sorted.length,
      p50Ms: percentile(sorted, 0.5),
      p99Ms: percentile(sorted, 0.99),
      maxMs: percentile(sorted, 1)
    },
    ...(eventLoopDelayP99Ms === undefined ? {} : { eventLoopDelayP99Ms })
  })
}
const result: FullLoadResult = { cases }
process.stdout.write(`${JSON.stringify(result)}\n`)

/** The 99th percentile of the main thread's delay, of the service's metrics; nothing where they do not tell it. */
async function readEventLoopDelayP99Ms(port: number): Promise<number | undefined> {
  try {
    const { body } = await request(`http://127.0.0.1:${port}/metrics`)
    const text = await body.text()
    const seconds99 = /^\w*event_loop_delay_seconds\{[^}]*quantile="0\.99"[^}]*\} (\S+)$/m.exec(text)?.[1]
    return seconds99 === undefined ? undefined : Number(seconds99) * 1000
  } catch {
    return undefined // No metrics on that port.
  }
}
