/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Claim: int8 is several times faster than fp32 at every length, alone and in batches.
 *
 *     npm run bench -- engine
 */

import type { LocalEncoder } from '../../src/embedding/local-encoder.ts'
import { openEncoder } from './engine/open-encoder.ts'
import { createRandom, randomTokens } from './engine/random-tokens.ts'
import type { EngineResult } from './report/engine.ts'

const TOKEN_COUNTS = [8, 16, 32, 64, 128, 256]
const SENTENCE_COUNTS = [1, 8, 32]
const ROUND_COUNT = 3
const MIN_ROUND_MS = 300

const int8 = await openEncoder('int8')
const { arithmetic } = int8
const fp32 = await openEncoder('fp32')
const random = createRandom(1)
const cases: EngineResult['cases'] = []
for (const tokenCount of TOKEN_COUNTS) {
  for (const sentenceCount of SENTENCE_COUNTS) {
    const found: EngineResult['cases'][number] = { tokenCount, sentenceCount, int8: [], fp32: [] }
    for (let round = 0; round < ROUND_COUNT; round += 1) {
      found.int8.push(await sentencesPerSecond(int8, tokenCount, sentenceCount))
      found.fp32.push(await sentencesPerSecond(fp32, tokenCount, sentenceCount))
    }
    cases.push(found)
  }
}
await int8.close()
await fp32.close()
const result: EngineResult = { arithmetic, cases }
process.stdout.write(`${JSON.stringify(result)}\n`)

async function sentencesPerSecond(encoder: LocalEncoder, tokenCount: number, sentenceCount: number): Promise<number> {
  const rows = Array.from({ length: sentenceCount }, () => randomTokens(tokenCount, random))
  await encoder.encodeTokens(rows) // Warms up.
  let callCount = 0
  const beganMs = performance.now()
  let elapsedMs = 0
  while (elapsedMs < MIN_ROUND_MS) {
    await encoder.encodeTokens(rows)
    callCount += 1
    elapsedMs = performance.now() - beganMs
  }
  return (callCount * sentenceCount * 1000) / elapsedMs
}
