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

/** Mentors that are kept here and can be changed. */
export interface MentorStore extends MentorSource {
  /** By id. */
  list(): Promise<readonly MentorEntry[]>
  /**
   * Replaces a mentor, or adds it, in one step: nobody sees a part of it, and no other change comes between.
   * Once the promise resolves the disk has it.
   * @param change makes the new mentor from the one there is; it is stored as given
   * @throws {ServiceError} PAYLOAD_TOO_LARGE when it has more questions than a mentor may have; what `change` throws
   */
  update(id: string, change: (before: Mentor | undefined) => Mentor): Promise<FoundMentor>
  /** @returns whether there was one */
  delete(id: string): Promise<boolean>
}
