/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { EvaluationReport } from './evaluation.ts'
import { FORESIGHT_PRIOR } from './foresight-prior.ts'
import { predictShare, type Interval } from './predicted-share.ts'

/** A figure that a training predicts. */
export type ForetoldFigure = keyof typeof FORESIGHT_PRIOR

/** Predicted figures of the next questions of users; null for a figure that was not measured. */
export type Foresight = { readonly [figure in ForetoldFigure]: Interval | null }

/**
 * What other mentors teach about a figure. The log-odds of the users' figure are `slope` times those of the held-out
 * one, plus `shift`, plus `fewSamples` divided by the square root of the number of held-out samples.
 */
export interface FigurePrior {
  /** 1, or 0 where the held-out figure says nothing about the users'. */
  readonly slope: number
  readonly shift: number
  readonly fewSamples: number
  /**
   * Standard deviation of the users' figure about that, between data sets and between mentors of one, with the doubt
   * that few data sets leave.
   */
  readonly deviation: number
}

export type ForesightPrior = { readonly [figure in ForetoldFigure]: FigurePrior }

/** Log-odds of a measured share and their sampling variance. */
export interface MeasuredShare {
  readonly logOdds: number
  readonly variance: number
}

/** Number of questions with an answer and without one. */
export interface QuestionCounts {
  readonly known: number
  readonly offTopic: number
}

/** The users' questions whose figures a training predicts. */
const ASKED: QuestionCounts = { known: 200, offTopic: 200 }
/** Standard deviations to each side that contain 90% of a normal distribution. */
const NINETY_PERCENT = 1.645

/** Figures that are a number of questions divided by all of their kind. */
const COUNTED: ReadonlySet<ForetoldFigure> = new Set(['accuracy', 'refused', 'offTopicRefused'])

/**
 * Predicts a model's figures on users' questions from its held-out training phrases, as prediction intervals of 90%.
 * Each figure moves as it moved for other mentors. The interval covers chance in both sets of questions, and the
 * differences between data sets and between mentors: a mentor is like one of a further data set.
 * @param report report of samples judged out of fold
 * @param asked numbers of users' questions that the figures are of
 */
export function foresee(
  report: EvaluationReport,
  prior: ForesightPrior = FORESIGHT_PRIOR,
  asked: QuestionCounts = ASKED
): Foresight {
  const intervalOf = (figure: ForetoldFigure): Interval | null => {
    const own = measuredShare(report, figure)
    if (own === null) return null
    const { slope, shift, fewSamples, deviation } = prior[figure]
    const middle = slope * own.logOdds + shift + fewSamples / Math.sqrt(report.questionCount)
    const unsure = Math.hypot(deviation, slope * Math.sqrt(own.variance))
    if (COUNTED.has(figure)) return predictShare(middle, unsure, countOf(figure, asked))
    const width = NINETY_PERCENT * Math.hypot(unsure, Math.sqrt(varianceOf(figure, shareOf(middle), asked)))
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
  const count = countOf(figure, counts)
  // Half a question is added on both sides: 0 of 10 does not mean "never".
  const moderate = (share * count + 0.5) / (count + 1)
  return { logOdds: logOddsOf(moderate), variance: varianceOf(figure, moderate, counts) }
}

/** Sampling variance of the log-odds of a figure; for the area under the ROC curve after Hanley and McNeil 1982. */
function varianceOf(figure: ForetoldFigure, share: number, counts: QuestionCounts): number {
  const spread = share * (1 - share)
  if (figure === 'offTopicAuroc') {
    const { known, offTopic } = counts
    const two = share / (2 - share) - share ** 2
    const other = (2 * share ** 2) / (1 + share) - share ** 2
    return (spread + (known - 1) * two + (offTopic - 1) * other) / (known * offTopic) / spread ** 2
  }
  return 1 / (countOf(figure, counts) * spread)
}

/** Number of questions that a figure is a mean of. */
function countOf(figure: ForetoldFigure, { known, offTopic }: QuestionCounts): number {
  if (figure === 'calibrationError') return known + offTopic
  return figure === 'offTopicRefused' ? offTopic : known
}

/** Log-odds of a share above 0 and below 1. */
export function logOddsOf(share: number): number {
  return Math.log(share / (1 - share))
}

/** The share that has these log-odds. */
export function shareOf(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds))
}
