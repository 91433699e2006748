/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { EvaluationReport } from './evaluation.ts'
import { FORESIGHT_PRIOR } from './foresight-prior.ts'

/** A figure that a training foretells. */
export type ForetoldFigure = keyof typeof FORESIGHT_PRIOR

/** Where a figure will lie, in 9 cases of 10. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/** What the next {@link ASKED_COUNT} questions of users will show; null of a figure that was not measured. */
export type Foresight = { readonly [figure in ForetoldFigure]: Interval | null }

/** How far the shown figures of other mentors lay from their foretold ones, in log-odds. */
export type ForesightPrior = {
  readonly [figure in ForetoldFigure]: { readonly shift: number; readonly deviation: number }
}

/** What a figure of some questions is worth: a share, and the variance of its log-odds by chance. */
export interface MeasuredShare {
  readonly logOdds: number
  readonly variance: number
}

/** So many questions, half of them with an answer, are those that a training foretells the figures of. */
const ASKED_COUNT = 400
/** Standard deviations to both sides that hold 90% of a normal distribution. */
const NINETY_PERCENT = 1.645

/**
 * Foretells what users' questions will show of a model from its held-out training phrases: each figure moved by what it moved for other
 * mentors, and as uncertain as chance in its own questions, in the users', and the difference between mentors make it.
 * @param report of samples judged out of fold
 */
export function foresee(report: EvaluationReport, prior: ForesightPrior = FORESIGHT_PRIOR): Foresight {
  const intervalOf = (figure: ForetoldFigure): Interval | null => {
    const own = measuredShare(report, figure)
    if (own === null) return null
    const { shift, deviation } = prior[figure]
    const middle = own.logOdds + shift
    const asked = varianceOf(figure, shareOf(middle), { known: ASKED_COUNT / 2, offTopic: ASKED_COUNT / 2 })
    const width = NINETY_PERCENT * Math.sqrt(own.variance + deviation ** 2 + asked)
    return { low: shareOf(middle - width), high: shareOf(middle + width) }
  }
  return {
    accuracy: intervalOf('accuracy'),
    refused: intervalOf('refused'),
    offTopicRefused: intervalOf('offTopicRefused'),
    offTopicAuroc: intervalOf('offTopicAuroc'),
    calibrationError: intervalOf('calibrationError')
  }
}

/** Log-odds of a report's figure, and how uncertain chance makes them; null of one that was not measured. */
export function measuredShare(report: EvaluationReport, figure: ForetoldFigure): MeasuredShare | null {
  const share = report[figure]
  if (share === null) return null
  const counts = { known: report.questionCount, offTopic: report.offTopicCount }
  const count = figure === 'offTopicRefused' ? counts.offTopic : counts.known
  // Half a question more on both sides: none of ten is not "never".
  const moderate = (share * count + 0.5) / (count + 1)
  return { logOdds: logOddsOf(moderate), variance: varianceOf(figure, moderate, counts) }
}

/** Variance of the log-odds of a figure by chance; of the area under the ROC curve after Hanley and McNeil 1982. */
function varianceOf(
  figure: ForetoldFigure,
  share: number,
  { known, offTopic }: { readonly known: number; readonly offTopic: number }
): number {
  const spread = share * (1 - share)
  if (figure === 'offTopicAuroc') {
    const two = share / (2 - share) - share ** 2
    const other = (2 * share ** 2) / (1 + share) - share ** 2
    return (spread + (known - 1) * two + (offTopic - 1) * other) / (known * offTopic) / spread ** 2
  }
  return 1 / ((figure === 'offTopicRefused' ? offTopic : known) * spread)
}

/** Logarithm of the odds of a share above 0 and below 1. */
export function logOddsOf(share: number): number {
  return Math.log(share / (1 - share))
}

/** The share that has these log-odds. */
export function shareOf(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds))
}
