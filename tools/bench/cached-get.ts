/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Claim: a cached reply costs little more than what the HTTP framework costs at all.
 *
 *     npm run bench -- cached-get
 */

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { request } from 'undici'
import { LoadGenerator, type LoadMeasurement } from './load/run-load.ts'
import { API_KEY, ourProgram } from './peers/contestants.ts'
import { LOGS_FOLDER, ServerProcess } from './peers/server-process.ts'
import { EMPTY_ROUTE, type CachedGetResult } from './report/cached-get.ts'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '3' }, rounds: { type: 'string', default: '5' } }
})
const CLIENT_COUNT = 10
/** Enough for the server, not the clients, to be what limits. */
const PIPELINING = 8
const PATH = '/v1/encode?query=How%20did%20you%20become%20an%20engineer%3F'
const headers = { authorization: `Bearer ${API_KEY}` }
const secondsPerCase = Number(values.seconds)

await using withLog = await ServerProcess.start((port) => ourProgram(port))
await using withoutLog = await ServerProcess.start((port) => ourProgram(port, { LOG_LEVEL: 'warn' }))
const reply = await request(withLog.origin + PATH, { headers })
const body = new Uint8Array(await reply.body.arrayBuffer())
const bodyPath = `${LOGS_FOLDER}/cached-get-body.json`
writeFileSync(bodyPath, body)
await using empty = await ServerProcess.start((port) => ({
  name: EMPTY_ROUTE,
  command: process.execPath,
  args: [fileURLToPath(new URL('peers/empty-route-server.ts', import.meta.url))],
  env: { PORT: String(port), BODY_PATH: bodyPath },
  readyPath: PATH
}))
const servers = [
  { name: EMPTY_ROUTE, title: 'empty Fastify route', server: empty, rounds: [] as LoadMeasurement[] },
  { name: 'ours', title: 'ours, all settings at their defaults', server: withLog, rounds: [] as LoadMeasurement[] },
  {
    name: 'ours-without-log',
    title: 'ours, `LOG_LEVEL=warn`: no line a request',
    server: withoutLog,
    rounds: [] as LoadMeasurement[]
  }
]
using load = new LoadGenerator()
for (let round = 1; round <= Number(values.rounds); round += 1) {
  for (const { title, server, rounds } of servers) {
    const measurement = await load.run(
      {
        origin: server.origin,
        target: { kind: 'path', path: PATH },
        headers,
        clientCount: CLIENT_COUNT,
        pipelining: PIPELINING,
        warmUpMs: 1000,
        durationMs: secondsPerCase * 1000,
        maxRequests: Number.MAX_SAFE_INTEGER
      },
      server.processGroup
    )
    rounds.push(measurement)
    process.stderr.write(
      `bench: round ${round}: ${title}: ${Math.round(measurement.requestsPerSecond)} requests/s, server CPU ${measurement.serverCpuShare.toFixed(2)}\n`
    )
  }
}
const result: CachedGetResult = {
  clientCount: CLIENT_COUNT,
  pipelining: PIPELINING,
  secondsPerCase,
  replyBytes: body.byteLength,
  servers: servers.map(({ name, title, rounds }) => ({ name, title, rounds }))
}
process.stdout.write(`${JSON.stringify(result)}\n`)
