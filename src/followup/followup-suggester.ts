/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { EmbeddingCache } from '../embedding/embedding-cache.ts'
import type { Encoder } from '../embedding/encoder.ts'
import { mineParaphrases } from '../embedding/paraphrase-mining.ts'
import { cosineMatrix, nextTurn } from '../embedding/similarity.ts'
import { ServiceError } from '../errors.ts'
import { repertoireOf } from '../mentor/mentor.ts'
import type { CallerHeaders, CategoryAnswerSource, MentorSource } from '../mentor/mentor-source.ts'
import type { EntityFinder } from './entity-finder.ts'
import type { EntityMention } from './entities.ts'
import type { PopCulture } from './pop-culture.ts'
import { isExcluded, weightOf } from './rank.ts'
import { bareName, mergeMentions, questionAbout, subjectMatterOf, TEMPLATES, type Entity } from './templates.ts'

/** A question that a user may ask next. */
export interface Followup {
  readonly question: string
  readonly entityType: Entity['type']
  /** Template of the question, with `{entity}` in place of the entity. */
  readonly template: string
}

/** Dependencies of a {@link FollowupSuggester}. */
export interface FollowupSuggesterDependencies {
  readonly mentors: MentorSource
  readonly categories: CategoryAnswerSource
  readonly entities: EntityFinder
  readonly embeddings: Pick<EmbeddingCache, 'encode'>
  /** The encoder that `embeddings` uses. */
  readonly encoder: Pick<Encoder, 'dimensions'>
  readonly popCulture: PopCulture
  /** Whether to drop questions that are similar to a better one or to a question that is answered already. */
  readonly isSemanticDedup: boolean
}

/** Maximum number of characters in the answers of a category; reading so many takes some ten seconds. */
export const MAX_CATEGORY_CHARACTERS = 500_000
/** Maximum number of followups in a reply. */
const MAX_FOLLOWUPS = 500
/** Maximum number of concurrent requests: all share one thread. */
const MAX_REQUESTS = 16
/** Cosine similarity above which two questions are duplicates. */
const DUPLICATE_COSINE = 0.92

/** Suggests questions about what a mentor mentions in the answers of a category. */
export class FollowupSuggester {
  readonly #dependencies: FollowupSuggesterDependencies
  #requestCount = 0

  constructor(dependencies: FollowupSuggesterDependencies) {
    this.#dependencies = dependencies
  }

  /**
   * Suggests questions about the people, places, organisations and relatives in a category's answers, the highest
   * weight first; leaves out what the mentor has answered already.
   * @returns undefined when there is no such mentor
   * @throws {ServiceError} PAYLOAD_TOO_LARGE when the category has too much text, OVERLOADED when too many requests
   *   run; what the mentor's source and the encoder throw
   */
  async suggest(
    category: string,
    mentorId: string,
    { caller, signal }: { readonly caller: CallerHeaders; readonly signal: AbortSignal }
  ): Promise<Followup[] | undefined> {
    if (this.#requestCount >= MAX_REQUESTS) {
      throw new ServiceError('OVERLOADED', `Cannot suggest followups: ${MAX_REQUESTS} requests are in progress`, {
        retryAfterSeconds: 1
      })
    }
    this.#requestCount += 1
    try {
      return await this.#suggest(category, mentorId, caller, signal)
    } finally {
      this.#requestCount -= 1
    }
  }

