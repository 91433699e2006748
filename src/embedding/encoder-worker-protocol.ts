/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { SessionSource } from './encoder-session.ts'
import type { TokenBatch } from './token-batch.ts'

/** What a worker thread is started with. */
export interface EncoderWorkerData {
  readonly source: SessionSource
  readonly workerIndex: number
  /** See {@link BatchSlot}. */
  readonly slot: { readonly buffer: SharedArrayBuffer; readonly maxSentences: number; readonly maxTokens: number }
}

/** What the pool tells a worker. Buffers are transferred, not copied. */
export type WorkerRequest = ({ readonly type: 'batch' } & TokenBatch) | { readonly type: 'close' }

/** What a worker tells the pool. */
export type WorkerReply =
  | { readonly type: 'ready' }
  | {
      readonly type: 'embeddings'
      readonly values: Float32Array<ArrayBuffer>
      readonly inferenceMs: number
      /** Whether it has taken the batch that was offered, and computes that now. */
      readonly hasNext: boolean
    }
  | { readonly type: 'failure'; readonly message: string }
