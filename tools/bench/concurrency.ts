/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Claim: throughput holds, and latency grows no faster than the number of clients, where other servers saturate early.
 *
 *     npm run bench -- concurrency
 */

import { parseArgs } from 'node:util'
import { LoadGenerator } from './load/run-load.ts'
import { API_KEY, startContestants } from './peers/contestants.ts'
import type { ConcurrencyResult } from './report/concurrency.ts'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '3' }, only: { type: 'string' } } })
const CLIENT_COUNTS = [1, 2, 4, 8, 16, 32, 64]
const WARM_UP_MS = 1000
const secondsPerCase = Number(values.seconds)

await using field = await startContestants(values.only?.split(','))
using load = new LoadGenerator()
const servers = new Map(
  field.started.map(({ contestant: { name, title } }) => [
    name,
    { name, title, points: [] as ConcurrencyResult['servers'][number]['points'], nextTextIndex: 0 }
  ])
)
for (const clientCount of CLIENT_COUNTS) {
  for (const { contestant, server } of field.started) {
    const found = servers.get(contestant.name)
    if (found === undefined) continue
    const measurement = await load.run(
      {
        origin: server.origin,
        target: { kind: contestant.requestKind, firstTextIndex: found.nextTextIndex },
        headers: { authorization: `Bearer ${API_KEY}` },
        clientCount,
        pipelining: 1,
        warmUpMs: WARM_UP_MS,
        durationMs: secondsPerCase * 1000,
        maxRequests: Number.MAX_SAFE_INTEGER
      },
      server.processGroup
    )
    const { requestsPerSecond, latencyMs } = measurement
    found.nextTextIndex = measurement.nextTextIndex
    found.points.push({ clientCount, requestsPerSecond, p50Ms: latencyMs.p50, p95Ms: latencyMs.p95 })
    process.stderr.write(
      `bench: ${clientCount} clients: ${contestant.title}: ${requestsPerSecond.toFixed(1)} requests/s\n`
    )
  }
}
const result: ConcurrencyResult = {
  secondsPerCase,
  servers: [...servers.values()].map(({ name, title, points }) => ({ name, title, points }))
}
process.stdout.write(`${JSON.stringify(result)}\n`)
