/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { confidenceBins, type ConfidenceBin } from './confidence-drift.ts'

/** A class and the classifier's confidence in it. */
export interface RankedClass {
  readonly class: number
  readonly confidence: number
}

/** A classifier's prediction for a question with a known answer or known to have none. */
export interface JudgedQuestion {
  /** Position of the question in its set. */
  readonly question: number
  /** The right class; undefined for an off-topic question. */
  readonly label: number | undefined
  /** Most confident first, at least one. */
  readonly ranked: readonly RankedClass[]
  /** Score of being on topic: the greater, the likelier. */
  readonly topicScore: number
  readonly isOffTopic: boolean
}

/** Metrics of one class; null where the denominator is 0. */
export interface ClassFigures {
  readonly class: number
  /** Number of questions of the class. */
  readonly support: number
  /** Share of the questions assigned to this class that belong to it. */
  readonly precision: number | null
  /** Share of the class's questions that were assigned to it. */
  readonly recall: number | null
  /** Harmonic mean of the two. */
  readonly f1: number | null
}

/** Number of questions of one class that were assigned to another. */
export interface ConfusionPair {
  readonly label: number
  readonly predicted: number
  readonly count: number
}

/** A bin of questions with similar confidence. */
export interface CalibrationBin {
  readonly count: number
  readonly meanConfidence: number
  /** Share of them that are right. */
  readonly accuracy: number
}

/** Figures with the off-topic threshold at `threshold`. */
export interface OffTopicPoint {
  readonly threshold: number
  /** Share of the on-topic questions that are answered. */
  readonly coverage: number
  /** Share of these answers that are wrong. */
  readonly errorRate: number | null
  /** Share of the off-topic questions that are answered. */
  readonly offTopicAnswered: number | null
}

export interface EvaluationReport {
  /** Number of questions with a known answer. */
  readonly questionCount: number
  readonly offTopicCount: number
  /** Share of the questions with a known answer whose best class is right, without the off-topic rule. */
  readonly accuracy: number | null
  /** Share of the questions with a known answer that get it, with the off-topic rule. */
  readonly answeredRight: number | null
  /** Share of the questions with a known answer that the off-topic rule refuses. */
  readonly refused: number | null
  /** Share of the off-topic questions that the off-topic rule refuses. */
  readonly offTopicRefused: number | null
  /**
   * Expected calibration error over questions with and without an answer, 15 bins; null where confidence is not a
   * probability.
   */
  readonly calibrationError: number | null
  /** The bins of {@link calibrationError} that have questions, by rising confidence; null when it is null. */
  readonly calibration: readonly CalibrationBin[] | null
  /** Distribution of the confidences, for comparison with later ones. */
  readonly confidenceBins: readonly ConfidenceBin[]
  /** Probability that an on-topic question scores above an off-topic one (area under the ROC curve). */
  readonly offTopicAuroc: number | null
  readonly offTopicCurve: readonly OffTopicPoint[]
  /** Classes that are a right answer or were predicted, in order. */
  readonly classes: readonly ClassFigures[]
  /** Unweighted mean of the classes' F1, classes without one counted as 0. */
  readonly macroF1: number | null
  /** Most frequent first. */
  readonly confusions: readonly ConfusionPair[]
  /** Questions whose best class is wrong, the most confident first. */
  readonly errors: readonly JudgedQuestion[]
}

const CALIBRATION_BINS = 15
const CURVE_POINTS = 21

/**
 * Computes the metrics of judged questions: out-of-fold ones or those of a test set.
 * @param hasProbabilities whether confidence is a probability; calibration has no meaning otherwise
 */
export function evaluate(judged: readonly JudgedQuestion[], hasProbabilities: boolean): EvaluationReport {
  const known = judged.filter((one) => one.label !== undefined)
  const offTopic = judged.filter((one) => one.label === undefined)
  const right = known.filter(isRight)
  const classes = classFigures(known)
  const calibration = calibrationBins(judged)
  return {
    questionCount: known.length,
    offTopicCount: offTopic.length,
    accuracy: share(right.length, known.length),
    answeredRight: share(right.filter((one) => !one.isOffTopic).length, known.length),
    refused: share(known.filter((one) => one.isOffTopic).length, known.length),
    offTopicRefused: share(offTopic.filter((one) => one.isOffTopic).length, offTopic.length),
    calibrationError: hasProbabilities ? calibrationError(calibration) : null,
    calibration: hasProbabilities ? calibration : null,
    confidenceBins: confidenceBins(known.map((one) => one.ranked[0]!.confidence)),
    offTopicAuroc: auroc(
      known.map((one) => one.topicScore),
      offTopic.map((one) => one.topicScore)
    ),
    offTopicCurve: offTopicCurve(known, offTopic),
    classes,
    macroF1: share(
      classes.reduce((sum, one) => sum + (one.f1 ?? 0), 0),
      classes.length
    ),
    confusions: confusionPairs(known),
    errors: known
      .filter((one) => !isRight(one))
      .toSorted((a, b) => b.ranked[0]!.confidence - a.ranked[0]!.confidence || a.question - b.question)
  }
}

