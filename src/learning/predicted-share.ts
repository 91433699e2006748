/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Range that a figure is predicted to lie in. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/** Points of the normal distribution of the log-odds: every tenth of a standard deviation, to 3.5 on both sides. */
const POINTS = Array.from({ length: 71 }, (_, i) => (i - 35) / 10)
/** Probability on each side of the interval. */
const TAIL = 0.05

/**
 * Prediction interval of 90% for the share of `count` questions that something is true of. The log-odds of its
 * probability have a normal distribution, and the number of questions a binomial one given that. Near 0 and 1 the
 * interval is asymmetric: of 60 questions with a probability of 0.99 all are often right.
 * @param middle mean of the log-odds
 * @param deviation their standard deviation
 */
export function predictShare(middle: number, deviation: number, count: number): Interval {
  const chances = new Float64Array(count + 1)
  const logBinomials = logBinomialsOf(count)
  for (const point of POINTS) {
    const logOdds = middle + deviation * point
    // log(1 − p) for p = 1 / (1 + e^−logOdds), which is exact where p is almost 1.
    const logMiss = -Math.max(0, logOdds) - Math.log1p(Math.exp(-Math.abs(logOdds)))
    const weight = -(point ** 2) / 2
    for (let k = 0; k <= count; k++) {
      chances[k]! += Math.exp(weight + logBinomials[k]! + k * logOdds + count * logMiss)
    }
  }
  const total = chances.reduce((sum, chance) => sum + chance, 0)
  const quantile = (share: number): number => {
    let sum = 0
    const at = chances.findIndex((chance) => (sum += chance) >= share * total)
    return at / count
  }
  return { low: quantile(TAIL), high: quantile(1 - TAIL) }
}

/** Logarithms of the binomial coefficients of `count`. */
function logBinomialsOf(count: number): Float64Array {
  const logs = new Float64Array(count + 1)
  for (let k = 1; k <= count; k++) logs[k] = logs[k - 1]! + Math.log((count - k + 1) / k)
  return logs
}
