/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

const waiting: (() => void)[] = []

/**
 * Yields to the event loop. Resolves for one caller in each turn, in the order of the calls, so that many streams hold
 * up everything else no longer than one.
 */
export async function sharedTurn(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  waiting.push(resolve)
  if (waiting.length === 1) setImmediate(letOneGoOn)
  await promise
}

function letOneGoOn(): void {
  // Scheduled before the caller goes on: it may call again, and must then find the list not empty.
  if (waiting.length > 1) setImmediate(letOneGoOn)
  waiting.shift()!()
}
