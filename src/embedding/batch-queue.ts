/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Lane } from './encoder.ts'

/** A sentence that waits to be encoded. */
export interface QueuedSentence {
  readonly ids: Int32Array
  readonly callerKey: string
  readonly lane: Lane
  readonly enqueuedMs: number
}

/** After this many consecutive interactive batches, a waiting bulk batch runs, unless another one is running. */
const INTERACTIVE_BATCHES_PER_BULK_BATCH = 4

/**
 * Orders the waiting sentences: the interactive lane goes before the bulk lane, except at every fifth batch while no
 * bulk batch runs. Within a lane, the caller with the fewest computed tokens comes first; within a caller, the oldest
 * sentence.
 *
 * Source of the fairness: start-time fair queueing (Goyal, Vin, Cheng, 1996).
 */
export class BatchQueue<Sentence extends QueuedSentence> {
  readonly #lanes: Record<Lane, LaneQueue<Sentence>> = { interactive: new LaneQueue(), bulk: new LaneQueue() }
  #interactiveBatchesInRow = 0
  #tokenCount = 0

  /** Sentences that wait. */
  get size(): number {
    return this.#lanes.interactive.size + this.#lanes.bulk.size
  }

  /** Whether only bulk sentences wait. */
  get isAllBulk(): boolean {
    return this.#lanes.interactive.size === 0
  }

  /** Tokens of the sentences that wait. */
  get tokenCount(): number {
    return this.#tokenCount
  }

  /** When the oldest waiting sentence was enqueued, on the clock of `enqueuedMs`; undefined when none waits. */
  get oldestMs(): number | undefined {
    const times = [this.#lanes.interactive.oldestMs, this.#lanes.bulk.oldestMs].filter((time) => time !== undefined)
    return times.length === 0 ? undefined : Math.min(...times)
  }

  /** Puts a sentence at the end of its caller's line. */
  add(sentence: Sentence): void {
    this.#lanes[sentence.lane].add(sentence)
    this.#tokenCount += sentence.ids.length
  }

  /** Takes a sentence out before its turn; false when it does not wait here. */
  remove(sentence: Sentence): boolean {
    const isRemoved = this.#lanes[sentence.lane].remove(sentence)
    if (isRemoved) this.#tokenCount -= sentence.ids.length
    return isRemoved
  }

  /**
   * Takes the sentences of the next batch, all of one lane, at least one when any waits.
   * @param maxSentences maximum number of sentences of a batch
   * @param maxTokens budget of the batch; a longer sentence is taken alone
   * @param state the lane of a batch that these are added to (then only that lane's sentences are taken, perhaps none, and it
   *   counts as no batch of its own), and whether a worker computes a bulk batch (then bulk work is not starved, and takes no
   *   turn of the interactive lane)
   */
  takeBatch(
    maxSentences: number,
    maxTokens: number,
    { addedTo, isBulkRunning = false }: { addedTo?: Lane; isBulkRunning?: boolean } = {}
  ): Sentence[] {
    const lane = this.#lanes[addedTo ?? this.#nextLane(isBulkRunning)]
    const batch: Sentence[] = []
    let tokenCount = 0
    while (batch.length < maxSentences) {
      const next = lane.next()
      tokenCount += next?.ids.length ?? 0
      if (next === undefined || ((addedTo !== undefined || batch.length > 0) && tokenCount > maxTokens)) break
      this.remove(next)
      lane.charge(next)
      batch.push(next)
    }
    return batch
  }

  #nextLane(isBulkRunning: boolean): Lane {
    const { interactive, bulk } = this.#lanes
    const isBulkTurn = !isBulkRunning && this.#interactiveBatchesInRow >= INTERACTIVE_BATCHES_PER_BULK_BATCH
    const lane = bulk.size > 0 && (isBulkTurn || interactive.size === 0) ? 'bulk' : 'interactive'
    if (lane === 'bulk' || bulk.size === 0) this.#interactiveBatchesInRow = 0
    else if (!isBulkRunning) this.#interactiveBatchesInRow += 1
    return lane
  }
}

interface Line<Sentence> {
  readonly sentences: Set<Sentence>
  /** Tokens computed for the caller, on a clock that all callers share. */
  virtualTokens: number
}

/** One lane: a line for each caller. A Set keeps the order in which it was filled. */
class LaneQueue<Sentence extends QueuedSentence> {
  readonly #lines = new Map<string, Line<Sentence>>()
  readonly #all = new Set<Sentence>()
  /**
   * Virtual time of the caller that is served now. A caller that comes back starts here, so it gains nothing by its
   * pause.
   */
  #virtualNow = 0

  get size(): number {
    return this.#all.size
  }

  get oldestMs(): number | undefined {
    return firstOf(this.#all)?.enqueuedMs
  }

  add(sentence: Sentence): void {
    const line = this.#lines.get(sentence.callerKey) ?? { sentences: new Set(), virtualTokens: this.#virtualNow }
    line.sentences.add(sentence)
    this.#lines.set(sentence.callerKey, line)
    this.#all.add(sentence)
  }

  remove(sentence: Sentence): boolean {
    if (!this.#all.delete(sentence)) return false
    const line = this.#lines.get(sentence.callerKey)
    line?.sentences.delete(sentence)
    // A line is kept while its caller is ahead of the others: otherwise leaving and coming back would erase what it has
    // used.
    if (line?.sentences.size === 0 && line.virtualTokens <= this.#virtualNow) this.#lines.delete(sentence.callerKey)
    return true
  }

  /** Adds the tokens of a taken sentence to its caller's virtual time. */
  charge(sentence: Sentence): void {
    const line = this.#lines.get(sentence.callerKey) ?? { sentences: new Set(), virtualTokens: this.#virtualNow }
    line.virtualTokens = Math.max(line.virtualTokens, this.#virtualNow) + sentence.ids.length
    this.#lines.set(sentence.callerKey, line)
  }

  /** The sentence whose turn it is. */
  next(): Sentence | undefined {
    let least: Line<Sentence> | undefined
    for (const [callerKey, line] of this.#lines) {
      if (line.sentences.size === 0) {
        if (line.virtualTokens <= this.#virtualNow || this.#all.size === 0) this.#lines.delete(callerKey)
      } else if (least === undefined || line.virtualTokens < least.virtualTokens) {
        least = line
      }
    }
    if (least === undefined) return undefined
    this.#virtualNow = Math.max(this.#virtualNow, least.virtualTokens)
    return firstOf(least.sentences)
  }
}

function firstOf<T>(set: ReadonlySet<T>): T | undefined {
  return set.values().next().value
}
