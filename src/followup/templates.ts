/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { TITLES } from './word-lists.ts'
import { isAcronym, type EntityMention, type EntityType } from './entities.ts'
import { sanitize } from '../mentor/sanitize.ts'

/** Kinds of entities in replies. */
export type FollowupEntityType = EntityType | 'acronym'

/** Questions about entities; `{entity}` stands for its name. */
export const TEMPLATES: Readonly<Record<FollowupEntityType, string>> = {
  person: 'Can you tell me more about {entity}?',
  place: 'What was {entity} like?',
  acronym: 'What is {entity}?',
  organisation: 'What is {entity}?',
  family: 'Can you tell me more about your {entity}?'
}

/** An entity with all its mentions. */
export interface Entity {
  readonly type: FollowupEntityType
  /** The text of the first mention. */
  readonly text: string
  /** Whether `the` precedes it. */
  readonly hasArticle: boolean
  /** Whether it is mentioned in a sentence with a verb. */
  readonly hasVerb: boolean
  /** Whether it is mentioned with a verb whose subject is the speaker. */
  readonly isOfSpeaker: boolean
}

/** The question about an entity. */
export function questionAbout({ type, text, hasArticle }: Pick<Entity, 'type' | 'text' | 'hasArticle'>): string {
  return TEMPLATES[type].replace('{entity}', () => (hasArticle ? `the ${text}` : text))
}

/**
 * Merges mentions of the same entity, in the order of first mentions. A name with several types gets the most frequent
 * one, and a part of a person's name is that person: `Hector` is `Hector Villanueva`.
 */
export function mergeMentions(mentions: readonly EntityMention[]): Entity[] {
  const byName = [...Map.groupBy(mentions, nameOf)]
  return byName.flatMap(([name, same]) => {
    const type = mostFrequent(same.map((mention) => mention.type))
    if (type === 'person' && byName.some(([other, of]) => isPartOf(name, other) && of[0]!.type === 'person')) return []
    const parts = type === 'person' ? byName.filter(([other]) => isPartOf(other, name)).flatMap(([, of]) => of) : []
    const all = [...same, ...parts]
    const { text } = same[0]!
    return {
      type: type === 'organisation' && isAcronym(text) ? ('acronym' as const) : type,
      text,
      hasArticle: mostFrequent(same.map(({ hasArticle }) => hasArticle)),
      hasVerb: all.some(({ verbSubject }) => verbSubject !== 'NONE'),
      isOfSpeaker: all.some(({ verbSubject }) => verbSubject === 'I')
    }
  })
}

/** A name in lower case without its title: `Dr. Smith` is `smith`. */
export function bareName(text: string): string {
  const [first = '', ...rest] = text.toLowerCase().split(/[ .]+/)
  return (rest.length > 0 && TITLES.has(first) ? rest : [first, ...rest]).filter((word) => word !== '').join(' ')
}

/** Words of questions that do not tell their subject. */
const ASKING_WORDS = new Set(
  `what whats who whos whose where when how which is are was were do does did can could would will you your me us tell talk
   say more about of the a an like describe explain please something anything know mean stand for so and have any got`.split(
    /\s+/
  )
)

/**
 * The subject of a question, without its asking words: `Can you tell me about your brother?` gives `brother`. The text
 * of an entity gives the same as a question about that entity alone.
 */
export function subjectMatterOf(text: string): string {
  return sanitize(text)
    .split(/\s+/)
    .filter((word) => word !== '' && !ASKING_WORDS.has(word))
    .join(' ')
}

function nameOf({ type, text }: EntityMention): string {
  return type === 'family' ? `your ${text}` : bareName(text)
}

function isPartOf(part: string, whole: string): boolean {
  return part !== whole && ` ${whole} `.includes(` ${part} `)
}

function mostFrequent<T>(values: readonly T[]): T {
  const counts = new Map<T, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best))[0]
}
