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
