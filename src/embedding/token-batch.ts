/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Token ids of the sentences of one batch. */
export interface TokenBatch {
  /**
   * All tokens, sentence after sentence. Sending the batch to a worker transfers the buffer and leaves this array
   * empty.
   */
  readonly ids: Int32Array<ArrayBuffer>
  /** Tokens of each sentence. */
  readonly lengths: readonly number[]
}

/** A tokenized sentence. */
interface TokenizedSentence {
  readonly ids: Int32Array
}

/** Number of tokens of several sentences. */
export function tokenCountOf(sentences: readonly TokenizedSentence[]): number {
  return sentences.reduce((sum, { ids }) => sum + ids.length, 0)
}

/** Concatenates the token ids of sentences. */
export function stack(sentences: readonly TokenizedSentence[]): TokenBatch {
  const lengths = sentences.map(({ ids }) => ids.length)
  const ids = new Int32Array(tokenCountOf(sentences))
  let start = 0
  for (const sentence of sentences) {
    ids.set(sentence.ids, start)
    start += sentence.ids.length
  }
  return { ids, lengths }
}
