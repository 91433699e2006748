/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { SessionSource } from './encoder-session.ts'
import type { TokenBatch } from './token-batch.ts'

/** Worker data of an encoder thread. */
export interface EncoderWorkerData {
  readonly source: SessionSource
  readonly workerIndex: number
  /** See {@link BatchSlot}. */
  readonly slot: { readonly buffer: SharedArrayBuffer; readonly maxSentences: number; readonly maxTokens: number }
}

/** Messages from the pool to a worker. Buffers are transferred, not copied. */
export type WorkerRequest = ({ readonly type: 'batch' } & TokenBatch) | { readonly type: 'close' }

/** Messages from a worker to the pool. */
export type WorkerReply =
  | { readonly type: 'ready' }
  | {
      readonly type: 'embeddings'
      readonly values: Float32Array<ArrayBuffer>
      readonly inferenceMs: number
      /** Whether the worker has taken the offered batch and computes it now. */
      readonly hasNext: boolean
    }
  | { readonly type: 'failure'; readonly message: string }
