/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { cosineOf, dotProduct, nextTurn, rowCount, rowNorms, type Rows } from './similarity.ts'

/** Two sentences and their cosine similarity; `i < j`. */
export interface ParaphrasePair {
  readonly score: number
  readonly i: number
  readonly j: number
}

/** Bounds of the search. */
export interface ParaphraseOptions {
  /** Maximum number of partners of one sentence's search. @default 100 */
  readonly topK?: number
  /** Maximum number of pairs in the result. @default 500000 */
  readonly maxPairs?: number
  readonly signal?: AbortSignal
}

/** Rows of a block. Two blocks stay in the CPU's cache while they are compared, which takes some 2 ms. */
const BLOCK_ROWS = 64

/**
 * Finds the most similar pairs of sentences, best first; pairs of equal score in the order of `i`, then `j`.
 *
 * A pair is found when one of its sentences is among the `topK` nearest of the other; of equally near ones, the first
 * are taken.
 * Time O(n² · dimensions), memory O(n · topK): no matrix is ever held. Lets the event loop run between blocks.
 * Source: sentence-transformers, `util.paraphrase_mining`.
 * @throws what `signal` aborts with
 */
export async function mineParaphrases(rows: Rows, options: ParaphraseOptions = {}): Promise<ParaphrasePair[]> {
  const { topK = 100, maxPairs = 500_000, signal } = options
  const count = rowCount(rows)
  const norms = rowNorms(rows)
  const nearest = Array.from({ length: count }, () => new NearestRows(Math.min(topK, Math.max(count - 1, 0))))
  for (let rowStart = 0; rowStart < count; rowStart += BLOCK_ROWS) {
    const rowEnd = Math.min(rowStart + BLOCK_ROWS, count)
    for (let columnStart = rowStart; columnStart < count; columnStart += BLOCK_ROWS) {
      const columnEnd = Math.min(columnStart + BLOCK_ROWS, count)
      for (let i = rowStart; i < rowEnd; i += 1) {
        for (let j = Math.max(columnStart, i + 1); j < columnEnd; j += 1) {
          const dot = dotProduct(rows.values, i * rows.dimensions, rows.values, j * rows.dimensions, rows.dimensions)
          const score = cosineOf(dot, norms[i]!, norms[j]!)
          nearest[i]!.offer(score, j)
          nearest[j]!.offer(score, i)
        }
      }
      await nextTurn(signal)
    }
  }
  return bestPairs(nearest, maxPairs)
}

/** Each pair once, though both of its sentences may have found the other. */
function bestPairs(nearest: readonly NearestRows[], maxPairs: number): ParaphrasePair[] {
  const pairs: ParaphrasePair[] = []
  for (const [i, found] of nearest.entries()) {
    for (const { score, row } of found.entries()) {
      if (i < row) pairs.push({ score, i, j: row })
      else if (!nearest[row]!.has(i, score)) pairs.push({ score, i: row, j: i })
    }
  }
  pairs.sort((a, b) => b.score - a.score || a.i - b.i || a.j - b.j)
  return pairs.length > maxPairs ? pairs.slice(0, maxPairs) : pairs
}

/** The k best rows offered so far: a binary heap with the worst of them on top. */
class NearestRows {
  readonly #capacity: number
  readonly #scores: Float32Array
  readonly #rows: Uint32Array
  #size = 0

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#scores = new Float32Array(capacity)
    this.#rows = new Uint32Array(capacity)
  }

  /** Keeps a row if it is better than the worst one kept; of two with one score the first row is better. */
  offer(score: number, row: number): void {
    if (this.#size < this.#capacity) {
      this.#siftUp(score, row)
    } else if (this.#capacity > 0 && isWorse(this.#scores[0]!, this.#rows[0]!, score, row)) {
      this.#siftDown(score, row)
    }
  }

  /** Whether a row of this score is kept. */
  has(row: number, score: number): boolean {
    if (this.#size < this.#capacity) return true
    // Every row that is better than the worst kept one has been offered, and so is kept.
    return !isWorse(score, row, this.#scores[0]!, this.#rows[0]!)
  }

  /** The kept rows, in no particular order. */
  *entries(): Generator<{ score: number; row: number }> {
    for (let index = 0; index < this.#size; index += 1) yield { score: this.#scores[index]!, row: this.#rows[index]! }
  }

  #siftUp(score: number, row: number): void {
    let index = this.#size
    this.#size += 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isWorse(score, row, this.#scores[parent]!, this.#rows[parent]!)) break
      this.#place(index, this.#scores[parent]!, this.#rows[parent]!)
      index = parent
    }
    this.#place(index, score, row)
  }

  #siftDown(score: number, row: number): void {
    let index = 0
    for (;;) {
      let child = index * 2 + 1
      if (child >= this.#size) break
      const other = child + 1
      if (
        other < this.#size &&
        isWorse(this.#scores[other]!, this.#rows[other]!, this.#scores[child]!, this.#rows[child]!)
      ) {
        child = other
      }
      if (!isWorse(this.#scores[child]!, this.#rows[child]!, score, row)) break
      this.#place(index, this.#scores[child]!, this.#rows[child]!)
      index = child
    }
    this.#place(index, score, row)
  }

  #place(index: number, score: number, row: number): void {
    this.#scores[index] = score
    this.#rows[index] = row
  }
}

function isWorse(score: number, row: number, otherScore: number, otherRow: number): boolean {
  return score < otherScore || (score === otherScore && row > otherRow)
}
