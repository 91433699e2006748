/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { GradedQuestion } from './match-index.ts'
import type { Mentor } from './mentor.ts'

/** What a request to another service carries of the caller on whose behalf it is made. */
export interface CallerHeaders {
  /** The caller's `Authorization`, whole. */
  readonly authorization?: string
  /** The caller's `custom-external-origin`. */
  readonly externalOrigin?: string
}

/** Options of a look-up. */
export interface FindOptions {
  /** For sources across a network, which decide themselves who may see what. @default nobody in particular */
  readonly caller?: CallerHeaders
  /**
   * For sources with a cache: whether a cached mentor is good enough, is wanted only when nothing newer is available, or is
   * not wanted at all.
   * @default 'any'
   */
  readonly freshness?: 'any' | 'preferred' | 'required'
}

/** A mentor as it is now. */
export interface FoundMentor {
  readonly mentor: Mentor
  /** Answers that the source has listed though they are none: never recorded, say. @default 0 */
  readonly leftOutCount?: number
  /** Users' questions whose right answers people have named; they match before all else. */
  readonly gradedQuestions: readonly GradedQuestion[]
  /** Users' questions that none of the mentor's answers fits, as people judged them. */
  readonly rejectedQuestions?: readonly string[]
  /** Hash of the mentor's content and the graded questions: another content has another revision. */
  readonly revision: string
  /** Approximate memory, in bytes. */
  readonly byteLength: number
}

/** Where mentors come from. */
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

/** Where the answers of a category come from. */
export interface CategoryAnswerSource {
  /**
   * What a mentor has said to a category's questions; undefined when there is no such mentor.
   * @throws {ServiceError} BAD_GATEWAY, UNAVAILABLE or DEADLINE_EXCEEDED when a source across a network does not answer
   */
  categoryAnswers(
    category: string,
    mentorId: string,
    caller?: CallerHeaders
  ): Promise<readonly CategoryAnswer[] | undefined>
}

/** A line of the list of mentors. */
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

/** Mentors that are kept here and can be changed. */
export interface MentorStore extends MentorSource {
  /** By id. */
  list(): Promise<readonly MentorEntry[]>
  /** The JSON of a mentor, for callers that only pass it on. */
  readJson(id: string): Promise<Pick<StoredMentor, 'json' | 'revision'> | undefined>
  /**
   * Replaces a mentor, or adds it: nobody sees a part of it. Once the promise resolves it survives a power loss.
   * @param expected only if the mentor has this revision, `null`: if there is none. @default whatever there is
   * @returns whether it was as expected
   */
  put(id: string, mentor: StoredMentor, expected?: string | null): Promise<boolean>
  /** @returns whether there was one */
  delete(id: string): Promise<boolean>
}
