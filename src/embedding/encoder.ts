/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** What to do with a text of more tokens than the model reads: cut its end, cut its start or refuse it. */
export type Truncate = 'end' | 'start' | 'none'

/** Who waits for the embeddings: a person (served first) or a job (never starved). */
export type Lane = 'interactive' | 'bulk'

/** How to encode, and for whom. */
export interface EncodeOptions {
  /** @default 'end' */
  readonly truncate?: Truncate
  /** @default 'interactive', but 'bulk' for a call of many sentences */
  readonly lane?: Lane
  /**
   * Identifies the caller: callers with different keys take turns, so that many requests of one do not starve another.
   */
  readonly callerKey?: string
  /** Aborts when the caller has left or its deadline has passed; sentences that have not begun are then skipped. */
  readonly signal?: AbortSignal
  /** How long the caller will wait from now on; work that will certainly take longer is refused at once. */
  readonly deadlineMs?: number
}

/** Where the time of one call went, in milliseconds. */
export interface EncodeTimings {
  readonly tokenizeMs: number
  /** From the end of tokenizing until the last of the call's batches began. */
  readonly queueMs: number
  readonly inferenceMs: number
}

/** Embeddings of n sentences. */
export interface Embeddings {
  /** n × dimensions, row-major; each row has L2 norm 1. */
  readonly values: Float32Array
  readonly dimensions: number
  /** Tokens of each sentence as encoded, `[CLS]` and `[SEP]` included. */
  readonly tokenCounts: Int32Array
  /** Whether a sentence was longer than the model reads and was cut; one for each sentence. */
  readonly isTruncated: readonly boolean[]
  readonly timings: EncodeTimings
}

/** Turns sentences into embeddings. Encoding is batch-invariant: a text gives the same bytes alone and in any batch. */
export interface Encoder {
  /** Names the weights, the graph and the tokenizer: as long as it stays, a text's embedding stays. */
  readonly revision: string
  readonly dimensions: number
  /** The most tokens that the model reads of one sentence, `[CLS]` and `[SEP]` included. */
  readonly maxTokens: number
  /**
   * Encodes sentences; row i of the result belongs to sentence i. No sentences give no rows.
   * @throws {ServiceError} INVALID_REQUEST when `truncate` is 'none' and a sentence is too long; OVERLOADED or
   *   TOO_MANY_REQUESTS when there is no room for the whole call (nothing of it was done); UNAVAILABLE when no model is
   *   loaded or the worker that computed a batch died; the signal's reason when it aborts.
   */
  encode(sentences: readonly string[], options?: EncodeOptions): Promise<Embeddings>
  /**
   * Encodes sentences given as token ids; `[CLS]` and `[SEP]` are added where a row lacks them at its ends. Otherwise
   * as {@link encode}, truncation and errors included.
   * @throws {ServiceError} INVALID_REQUEST when an id is not in the vocabulary
   */
  encodeTokens(tokenIds: readonly Int32Array[], options?: EncodeOptions): Promise<Embeddings>
}

/** Row `index` of n × dimensions embeddings: a view, not a copy. */
export function rowOf(embeddings: Pick<Embeddings, 'values' | 'dimensions'>, index: number): Float32Array {
  return embeddings.values.subarray(index * embeddings.dimensions, (index + 1) * embeddings.dimensions)
}
