/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { bareName, type Entity } from './templates.ts'

/** What an entity gains when the speaker did something with it. */
const SPEAKER_GAIN = 0.5

/**
 * How much a question about an entity is worth asking.
 *
 * The cosine of the entity and the answers it comes from; 0.5 more when its verb has the subject `I`; of pop culture's names
 * less the cosine's distance from 1; -1 when no sentence that mentions it has a verb.
 * @param cosine of the embeddings of the entity's name and of the answers
 */
export function weightOf(
  { hasVerb, isOfSpeaker }: Pick<Entity, 'hasVerb' | 'isOfSpeaker'>,
  cosine: number,
  isPopCulture: boolean
): number {
  if (!hasVerb) return -1
  return cosine + (isOfSpeaker ? SPEAKER_GAIN : 0) - (isPopCulture ? 1 - cosine : 0)
}

/** The country that everybody knows, however it is written. */
const NOT_ASKED_ABOUT = new Set(['america', 'united states', 'united states of america', 'us', 'u s', 'usa', 'u s a'])

/** Whether nobody needs to ask about it: the United States, and the mentor, by any part of the name. */
export function isExcluded({ text }: Pick<Entity, 'text'>, mentorName: string): boolean {
  const name = bareName(text)
  if (NOT_ASKED_ABOUT.has(name)) return true
  const own = new Set(bareName(mentorName).split(' '))
  return name.split(' ').every((word) => own.has(word))
}
