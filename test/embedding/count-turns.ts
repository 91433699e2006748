/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { setImmediate } from 'node:timers/promises'

/** How many turns the event loop has while `work` runs. */
export async function countTurns(work: () => Promise<unknown>): Promise<number> {
  let turnCount = 0
  const done = new AbortController()
  const counting = (async () => {
    while (!done.signal.aborted) {
      await setImmediate()
      turnCount += 1
    }
  })()
  await work()
  done.abort()
  await counting
  return turnCount
}
