/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Claim: memory does not grow with the number of requests served.
 *
 *     npm run bench -- soak
 */

import { parseArgs } from 'node:util'
import { LoadGenerator } from './load/run-load.ts'
import { groupUsage } from './measure/process-usage.ts'
import { API_KEY, ourProgram } from './peers/contestants.ts'
import { ServerProcess } from './peers/server-process.ts'
import type { SoakResult } from './report/soak.ts'

const { values } = parseArgs({ options: { requests: { type: 'string', default: '200000' } } })
const CLIENT_COUNT = 10
const TENTH_COUNT = 10
/** The default of the service, set here so that the report tells what was run. */
const REPLY_CACHE_BYTES = 67_108_864
const requestsOfTenth = Math.ceil(Number(values.requests) / TENTH_COUNT)

await using server = await ServerProcess.start((port) =>
  ourProgram(port, { REPLY_CACHE_BYTES: String(REPLY_CACHE_BYTES) })
)
using load = new LoadGenerator()
const tenths: SoakResult['tenths'] = []
let requestCount = 0
let failureCount = 0
let firstTextIndex = 0
const beganMs = performance.now()
for (let tenth = 1; tenth <= TENTH_COUNT; tenth += 1) {
  const measurement = await load.run(
    {
      origin: server.origin,
      target: { kind: 'get', firstTextIndex },
      headers: { authorization: `Bearer ${API_KEY}` },
      clientCount: CLIENT_COUNT,
      pipelining: 1,
      warmUpMs: 0,
      durationMs: Number.POSITIVE_INFINITY,
      maxRequests: requestsOfTenth
    },
    server.processGroup
  )
  firstTextIndex = measurement.nextTextIndex
  requestCount += measurement.requestCount
  failureCount += measurement.failureCount
  const { rssBytes } = groupUsage(server.processGroup)
  tenths.push({ requestsPerSecond: measurement.requestsPerSecond, p99Ms: measurement.latencyMs.p99, rssBytes })
  process.stderr.write(`bench: soak: ${requestCount} requests, ${(rssBytes / 1e6).toFixed(0)} MB\n`)
}
const result: SoakResult = {
  clientCount: CLIENT_COUNT,
  replyCacheBytes: REPLY_CACHE_BYTES,
  requestCount,
  failureCount,
  seconds: (performance.now() - beganMs) / 1000,
  tenths
}
process.stdout.write(`${JSON.stringify(result)}\n`)
