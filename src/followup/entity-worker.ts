/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The thread that finds entities: compromise takes a millisecond or two a sentence, which on the main thread would hold up
// every reply, and some 100 MB, which nobody should pay for who asks no followups.

import { parentPort } from 'node:worker_threads'
import { findEntities, type EntityMention } from './entities.ts'
import { tagSentences } from './tag-sentences.ts'

/** What the thread answers: what a text mentions, or that it could not be read. */
export type EntityMessage = { readonly mentions: readonly EntityMention[] } | { readonly error: unknown }

if (parentPort === null) throw new Error('entity-worker.ts runs as a worker thread only: this is a bug')
const port = parentPort
port.on('message', (text: string) => {
  const reply = mentionsOf(text)
  port.postMessage(reply)
})

function mentionsOf(text: string): EntityMessage {
  try {
    return { mentions: tagSentences(text).flatMap(findEntities) }
  } catch (error) {
    return { error }
  }
}
