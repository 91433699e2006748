/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { hash } from 'node:crypto'

import type { GradedQuestion } from '../mentor/match-index.ts'
import type {
  CallerHeaders,
  CategoryAnswer,
  CategoryAnswerSource,
  FindOptions,
  FoundMentor,
  MentorSource
} from '../mentor/mentor-source.ts'
import type { GraphQlClient } from './graphql-client.ts'
import {
  CATEGORY_ANSWERS,
  GRADED_PAGE_LENGTH,
  GRADED_QUESTIONS,
  GRADED_QUESTIONS_PAGE,
  MENTOR,
  type GradedPage
} from './graphql-operations.ts'

/** Log for what a source left out. */
export interface SourceLog {
  warn(fields: object, message: string): void
}

/** Maximum number of pages of graded questions that are read of one mentor; the rest is ignored. */
const MAX_GRADED_PAGES = 20

/** Mentors of a GraphQL service, without a cache: every call is a request. */
export class GraphQlMentors implements MentorSource, CategoryAnswerSource {
  readonly #client: GraphQlClient
  readonly #log: SourceLog

  constructor(client: GraphQlClient, log: SourceLog) {
    this.#client = client
    this.#log = log
  }

  /** @throws {GraphQlError} when the mentor cannot be read */
  async revisionOf(id: string, options: FindOptions = {}): Promise<string | undefined> {
    return (await this.find(id, options))?.revision
  }

  /**
   * Reads a mentor, with its graded questions as far as they can be read.
   * @throws {GraphQlError} when the mentor cannot be read
   */
  async find(id: string, { caller = {} }: FindOptions = {}): Promise<FoundMentor | undefined> {
    const [{ mentor, leftOutCount, leftOutQuestionCount }, gradedQuestions] = await Promise.all([
      this.#client.run(MENTOR, { id }, { caller }),
      this.#gradedQuestions(id, caller)
    ])
    if (mentor === undefined) return undefined
    if (leftOutCount + leftOutQuestionCount > 0) {
      const counts = { leftOutCount, leftOutQuestionCount }
      this.#log.warn({ mentor: id, ...counts }, 'invalid answers and listed questions were left out')
    }
    const json = JSON.stringify([mentor, gradedQuestions])
    const revision = hash('sha256', json, 'base64url')
    return { mentor, leftOutCount, gradedQuestions, revision, byteLength: json.length }
  }

  async categoryAnswers(
    category: string,
    mentorId: string,
    caller: CallerHeaders = {}
  ): Promise<readonly CategoryAnswer[] | undefined> {
    return (await this.#client.run(CATEGORY_ANSWERS, { category, mentor: mentorId }, { caller })) ?? undefined
  }

  /** Never rejects, since a mentor also answers without graded questions. */
  async #gradedQuestions(mentorId: string, caller: CallerHeaders): Promise<readonly GradedQuestion[]> {
    const filter = { $and: [{ graderAnswer: { $ne: null } }, { mentor: mentorId }] }
    let questions: readonly GradedQuestion[] = []
    try {
      const first = await this.#client.run(GRADED_QUESTIONS, { filter }, { caller })
      questions = first.questions
      if (first.length >= GRADED_PAGE_LENGTH) questions = await this.#allPages(filter, caller)
    } catch (error) {
      this.#log.warn({ err: error, mentor: mentorId }, 'not all graded questions could be read: the rest is ignored')
    }
    return questions
  }

  async #allPages(filter: object, caller: CallerHeaders): Promise<readonly GradedQuestion[]> {
    const questions: GradedQuestion[] = []
    let cursor: string | undefined
    for (let pageCount = 0; pageCount < MAX_GRADED_PAGES; pageCount += 1) {
      const variables = { filter, ...(cursor !== undefined && { cursor }) }
      const page: GradedPage = await this.#client.run(GRADED_QUESTIONS_PAGE, variables, { caller })
      questions.push(...page.questions)
      // A service that returns the same cursor again would be read for ever.
      if (page.next === undefined || page.next === cursor) return questions
      cursor = page.next
    }
    this.#log.warn({ count: questions.length }, 'there are more graded questions than are read')
    return questions
  }
}
