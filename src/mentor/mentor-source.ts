/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { GradedQuestion } from './match-index.ts'
import type { Mentor } from './mentor.ts'

/** Headers of the caller that are passed on to other services. */
export interface CallerHeaders {
  /** The caller's complete `Authorization` header. */
  readonly authorization?: string
  /** The caller's `custom-external-origin`. */
  readonly externalOrigin?: string
}

/** Options of a look-up. */
export interface FindOptions {
  /** For sources across a network, which decide themselves what a caller may see. @default no caller */
  readonly caller?: CallerHeaders
  /**
   * For sources with a cache: whether a cached mentor is acceptable (`any`), only when nothing newer is available
   * (`preferred`), or never (`required`).
   * @default 'any'
   */
  readonly freshness?: 'any' | 'preferred' | 'required'
}

/** A mentor as it is now. */
export interface FoundMentor {
  readonly mentor: Mentor
  /** Number of listed answers that were left out, for example because they were never recorded. @default 0 */
  readonly leftOutCount?: number
  /** Users' questions that people graded to their right answers; they match first. */
  readonly gradedQuestions: readonly GradedQuestion[]
  /** Users' questions that people judged to have no answer. */
  readonly rejectedQuestions?: readonly string[]
  /** Hash of the mentor's content and graded questions. */
  readonly revision: string
  /** Approximate memory, in bytes. */
  readonly byteLength: number
}

/** A source of mentors. */
export interface MentorSource {
  /** The revision that {@link MentorSource.find} would return, at a much lower cost; undefined when there is no such mentor. */
  revisionOf(id: string, options?: FindOptions): Promise<string | undefined>
  find(id: string, options?: FindOptions): Promise<FoundMentor | undefined>
}

/** An answer of a category, with the question it answers. */
export interface CategoryAnswer {
  readonly questionText: string
  readonly answerText: string
}

/** A source of the answers of a category. */
export interface CategoryAnswerSource {
  /**
   * A mentor's answers to a category's questions; undefined when there is no such mentor.
   * @throws {ServiceError} BAD_GATEWAY, UNAVAILABLE or DEADLINE_EXCEEDED when a source across a network does not answer
   */
  categoryAnswers(
    category: string,
    mentorId: string,
    caller?: CallerHeaders
  ): Promise<readonly CategoryAnswer[] | undefined>
}

/** An entry of the list of mentors. */
export interface MentorEntry {
  readonly id: string
  readonly name: string | undefined
  /** All of the mentor's, also those that do not count yet. */
  readonly answerCount: number
  readonly revision: string
  /** Milliseconds since 1970. */
  readonly updatedAtMs: number
}

/** A mentor in the form that is kept. */
export interface StoredMentor {
  /** JSON of a {@link Mentor}. */
  readonly json: Uint8Array<ArrayBuffer>
  /** Hash of `json`. */
  readonly revision: string
  readonly name: string | undefined
  /** All of the mentor's, also those that do not count yet. */
  readonly answerCount: number
}

/** A store of mentors, which can be changed. */
export interface MentorStore extends MentorSource {
  /** All mentors, ordered by id. */
  list(): Promise<readonly MentorEntry[]>
  /** The JSON of a mentor, for callers that only pass it on. */
  readJson(id: string): Promise<Pick<StoredMentor, 'json' | 'revision'> | undefined>
  /**
   * Adds or replaces a mentor atomically and durably.
   * @param expected required current revision; `null`: no mentor must exist; left out, there is no requirement
   * @returns whether the requirement was met
   */
  put(id: string, mentor: StoredMentor, expected?: string | null): Promise<boolean>
  /** @returns whether the mentor existed */
  delete(id: string): Promise<boolean>
}
