/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createHash } from 'node:crypto'

import type { SqliteFile } from '../storage/sqlite-file.ts'
import { rowOf, type Encoder } from './encoder.ts'
import { nextTurn } from './similarity.ts'

/** The oldest rows are evicted first; an ascending primary key finds them cheaply. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS embeddings (
    seq INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, float32s BLOB NOT NULL
  ) STRICT;
`

/**
 * Texts that are looked up, encoded and stored at a time; this takes the main thread, and the file's lock, for some
 * milliseconds.
 */
const TEXTS_A_CALL = 128

/** Options of {@link EmbeddingCache.encode}. */
export interface CachedEncodeOptions {
  readonly signal?: AbortSignal
  /** Called with the share that is done, 0 to 1. */
  readonly onProgress?: (share: number) => void
}

/** Embeddings of many texts. */
export interface CachedEmbeddings {
  /** n × dimensions, row-major. */
  readonly values: Float32Array<ArrayBuffer>
  /** Number of distinct texts that had to be encoded; the others were cache hits. */
  readonly encodedCount: number
}

/**
 * Cache of embeddings on disk, by encoder revision and text. A training after a small change of a mentor encodes only
 * the changed texts, and an interrupted one resumes where it was.
 */
export class EmbeddingCache {
  readonly #file: SqliteFile
  readonly #encoder: Encoder
  readonly #maxTexts: number

  /** @param maxTexts maximum number of texts; beyond it the oldest are evicted. A text takes some 1.6 KB of disk */
  constructor(file: SqliteFile, encoder: Encoder, maxTexts: number) {
    this.#file = file
    this.#encoder = encoder
    this.#maxTexts = maxTexts
    file.define(SCHEMA)
  }

  /** Encodes texts in the encoder's bulk lane: each distinct text once, and none that is cached. */
  async encode(texts: readonly string[], options: CachedEncodeOptions = {}): Promise<CachedEmbeddings> {
    const { dimensions } = this.#encoder
    const indexesOf = Map.groupBy(texts.keys(), (index) => texts[index]!)
    const different = [...indexesOf.keys()]
    const values = new Float32Array(texts.length * dimensions)
    let encodedCount = 0
    for (let from = 0; from < different.length; from += TEXTS_A_CALL) {
      // Without this, a run of cache hits would hold the main thread.
      await nextTurn(options.signal)
      const some = different.slice(from, from + TEXTS_A_CALL)
      const rows = some.map((text) => this.#find(text))
      const missing = some.filter((_, index) => rows[index] === undefined)
      const encoded = await this.#encodeMissing(missing, options.signal)
      encodedCount += missing.length
      for (const [index, text] of some.entries()) {
        const row = rows[index] ?? encoded.get(text)!
        for (const at of indexesOf.get(text)!) values.set(row, at * dimensions)
      }
      options.onProgress?.(Math.min(1, (from + TEXTS_A_CALL) / different.length))
    }
    return { values, encodedCount }
  }

  async #encodeMissing(texts: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, Float32Array>> {
    if (texts.length === 0) return new Map()
    const embeddings = await this.#encoder.encode(texts, { lane: 'bulk', ...(signal !== undefined && { signal }) })
    const rows = new Map(texts.map((text, index) => [text, rowOf(embeddings, index)]))
    // Not durable: texts that a power loss takes away are encoded again.
    this.#file.transact(false, () => {
      for (const [text, row] of rows) {
        const bytes = new Uint8Array(row.buffer, row.byteOffset, row.byteLength)
        this.#file.run('INSERT OR IGNORE INTO embeddings (key, float32s) VALUES (?, ?)', this.#keyOf(text), bytes)
      }
      this.#file.run('DELETE FROM embeddings WHERE seq <= (SELECT max(seq) FROM embeddings) - ?', this.#maxTexts)
    })
    return rows
  }

  #find(text: string): Float32Array | undefined {
    const bytes = this.#file.get('SELECT float32s FROM embeddings WHERE key = ?', this.#keyOf(text))?.['float32s']
    if (!(bytes instanceof Uint8Array) || bytes.byteLength !== this.#encoder.dimensions * 4) return undefined
    // A copy, since the bytes of a blob need not begin where numbers may.
    return new Float32Array(new Uint8Array(bytes).buffer)
  }

  #keyOf(text: string): Uint8Array {
    return createHash('sha256').update(this.#encoder.revision).update('\n').update(text).digest()
  }
}
