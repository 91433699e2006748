/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { countBelow, type JudgedQuestion } from './evaluation.ts'
import { CONFIDENCE_PRIOR, FORESIGHT_PRIOR } from './foresight-prior.ts'
import { logOddsOf, shareOf } from './foresight.ts'

const Share = Type.Number({ minimum: 0.01, maximum: 0.99 })

/** A bound that the owner of a mentor sets for its off-topic rule, in place of the default threshold. */
export const OffTopicBound = Type.Union([
  Type.Object(
    {
      answerGood: { ...Share, description: 'Answer at least this share of the questions that it knows an answer to.' }
    },
    { additionalProperties: false }
  ),
  Type.Object(
    { refuseNonsense: { ...Share, description: 'Refuse at least this share of the questions that have no answer.' } },
    { additionalProperties: false }
  )
])
export type OffTopicBound = Static<typeof OffTopicBound>

/** Number of steps from 0 to 1 of the thresholds that are tried. */
const STEPS = 1000
/** Weight of the prior of other mentors, as a number of questions. */
const PRIOR_QUESTIONS = 20

/**
 * Finds the threshold of the confidence that keeps users' questions within the bound. Uses the mentor's own held-out
 * samples, shifted as such figures shifted for other mentors ({@link FORESIGHT_PRIOR}), and the confidences of other
 * mentors, whose weight is the larger the fewer samples the mentor has.
 * @param judged samples judged out of fold
 * @returns the threshold, 0 to 1: the highest that answers enough, or the lowest that refuses enough
 */
export function lineWithin(bound: OffTopicBound, judged: readonly JudgedQuestion[]): number {
  const isOfGood = 'answerGood' in bound
  const own = judged
    .filter(({ label }) => (label !== undefined) === isOfGood)
    .map(({ ranked }) => ranked[0]!.confidence)
    .toSorted((a, b) => a - b)
  const refusedAt = isOfGood
    ? refusedShare(own, CONFIDENCE_PRIOR.good, FORESIGHT_PRIOR.refused.shift)
    : refusedShare(own, CONFIDENCE_PRIOR.nonsense, FORESIGHT_PRIOR.offTopicRefused.shift)
  const lines = Array.from({ length: STEPS + 1 }, (_, step) => step / STEPS)
  return isOfGood
    ? (lines.findLast((line) => refusedAt(line) <= 1 - bound.answerGood) ?? 0)
    : (lines.find((line) => refusedAt(line) >= bound.refuseNonsense) ?? 1)
}

/**
 * Predicts the share of questions whose confidence is below a threshold.
 * @param own confidences of the mentor's samples, ascending
 */
function refusedShare(own: readonly number[], others: readonly number[], shift: number): (line: number) => number {
  return (line) => {
    const below = countBelow(own, line, false)
    const isAll = below === own.length
    const ofOwn = below === 0 ? 0 : isAll ? 1 : shareOf(logOddsOf(below / own.length) + shift)
    return (own.length * ofOwn + PRIOR_QUESTIONS * quantileOf(others, line)) / (own.length + PRIOR_QUESTIONS)
  }
}

/** Share of a distribution below `value`, from its evenly spaced quantiles; 0 and 1 are its ends. */
function quantileOf(quantiles: readonly number[], value: number): number {
  const ends = [0, ...quantiles, 1]
  const place = ends.findLastIndex((quantile) => quantile <= value)
  if (place >= ends.length - 1) return 1
  const within = (value - ends[place]!) / (ends[place + 1]! - ends[place]!)
  return (place + within) / (ends.length - 1)
}
