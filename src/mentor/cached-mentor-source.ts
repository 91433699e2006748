/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { LRUCache } from 'lru-cache'
import type { FindOptions, FoundMentor, MentorSource } from './mentor-source.ts'

/** Options of the cache. */
export interface CachedMentorSourceOptions {
  readonly source: MentorSource
  /** Memory for all mentors together, in bytes; the least recently used are evicted first. */
  readonly maxBytes: number
  /** Maximum age of a mentor that is returned without asking the source. */
  readonly freshMs: number
  /** Maximum age of a mentor that is returned at all. Between the two ages it is returned, and read again in the background. */
  readonly maxAgeMs: number
  /** Called when a mentor could not be read again and the cached one was returned. */
  readonly onStale: (mentorId: string, error: unknown) => void
  /** Milliseconds that never jump. @default performance.now */
  readonly nowMs?: () => number
}

interface Remembered {
  readonly found: FoundMentor
  readonly readAtMs: number
}

/**
 * Caches mentors of a source that is slow or sometimes unavailable (stale while revalidate).
 *
 * A cached mentor is returned to every caller who sends the same `custom-external-origin`, so whether a caller may read a
 * mentor must be decided without asking the source. Concurrent requests for a mentor with the same headers share one read.
 */
export class CachedMentorSource implements MentorSource {
  readonly #options: CachedMentorSourceOptions
  readonly #nowMs: () => number
  readonly #mentors: LRUCache<string, Remembered>
  readonly #reading = new Map<string, Promise<FoundMentor | undefined>>()

  constructor(options: CachedMentorSourceOptions) {
    this.#options = options
    this.#nowMs = options.nowMs ?? (() => performance.now())
    this.#mentors = new LRUCache({
      maxSize: options.maxBytes,
      sizeCalculation: ({ found }) => Math.max(1, found.byteLength)
    })
  }

  async revisionOf(id: string, options?: FindOptions): Promise<string | undefined> {
    return (await this.find(id, options))?.revision
  }

  /** @throws what the source throws, unless a cached mentor may still be returned */
  async find(id: string, options: FindOptions = {}): Promise<FoundMentor | undefined> {
    const { freshness = 'any' } = options
    if (freshness === 'required') return this.#readNow(id, options)
    const { freshMs, maxAgeMs, onStale } = this.#options
    const remembered = this.#mentors.get(cacheKey(id, options))
    const ageMs = remembered === undefined ? Infinity : this.#nowMs() - remembered.readAtMs
    if (ageMs < freshMs && freshness === 'any') return remembered?.found
    const reading = this.#read(id, options)
    if (remembered === undefined || ageMs >= maxAgeMs) return reading
    const fallBack = (error: unknown) => {
      onStale(id, error)
      return remembered.found
    }
    if (freshness === 'preferred') return reading.catch(fallBack)
    void reading.catch(fallBack)
    return remembered.found
  }

  #read(id: string, options: FindOptions): Promise<FoundMentor | undefined> {
    // Only equal requests share one: a caller must not fail for what is wrong with another one's token.
    const key = JSON.stringify([cacheKey(id, options), options.caller?.authorization ?? ''])
    const reading = this.#reading.get(key) ?? this.#readNow(id, options).finally(() => this.#reading.delete(key))
    this.#reading.set(key, reading)
    return reading
  }

  async #readNow(id: string, options: FindOptions): Promise<FoundMentor | undefined> {
    const key = cacheKey(id, options)
    const askedAtMs = this.#nowMs()
    const found = await this.#options.source.find(id, options)
    // A slow reading must not take the place of a later one that was quicker.
    if ((this.#mentors.peek(key)?.readAtMs ?? -Infinity) > askedAtMs) return found
    if (found === undefined) this.#mentors.delete(key)
    else this.#mentors.set(key, { found, readAtMs: askedAtMs })
    return found
  }
}

function cacheKey(id: string, { caller }: FindOptions): string {
  return JSON.stringify([id, caller?.externalOrigin ?? ''])
}
