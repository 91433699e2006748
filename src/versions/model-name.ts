/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

const MENTOR_PREFIX = 'mentor/'
const CLASSIFIER_PREFIX = 'classifier/'

/** Name of a mentor's model in a `ModelStore`. */
export function mentorModelName(mentorId: string): string {
  return MENTOR_PREFIX + mentorId
}

/** Name of a classifier in a `ModelStore`. */
export function classifierModelName(classifier: string): string {
  return CLASSIFIER_PREFIX + classifier
}

/** The classifier of a name in a `ModelStore`; undefined for a mentor's. */
export function classifierOfModelName(name: string): string | undefined {
  return name.startsWith(CLASSIFIER_PREFIX) ? name.slice(CLASSIFIER_PREFIX.length) : undefined
}

/** The mentor of a name in a `ModelStore`; undefined for a classifier's. */
export function mentorOfModelName(name: string): string | undefined {
  return name.startsWith(MENTOR_PREFIX) ? name.slice(MENTOR_PREFIX.length) : undefined
}
