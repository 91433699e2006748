/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** A range of confidences and the share of confidences in it. Bins are adjacent; the first has no lower bound. */
export interface ConfidenceBin {
  /** The greatest confidence of the bin; null for the last one, which has no upper bound. */
  readonly upTo: number | null
  readonly share: number
}

const BINS = 10

/** Makes bins with about a tenth of the confidences each; fewer where many are equal, none without confidences. */
export function confidenceBins(confidences: readonly number[]): ConfidenceBin[] {
  if (confidences.length === 0) return []
  const sorted = Float64Array.from(confidences).toSorted()
  const deciles = Array.from({ length: BINS - 1 }, (_, i) => sorted[Math.ceil(((i + 1) / BINS) * sorted.length) - 1]!)
  // The last bin is empty when the last decile is the greatest confidence.
  const edges = [...new Set(deciles)]
  const bins: ConfidenceBin[] = []
  let below = 0
  for (const upTo of edges) {
    const atMost = sorted.findLastIndex((confidence) => confidence <= upTo) + 1
    bins.push({ upTo, share: (atMost - below) / sorted.length })
    below = atMost
  }
  bins.push({ upTo: null, share: (sorted.length - below) / sorted.length })
  return bins
}

/** Number of latest predictions that are compared. */
const WINDOW = 1000
/** Minimum number of predictions. With fewer the index is mostly chance: without drift it is about (bins − 1) / predictions. */
const MIN_PREDICTIONS = 200
/** Added to the count of each bin, since the logarithm of an empty one is infinite (Jeffreys' prior). */
const PSEUDO_COUNT = 0.5

/**
 * Drift of the latest predictions' confidences from the out-of-fold confidences of the training.
 *
 * Population stability index over the bins: Σ (now − then) · ln(now / then). Conventionally below 0.1 is no change and above
 * 0.25 a large one. It needs no labels: questions of another kind make a model less confident.
 */
export class ConfidenceDrift {
  readonly #bins: readonly ConfidenceBin[]
  readonly #window = new Uint8Array(WINDOW)
  readonly #counts: Float64Array
  #predictionCount = 0

  constructor(bins: readonly ConfidenceBin[]) {
    this.#bins = bins
    this.#counts = new Float64Array(bins.length)
  }

  add(confidence: number): void {
    const bin = this.#bins.findIndex(({ upTo }) => upTo === null || confidence <= upTo)
    if (bin < 0) return
    const place = this.#predictionCount % WINDOW
    if (this.#predictionCount >= WINDOW) this.#counts[this.#window[place]!]! -= 1
    this.#window[place] = bin
    this.#counts[bin]! += 1
    this.#predictionCount += 1
  }

  /** Population stability index; undefined with too few predictions, or without bins to compare them with. */
  get stabilityIndex(): number | undefined {
    const count = Math.min(this.#predictionCount, WINDOW)
    if (count < MIN_PREDICTIONS || this.#bins.length < 2) return undefined
    let index = 0
    for (const [bin, { share }] of this.#bins.entries()) {
      const smoothed = (part: number): number => (part + PSEUDO_COUNT) / (count + PSEUDO_COUNT * this.#bins.length)
      const now = smoothed(this.#counts[bin]!)
      const then = smoothed(share * count)
      index += (now - then) * Math.log(now / then)
    }
    return index
  }
}
