/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { EntityType } from '../../../src/followup/entities.ts'

/** An entity of a sentence, as a person or a program sees it. */
export interface Entity {
  readonly type: EntityType
  readonly text: string
}

export interface AnnotatedSentence {
  readonly text: string
  readonly entities: readonly Entity[]
}

export const ENTITY_TYPES: readonly EntityType[] = ['person', 'place', 'organisation', 'family']

/**
 * Reads sentences with entities marked as `[Duluth|place]`, one a line.
 * @throws Error when a mark has no known type
 */
export function readAnnotations(text: string): AnnotatedSentence[] {
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line) => ({
    text: line.replaceAll(/\[([^|\]]+)\|[^\]]+\]/g, '$1'),
    entities: [...line.matchAll(/\[([^|\]]+)\|([^\]]+)\]/g)].map(([, marked = '', name]) => {
      const type = ENTITY_TYPES.find((each) => each === name)
      if (type === undefined) throw new Error(`Cannot read annotations: ${name} is no type of entity`)
      return { type, text: marked }
    })
  }))
}

/** How many entities of a type were found rightly, found wrongly, and missed. */
export interface Tally {
  right: number
  wrong: number
  missed: number
}

/** Compares what was found with what is marked, sentence by sentence, an entity once in each. */
export function tallyByType(
  sentences: readonly AnnotatedSentence[],
  found: readonly (readonly Entity[])[]
): ReadonlyMap<EntityType, Tally> {
  const tallies = new Map(ENTITY_TYPES.map((type) => [type, { right: 0, wrong: 0, missed: 0 }]))
  for (const [index, { entities }] of sentences.entries()) {
    for (const [type, tally] of tallies) {
      const marked = keysOf(entities, type)
      const given = keysOf(found[index] ?? [], type)
      const right = [...marked].filter((key) => given.has(key)).length
      tally.right += right
      tally.wrong += given.size - right
      tally.missed += marked.size - right
    }
  }
  return tallies
}

/** Keys of entities without titles, articles and possessives, so that these make no difference. */
function keysOf(entities: readonly Entity[], type: EntityType): Set<string> {
  return new Set(
    entities
      .filter((entity) => entity.type === type)
      .map(({ text }) =>
        text
          .toLowerCase()
          .replace(/^(?:the|dr|mr|mrs|ms|sergeant|captain|coach|chef|major|senator|uncle|aunt)\.? (?=\S)/, '')
          .replace(/['’]s$|[.,;:!?]+$/, '')
      )
  )
}
