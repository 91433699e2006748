/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Median and range of repeated measurements. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/**
 * The value that a fraction of the sorted values does not exceed (nearest rank).
 * `percentile([1, 2, 3, 4], 0.5)` gives 2.
 * @param sorted ascending
 * @throws RangeError when there are no values
 */
export function percentile(sorted: ArrayLike<number>, fraction: number): number {
  const rank = Math.ceil(fraction * sorted.length)
  const value = sorted[Math.min(Math.max(rank, 1), sorted.length) - 1]
  if (value === undefined) throw new RangeError('Cannot take a percentile: there are no values')
  return value
}

/** Median (the mean of the middle two where their number is even), least and greatest. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.ceil(sorted.length / 2) - 1]
  if (upper === undefined || lower === undefined) throw new RangeError('Cannot take a median: there are no values')
  return { median: (lower + upper) / 2, min: sorted[0] ?? lower, max: sorted.at(-1) ?? upper }
}

/**
 * Ratios of two things measured in turns, round by round: what slowed the machine down in one round slowed both.
 * @throws RangeError when the numbers of rounds differ
 */
export function pairedRatios(numerators: readonly number[], denominators: readonly number[]): Spread {
  if (numerators.length !== denominators.length) {
    throw new RangeError(`Cannot pair ${numerators.length} rounds with ${denominators.length}`)
  }
  return spreadOf(numerators.map((numerator, round) => numerator / (denominators[round] ?? Number.NaN)))
}

/**
 * Probability of a difference at least as great, were both equally good at questions that one of them alone has right:
 * McNemar's exact test, of both sides.
 * @param won questions that the one alone has right
 * @param lost questions that the other alone has right
 */
export function mcNemar(won: number, lost: number): number {
  const count = won + lost
  let chance = 2 ** -count
  let tail = 0
  for (let k = 0; k <= Math.min(won, lost); k++) {
    tail += chance
    chance *= (count - k) / (k + 1)
  }
  return Math.min(1, 2 * tail)
}
