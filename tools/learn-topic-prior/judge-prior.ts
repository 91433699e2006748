/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { ownEvidenceOf, topicProbability, topicRuleOf, type TopicPrior } from '../../src/learning/off-topic.ts'
import type { MeasuredMentor } from './mentors.ts'

/** Figures of a mentor under a prior. */
export interface PriorFigures {
  /** Share of the known questions whose likeliest answer is right. */
  readonly accuracy: number
  /** Probability that a known question has a greater confidence than an out-of-scope one (area under the ROC curve). */
  readonly auroc: number
  readonly goodRefused: number
  readonly nonsenseRefused: number
  /** The same of what no data set's answer left out would have answered: real users' vain questions, small talk, other sets. */
  readonly foreignRefused: number
  /** Share of all questions that are answered right, or rightly refused. */
  readonly handledRight: number
  /** The same with both kinds of question weighing alike. */
  readonly balanced: number
  /** Expected calibration error, 15 bins, both kinds of question weighing alike. */
  readonly calibrationError: number
}

const BINS = 15

/** Judges a mentor's questions by a prior. */
export function judgeByPrior(mentor: MeasuredMentor, prior: TopicPrior): PriorFigures {
  const own = ownEvidenceOf(mentor, mentor.own.answeredRight, mentor.own.withheld, prior)
  const rule = topicRuleOf({ ...mentor, own }, prior)
  const judged = mentor.questions.map(({ evidence, share, isKnown, isWithheld, isRight }) => ({
    isKnown,
    isWithheld,
    isRight,
    confidence: topicProbability(rule, evidence) * share ** rule.shareExponent
  }))
  const known = judged.filter(({ isKnown }) => isKnown)
  const unknown = judged.filter(({ isKnown }) => !isKnown)
  const foreign = unknown.filter(({ isWithheld }) => !isWithheld)
  const isRefused = ({ confidence }: { readonly confidence: number }) => confidence < rule.leastConfidence
  const handled = judged.filter((one) => (one.isKnown ? one.isRight && !isRefused(one) : isRefused(one)))
  const kept = known.filter((one) => one.isRight && !isRefused(one)).length / known.length
  const nonsenseRefused = unknown.filter(isRefused).length / unknown.length
  const sideCount = [known, unknown].filter((side) => side.length > 0).length
  const bins = Array.from({ length: BINS }, () => ({ weight: 0, confidence: 0, right: 0 }))
  for (const one of judged) {
    const weight = 1 / sideCount / (one.isKnown ? known.length : unknown.length)
    const bin = bins[Math.min(BINS - 1, Math.floor(one.confidence * BINS))]!
    bin.weight += weight
    bin.confidence += weight * one.confidence
    bin.right += one.isRight ? weight : 0
  }
  return {
    accuracy: known.filter(({ isRight }) => isRight).length / known.length,
    auroc: aurocOf(
      known.map(({ confidence }) => confidence),
      unknown.map(({ confidence }) => confidence)
    ),
    goodRefused: known.filter(isRefused).length / known.length,
    nonsenseRefused,
    foreignRefused: foreign.filter(isRefused).length / foreign.length,
    balanced: (kept + nonsenseRefused) / 2,
    handledRight: handled.length / judged.length,
    calibrationError: bins.reduce((sum, bin) => sum + Math.abs(bin.confidence - bin.right), 0)
  }
}

/** Means of the figures. */
export function meanFigures(figures: readonly PriorFigures[]): PriorFigures {
  const mean = (key: keyof PriorFigures) => figures.reduce((sum, one) => sum + one[key], 0) / figures.length
  return {
    accuracy: mean('accuracy'),
    auroc: mean('auroc'),
    goodRefused: mean('goodRefused'),
    nonsenseRefused: mean('nonsenseRefused'),
    foreignRefused: mean('foreignRefused'),
    handledRight: mean('handledRight'),
    balanced: mean('balanced'),
    calibrationError: mean('calibrationError')
  }
}

function aurocOf(above: readonly number[], below: readonly number[]): number {
  const sorted = below.toSorted((a, b) => a - b)
  let wins = 0
  for (const value of above) {
    let low = 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (sorted[middle]! < value) low = middle + 1
      else high = middle
    }
    let equal = low
    while (equal < sorted.length && sorted[equal] === value) equal += 1
    wins += low + (equal - low) / 2
  }
  return wins / above.length / below.length
}
