/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { bareName, type Entity } from './templates.ts'

/** Added to the weight of an entity whose verb has the speaker as subject. */
const SPEAKER_GAIN = 0.5

/**
 * Weight of a question about an entity.
 *
 * The cosine similarity of the entity and its answers, plus 0.5 when its verb has the subject `I`, minus the cosine's
 * distance from 1 for names of pop culture; -1 when no sentence that mentions it has a verb.
 * @param cosine cosine similarity of the embeddings of the entity's name and of the answers
 */
export function weightOf(
  { hasVerb, isOfSpeaker }: Pick<Entity, 'hasVerb' | 'isOfSpeaker'>,
  cosine: number,
  isPopCulture: boolean
): number {
  if (!hasVerb) return -1
  return cosine + (isOfSpeaker ? SPEAKER_GAIN : 0) - (isPopCulture ? 1 - cosine : 0)
}

/** Names of the United States. */
const NOT_ASKED_ABOUT = new Set(['america', 'united states', 'united states of america', 'us', 'u s', 'usa', 'u s a'])

/** Whether an entity is never suggested: the United States, and the mentor by any part of the name. */
export function isExcluded({ text }: Pick<Entity, 'text'>, mentorName: string): boolean {
  const name = bareName(text)
  if (NOT_ASKED_ABOUT.has(name)) return true
  const own = new Set(bareName(mentorName).split(' '))
  return name.split(' ').every((word) => own.has(word))
}
