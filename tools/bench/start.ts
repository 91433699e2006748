/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Claim: a process is ready within a second or two of its start, so that a deployment or a crash costs little.
 *
 *     npm run bench -- start
 */

import { ourProgram } from './peers/contestants.ts'
import { ServerProcess } from './peers/server-process.ts'
import type { StartResult } from './report/start.ts'

const START_COUNT = 7

const starts = [
  { title: 'ours, int8', precision: 'int8', readyMs: [] as number[] },
  { title: 'ours, fp32', precision: 'fp32', readyMs: [] as number[] }
]
for (let round = 0; round < START_COUNT; round += 1) {
  for (const { precision, readyMs } of starts) {
    await using server = await ServerProcess.start((port) => ourProgram(port, { MODEL_PRECISION: precision }))
    readyMs.push(server.startMs)
  }
}
const result: StartResult = { starts }
process.stdout.write(`${JSON.stringify(result)}\n`)
