/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** A word of a sentence with the tagger's tags. */
export interface TaggedTerm {
  /** As written, without punctuation before and after: `I'm`, `NASA's`. */
  readonly text: string
  /** Position of its first character in the whole text, and of the one after its last. */
  readonly start: number
  readonly end: number
  /** The text between it and the next word, white space included. */
  readonly after: string
  /** Parts of speech and kinds of names, in the tagger's words: `Verb`, `Person`, `City`. */
  readonly tags: ReadonlySet<string>
}

/** The words of a sentence, in order. */
export interface TaggedSentence {
  /** The whole text, to which the offsets refer. */
  readonly text: string
  readonly terms: readonly TaggedTerm[]
}
