/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

const MENTOR_PREFIX = 'mentor/'

/** Name of a mentor's model in a `ModelStore`. */
export function mentorModelName(mentorId: string): string {
  return MENTOR_PREFIX + mentorId
}