/**
 * Chance that a value of `positives` exceeds one of `negatives`, equal values counted half; null when one side is empty.
 * Source: Mann and Whitney 1947, by ranks.
 */
export function auroc(positives: readonly number[], negatives: readonly number[]): number | null {
  if (positives.length === 0 || negatives.length === 0) return null
  const sorted = negatives.toSorted((a, b) => a - b)
  let wins = 0
  for (const value of positives) wins += (countBelow(sorted, value, false) + countBelow(sorted, value, true)) / 2
  return wins / positives.length / negatives.length
}

function isRight(one: JudgedQuestion): boolean {
  return one.ranked[0]!.class === one.label
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole
}

/** Number of sorted values below `value`, or also equal to it. */
export function countBelow(sorted: readonly number[], value: number, isEqualCounted: boolean): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const other = sorted[middle]!
    if (other < value || (isEqualCounted && other === value)) low = middle + 1
    else high = middle
  }
  return low
}

/** Bins the questions by confidence, in bins of equal width. */
function calibrationBins(known: readonly JudgedQuestion[]): CalibrationBin[] {
  const bins = Array.from({ length: CALIBRATION_BINS }, () => ({ count: 0, confidence: 0, right: 0 }))
  for (const one of known) {
    const { confidence } = one.ranked[0]!
    const bin = bins[Math.min(CALIBRATION_BINS - 1, Math.max(0, Math.ceil(confidence * CALIBRATION_BINS) - 1))]!
    bin.count += 1
    bin.confidence += confidence
    bin.right += isRight(one) ? 1 : 0
  }
  return bins
    .filter(({ count }) => count > 0)
    .map(({ count, confidence, right }) => ({ count, meanConfidence: confidence / count, accuracy: right / count }))
}

/**
 * Expected calibration error: mean difference of confidence and accuracy over the bins, weighted by their questions
 * (Guo et al. 2017).
 */
function calibrationError(bins: readonly CalibrationBin[]): number | null {
  return share(
    bins.reduce((sum, { count, meanConfidence, accuracy }) => sum + count * Math.abs(meanConfidence - accuracy), 0),
    bins.reduce((sum, { count }) => sum + count, 0)
  )
}

function classFigures(known: readonly JudgedQuestion[]): ClassFigures[] {
  const counts = new Map<number, { support: number; given: number; right: number }>()
  const countsOf = (k: number) => {
    let of = counts.get(k)
    if (of === undefined) counts.set(k, (of = { support: 0, given: 0, right: 0 }))
    return of
  }
  for (const one of known) {
    countsOf(one.label!).support += 1
    countsOf(one.ranked[0]!.class).given += 1
    if (isRight(one)) countsOf(one.label!).right += 1
  }
  return [...counts]
    .toSorted(([a], [b]) => a - b)
    .map(([k, { support, given, right }]) => ({
      class: k,
      support,
      precision: share(right, given),
      recall: share(right, support),
      f1: support === 0 ? null : (2 * right) / (support + given)
    }))
}

function confusionPairs(known: readonly JudgedQuestion[]): ConfusionPair[] {
  const pairs = new Map<string, { label: number; predicted: number; count: number }>()
  for (const one of known) {
    if (isRight(one)) continue
    const label = one.label!
    const predicted = one.ranked[0]!.class
    const key = `${label} ${predicted}`
    const pair = pairs.get(key)
    if (pair === undefined) pairs.set(key, { label, predicted, count: 1 })
    else pair.count += 1
  }
  return [...pairs.values()].toSorted((a, b) => b.count - a.count || a.label - b.label || a.predicted - b.predicted)
}

/**
 * Computes the curve at evenly spaced shares of the on-topic questions, from all answered down to the best-scored
 * twentieth.
 */
function offTopicCurve(known: readonly JudgedQuestion[], offTopic: readonly JudgedQuestion[]): OffTopicPoint[] {
  if (known.length === 0) return []
  const scores = known.map((one) => one.topicScore).toSorted((a, b) => a - b)
  const thresholds = Array.from(
    { length: CURVE_POINTS - 1 },
    (_, i) => scores[Math.floor((i / (CURVE_POINTS - 1)) * scores.length)]!
  )
  return [...new Set(thresholds)].map((threshold) => {
    const answered = known.filter((one) => one.topicScore >= threshold)
    const wrong = answered.filter((one) => !isRight(one)).length
    return {
      threshold,
      coverage: answered.length / known.length,
      errorRate: share(wrong, answered.length),
      offTopicAnswered: share(offTopic.filter((one) => one.topicScore >= threshold).length, offTopic.length)
    }
  })
}
