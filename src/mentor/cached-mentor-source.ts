/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { LRUCache } from 'lru-cache'
import type { FindOptions, FoundMentor, MentorSource } from './mentor-source.ts'

/** How to remember mentors. */
export interface CachedMentorSourceOptions {
  readonly source: MentorSource
  /** Memory for all mentors together, in bytes; those asked for least recently go first. */
  readonly maxBytes: number
  /** A mentor read so recently is given without asking the source. */
  readonly freshMs: number
  /** A mentor read longer ago than this is not given any more. Between the two it is given, and read anew meanwhile. */
  readonly maxAgeMs: number
  /** Told when a mentor could not be read anew while the one remembered was given. */
  readonly onStale: (mentorId: string, error: unknown) => void
  /** Milliseconds that never jump. @default performance.now */
  readonly nowMs?: () => number
}

interface Remembered {
  readonly found: FoundMentor
  readonly readAtMs: number
}

/**
 * Remembers mentors of a source that is slow, or at times away: stale while revalidate.
 *
 * What is remembered is given to every caller who sends the same `custom-external-origin`: whether one may read a mentor at
 * all must be known without asking the source. Of callers who want the same mentor at once, with the same headers, one asks.
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

  /** @throws what the source throws, unless a mentor is remembered that may still be given */
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