  async #suggest(
    category: string,
    mentorId: string,
    caller: CallerHeaders,
    signal: AbortSignal
  ): Promise<Followup[] | undefined> {
    const { mentors, categories } = this.#dependencies
    const [found, categoryAnswers] = await Promise.all([
      mentors.find(mentorId, { caller }),
      categories.categoryAnswers(category, mentorId, caller)
    ])
    if (found === undefined || categoryAnswers === undefined) return undefined
    const texts = categoryAnswers.map(({ answerText }) => answerText.trim()).filter((text) => text !== '')
    assertReadable(texts)
    const { answers } = repertoireOf(found.mentor)
    const answered = [
      ...categoryAnswers.map(({ questionText }) => questionText),
      ...answers.map(({ question }) => question.question)
    ]
    const paraphrases = answers.flatMap(({ question }) => question.paraphrases ?? [])
    const askedAbout = new Set([...answered, ...paraphrases].map(subjectMatterOf))
    const entities = mergeMentions(await this.#findMentions(texts, signal)).filter(
      (entity) =>
        !isExcluded(entity, found.mentor.name ?? '') &&
        !askedAbout.has(subjectMatterOf(entity.text)) &&
        !askedAbout.has(subjectMatterOf(bareName(entity.text)))
    )
    const weighed = await this.#weigh(entities, texts, signal)
    const heaviest = weighed.toSorted((a, b) => b.weight - a.weight).slice(0, MAX_FOLLOWUPS)
    const followups = heaviest.map(({ entity }) => ({
      question: questionAbout(entity),
      entityType: entity.type,
      template: TEMPLATES[entity.type]
    }))
    return this.#dependencies.isSemanticDedup ? this.#withoutDuplicates(followups, answered, signal) : followups
  }

  async #findMentions(texts: readonly string[], signal: AbortSignal): Promise<EntityMention[]> {
    const mentions: EntityMention[] = []
    for (const text of texts) {
      signal.throwIfAborted()
      mentions.push(...(await this.#dependencies.entities.find(text)))
    }
    return mentions
  }

  /**
   * Weighs entities by their cosine similarity to the mean embedding of the answers, which together are longer than the
   * model reads.
   */
  async #weigh(
    entities: readonly Entity[],
    texts: readonly string[],
    signal: AbortSignal
  ): Promise<{ readonly entity: Entity; readonly weight: number }[]> {
    if (entities.length === 0) return []
    const { embeddings, encoder, popCulture } = this.#dependencies
    const { dimensions } = encoder
    const names = await embeddings.encode(
      entities.map(({ text }) => text),
      { signal }
    )
    const answers = await embeddings.encode(texts, { signal })
    const middle = new Float32Array(dimensions)
    for (const [index, value] of answers.values.entries()) middle[index % dimensions]! += value / texts.length
    const cosines = await cosineMatrix({ values: names.values, dimensions }, { values: middle, dimensions }, signal)
    return entities.map((entity, index) => ({
      entity,
      weight: weightOf(entity, cosines[index]!, popCulture.has(entity.text))
    }))
  }

  /** Drops followups that are similar to one of higher weight or to an answered question. */
  async #withoutDuplicates(
    followups: readonly Followup[],
    answered: readonly string[],
    signal: AbortSignal
  ): Promise<Followup[]> {
    if (followups.length === 0) return []
    const { embeddings, encoder } = this.#dependencies
    const { dimensions } = encoder
    const { values } = await embeddings.encode(
      followups.map(({ question }) => question),
      { signal }
    )
    const dropped = new Set<number>()
    for (const known of await this.#nearestAnswered(values, answered, signal)) dropped.add(known)
    const pairs = await mineParaphrases({ values, dimensions }, { signal })
    const alike = pairs.filter(({ score }) => score > DUPLICATE_COSINE)
    // The one of higher weight stays unless it is dropped itself, so pairs are decided in order of weight.
    for (const { i, j } of alike.toSorted((a, b) => a.i - b.i)) if (!dropped.has(i)) dropped.add(j)
    return followups.filter((_, index) => !dropped.has(index))
  }

  /**
   * Positions of the questions that are similar to an answered one. Paraphrase mining would also compare answered
   * questions with each other.
   */
  async #nearestAnswered(values: Float32Array, answered: readonly string[], signal: AbortSignal): Promise<number[]> {
    const { embeddings, encoder } = this.#dependencies
    const { dimensions } = encoder
    const count = values.length / dimensions
    const found = new Set<number>()
    for (let from = 0; from < answered.length; from += ANSWERED_A_TURN) {
      const some = answered.slice(from, from + ANSWERED_A_TURN)
      const known = await embeddings.encode(some, { signal })
      const cosines = await cosineMatrix({ values, dimensions }, { values: known.values, dimensions }, signal)
      for (let row = 0; row < count; row++) {
        const ofRow = cosines.subarray(row * some.length, (row + 1) * some.length)
        if (ofRow.some((cosine) => cosine > DUPLICATE_COSINE)) found.add(row)
      }
      await nextTurn(signal)
    }
    return [...found]
  }
}

/** Number of answered questions that are compared at a time. */
const ANSWERED_A_TURN = 256

function assertReadable(texts: readonly string[]): void {
  const characters = texts.reduce((sum, text) => sum + text.length, 0)
  if (characters > MAX_CATEGORY_CHARACTERS) {
    const message = `the category's answers have ${characters} characters, at most ${MAX_CATEGORY_CHARACTERS} are read`
    throw new ServiceError('PAYLOAD_TOO_LARGE', `Cannot suggest followups: ${message}`)
  }
}
