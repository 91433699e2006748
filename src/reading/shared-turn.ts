/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

const waiting: (() => void)[] = []

/**
 * Resolves in a later turn of the event loop, for one caller in each turn, in the order of the calls: many streams that are read at once
 * hold up everything else no longer than one does.
 */
export async function sharedTurn(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  waiting.push(resolve)
  if (waiting.length === 1) setImmediate(letOneGoOn)
  await promise
}

function letOneGoOn(): void {
  // Set up before the caller goes on, which may wait again: the list is then not empty.
  if (waiting.length > 1) setImmediate(letOneGoOn)
  waiting.shift()!()
}
