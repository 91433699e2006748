/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { LRUCache } from 'lru-cache'

/** A cached reply, which is sent again byte for byte. */
export interface CachedReply {
  readonly body: Buffer
  readonly etag: string
  /** Number of the request's texts that were truncated. */
  readonly truncatedCount: number
}

/** Counts of a {@link ReplyCache}. */
export interface ReplyCacheCounts {
  readonly hitCount: number
  readonly missCount: number
  readonly entryCount: number
  readonly bytes: number
}

/** Memory of an entry beside its body and key, measured at some 300 bytes. */
const ENTRY_OVERHEAD_BYTES = 300

/**
 * Cache of finished replies, bounded in bytes, which evicts the least recently used. A key contains the model's revision, the
 * options and the text, so that entries need no invalidation.
 */
export class ReplyCache {
  readonly #replies: LRUCache<string, CachedReply> | undefined
  #hitCount = 0
  #missCount = 0

  /** @param maxBytes 0 keeps nothing */
  constructor(maxBytes: number) {
    if (maxBytes === 0) return
    this.#replies = new LRUCache<string, CachedReply>({
      maxSize: maxBytes,
      sizeCalculation: (reply, key) => reply.body.length + key.length * 2 + ENTRY_OVERHEAD_BYTES
    })
  }

  get(key: string): CachedReply | undefined {
    const reply = this.#replies?.get(key)
    if (reply === undefined) this.#missCount += 1
    else this.#hitCount += 1
    return reply
  }

  /** Like {@link get}, but does not count a miss, since the route will call {@link get} again. */
  find(key: string): CachedReply | undefined {
    const reply = this.#replies?.get(key)
    if (reply !== undefined) this.#hitCount += 1
    return reply
  }

  set(key: string, reply: CachedReply): void {
    this.#replies?.set(key, reply)
  }

  get counts(): ReplyCacheCounts {
    return {
      hitCount: this.#hitCount,
      missCount: this.#missCount,
      entryCount: this.#replies?.size ?? 0,
      bytes: this.#replies?.calculatedSize ?? 0
    }
  }
}
