/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Token ids of at most as many sentences as the model takes at once. */
export interface TokenBatch {
  /** All tokens, sentence after sentence. The worker gets the buffer; it is empty here afterwards. */
  readonly ids: Int32Array<ArrayBuffer>
  /** Tokens of each sentence. */
  readonly lengths: readonly number[]
}
