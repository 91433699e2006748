/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Claim: on the same cores, several times the requests a second of any embedding server that our users would otherwise run.
 *
 *     npm run bench -- encode-http
 *     npm exec -- node tools/bench/encode-http.ts --seconds 2 --rounds 1 --only ours-int8,infinity
 */

import { parseArgs } from 'node:util'
import { loadTestTexts } from './load/distinct-texts.ts'
import { LoadGenerator, type LoadMeasurement } from './load/run-load.ts'
import { API_KEY, startContestants } from './peers/contestants.ts'
import type { EncodeHttpResult } from './report/encode-http.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '6' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' }
  }
})
const CLIENT_COUNT = 10
const WARM_UP_SECONDS = 2
const secondsPerCase = Number(values.seconds)
const roundCount = Number(values.rounds)

await using field = await startContestants(values.only?.split(','))
using load = new LoadGenerator()
const rounds = new Map<string, LoadMeasurement[]>()
const nextTextIndex = new Map<string, number>()
for (let round = 1; round <= roundCount; round += 1) {
  for (const { contestant, server } of field.started) {
    const measurement = await load.run(
      {
        origin: server.origin,
        target: { kind: contestant.requestKind, firstTextIndex: nextTextIndex.get(contestant.name) ?? 0 },
        headers: { authorization: `Bearer ${API_KEY}` },
        clientCount: CLIENT_COUNT,
        pipelining: 1,
        warmUpMs: WARM_UP_SECONDS * 1000,
        durationMs: secondsPerCase * 1000,
        maxRequests: Number.MAX_SAFE_INTEGER
      },
      server.processGroup
    )
    nextTextIndex.set(contestant.name, measurement.nextTextIndex)
    rounds.set(contestant.name, [...(rounds.get(contestant.name) ?? []), measurement])
    process.stderr.write(
      `bench: round ${round}: ${contestant.title}: ${measurement.requestsPerSecond.toFixed(1)} requests/s, p95 ${measurement.latencyMs.p95.toFixed(1)} ms\n`
    )
  }
}

const texts = loadTestTexts()
const wordCounts = Array.from({ length: 1000 }, (_, index) => texts.at(index).split(' ').length)
const result: EncodeHttpResult = {
  clientCount: CLIENT_COUNT,
  secondsPerCase,
  warmUpSeconds: WARM_UP_SECONDS,
  meanWordCount: wordCounts.reduce((sum, count) => sum + count, 0) / wordCounts.length,
  servers: field.all.map(({ contestant: { name, title, setup }, problem }) => ({
    name,
    title,
    setup,
    rounds: rounds.get(name) ?? [],
    ...(problem === undefined ? {} : { problem })
  }))
}
process.stdout.write(`${JSON.stringify(result)}\n`)
