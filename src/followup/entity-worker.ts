/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The worker thread that finds entities. compromise takes one or two milliseconds for a sentence, which would hold up
// replies on the main thread, and some 100 MB, which services without followups save.

import { parentPort } from 'node:worker_threads'
import { findEntities, type EntityMention } from './entities.ts'
import { tagSentences } from './tag-sentences.ts'

/** Message from the thread: the mentions of a text, or the error. */
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
