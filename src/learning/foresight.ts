/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { EvaluationReport } from './evaluation.ts'
import { FORESIGHT_PRIOR } from './foresight-prior.ts'

/** A figure that a training predicts. */
export type ForetoldFigure = keyof typeof FORESIGHT_PRIOR

/** Prediction interval of 90%. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/** Predicted figures of the next {@link ASKED_COUNT} questions of users; null for a figure that was not measured. */
export type Foresight = { readonly [figure in ForetoldFigure]: Interval | null }

/** Differences between observed and predicted figures of other mentors, in log-odds. */
export type ForesightPrior = {
  readonly [figure in ForetoldFigure]: { readonly shift: number; readonly deviation: number }
}

/** Log-odds of a measured share and their sampling variance. */
export interface MeasuredShare {
  readonly logOdds: number
  readonly variance: number
}

/** Number of users' questions whose figures a training predicts; half of them have an answer. */
const ASKED_COUNT = 400
/** Standard deviations to each side that contain 90% of a normal distribution. */
const NINETY_PERCENT = 1.645

/**
 * Predicts a model's figures on users' questions from its held-out training phrases. Each figure is shifted as it
 * shifted for other mentors. Its variance is the sum of the sampling variances of its own questions and of the users',
 * and of the variance between mentors.
 * @param report report of samples judged out of fold
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

/** Log-odds of a report's figure and their sampling variance; null for a figure that was not measured. */
export function measuredShare(report: EvaluationReport, figure: ForetoldFigure): MeasuredShare | null {
  const share = report[figure]
  if (share === null) return null
  const counts = { known: report.questionCount, offTopic: report.offTopicCount }
  const count = figure === 'offTopicRefused' ? counts.offTopic : counts.known
  // Half a question is added on both sides: 0 of 10 does not mean "never".
  const moderate = (share * count + 0.5) / (count + 1)
  return { logOdds: logOddsOf(moderate), variance: varianceOf(figure, moderate, counts) }
}

/** Sampling variance of the log-odds of a figure; for the area under the ROC curve after Hanley and McNeil 1982. */
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

/** Log-odds of a share above 0 and below 1. */
export function logOddsOf(share: number): number {
  return Math.log(share / (1 - share))
}

/** The share that has these log-odds. */
export function shareOf(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds))
}
