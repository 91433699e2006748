/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { LRUCache } from 'lru-cache'

/** A reply that is sent again byte by byte. */
export interface CachedReply {
  readonly body: Buffer
  readonly etag: string
  /** How many of the request's texts were cut. */
  readonly truncatedCount: number
}

/** What the cache has done so far. */
export interface ReplyCacheCounts {
  readonly hitCount: number
  readonly missCount: number
  readonly entryCount: number
  readonly bytes: number
}

/** What an entry takes beside its body and its key: the objects around them, measured at some 300 bytes. */
const ENTRY_OVERHEAD_BYTES = 300

/**
 * Finished replies, by all that decides their bytes. Bounded in bytes; the least recently used leave first.
 * A key names the model's revision, the options and the text, so that an entry never has to be taken back.
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
