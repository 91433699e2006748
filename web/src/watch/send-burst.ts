/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ask } from '../service/ask.ts'
import { serverTimingOf } from '../service/server-timing.ts'
import { withJson } from '../service/service-request.ts'

/** Ways to send many sentences: a call each, one after the other or at once; or one call. */
export const WAYS = ['one-by-one', 'at-once', 'one-call'] as const
export type BurstWay = (typeof WAYS)[number]

export interface BurstResult {
  readonly way: BurstWay
  readonly durationMs: number
  /** Of a call. */
  readonly meanQueueMs: number
  readonly meanInferenceMs: number
}

/** A burst is so small that others hardly notice it. */
export const BURST_SENTENCES = 96

const SUBJECTS = ['The ferry', 'A student', 'Our neighbour', 'The library', 'My sister', 'The committee']
const DEEDS = ['waits for the tide', 'asks about the grant', 'repairs an old engine', 'opens later in winter']

/** Sends a burst in one of the ways, of sentences that were not sent before: nothing of it is cached. */
export async function sendBurst(way: BurstWay): Promise<BurstResult> {
  const sentences = newSentences()
  const beganMs = performance.now()
  const headers = await sendBy(way, sentences)
  const durationMs = performance.now() - beganMs
  const timings = headers.map((one) => serverTimingOf(one.get('server-timing')))
  const meanOf = (name: 'queueMs' | 'inferenceMs'): number =>
    timings.reduce((sum, timing) => sum + (timing?.[name] ?? 0), 0) / Math.max(1, timings.length)
  return { way, durationMs, meanQueueMs: meanOf('queueMs'), meanInferenceMs: meanOf('inferenceMs') }
}

async function encode(query: string): Promise<Headers> {
  return (await ask(withJson('POST', '/v1/encode', { query }))).headers
}

async function sendBy(way: BurstWay, sentences: readonly string[]): Promise<Headers[]> {
  if (way === 'one-call') return [(await ask(withJson('POST', '/v1/encode/multiple_encode', { sentences }))).headers]
  // As many at a time as the browser has connections: six, mostly.
  if (way === 'at-once') return Promise.all(sentences.map(encode))
  const headers: Headers[] = []
  for (const sentence of sentences) headers.push(await encode(sentence))
  return headers
}

function newSentences(): string[] {
  const salt = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0
  return Array.from({ length: BURST_SENTENCES }, (_, index) => {
    const subject = SUBJECTS[index % SUBJECTS.length] ?? ''
    const deed = DEEDS[index % DEEDS.length] ?? ''
    return `${subject} ${deed}, number ${salt % 100_000}-${index}`
  })
}
