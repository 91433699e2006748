/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Mentor } from './mentor.ts'

/** A mentor as it is now. */
export interface FoundMentor {
  readonly mentor: Mentor
  /** Hash of the mentor's content: another content has another revision. */
  readonly revision: string
  /** About the memory it takes, in bytes. */
  readonly byteLength: number
}

/** Where mentors come from. */
export interface MentorSource {
  /** The revision that {@link MentorSource.find} would give, for much less; undefined when there is no such mentor. */
  revisionOf(id: string): Promise<string | undefined>
  find(id: string): Promise<FoundMentor | undefined>
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
  /** The JSON of a mentor, for who only hands it on. */
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
