/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// BASE_URL=https://… API_KEY=… make test-deployed: asks a stage, as its callers would, whether it keeps its promises.
import process from 'node:process'
import { CHECKS, isBehindCloudFront, type Stage } from './checks.ts'

const baseUrl = (process.env['BASE_URL'] ?? 'http://127.0.0.1:8080').replace(/\/+$/, '')
const apiKey = process.env['API_KEY'] ?? ''
if (apiKey === '') {
  process.stderr.write('API_KEY is not set: give it one of the keys in API_SECRET_KEY of the service\n')
  process.exitCode = 2
} else {
  process.exitCode = (await testStage({ baseUrl, apiKey })) === 0 ? 0 : 1
}

/** @returns how many checks failed */
async function testStage(stage: Stage): Promise<number> {
  let failedCount = 0
  let isAtEdge = false
  try {
    isAtEdge = await isBehindCloudFront(stage)
  } catch (error) {
    process.stdout.write(`FAILED  can be reached\n        ${reasonOf(error)}\n`)
    return 1
  }
  for (const check of CHECKS) {
    if (check.isAtEdge === true && !isAtEdge) {
      process.stdout.write(`left out, CloudFront is not before this stage: ${check.name}\n`)
      continue
    }
    try {
      await check.run(stage)
      process.stdout.write(`passed  ${check.name}\n`)
    } catch (error) {
      failedCount += 1
      process.stdout.write(`FAILED  ${check.name}\n        ${reasonOf(error)}\n`)
    }
  }
  process.stdout.write(failedCount === 0 ? 'The stage keeps its promises\n' : `${failedCount} promise(s) broken\n`)
  return failedCount
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : ''
  return `${error.message}${cause}`.replaceAll('\n', '\n        ')
}
