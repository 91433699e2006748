/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { evaluate, type EvaluationReport, type JudgedQuestion } from '../../src/learning/evaluation.ts'
import { foresee, measuredShare, type ForesightPrior, type ForetoldFigure } from '../../src/learning/foresight.ts'

/** A mentor's figures as its training foretold them, and as its users' questions showed them. */
export interface Foretold {
  readonly group: string
  readonly name: string
  readonly foretold: EvaluationReport
  /** Judged by the model and the line that the service would answer by. */
  readonly asked: readonly JudgedQuestion[]
}

/**
 * How much wider than a normal distribution's the 90% of Student's are, by degrees of freedom: the difference between mentors is known
 * from so few data sets.
 */
const STUDENT_WIDTHS = [Infinity, 6.314, 2.92, 2.353, 2.132].map((quantile) => quantile / 1.645)

/** Minimum number of held-out samples of a mentor; with fewer its figures are mostly chance. */
const LEAST_SAMPLES = 20

/** Fits how far foretold figures move, all data sets weighing alike. */
export function fitForesight(mentors: readonly Foretold[]): ForesightPrior {
  return {
    accuracy: fitFigure(mentors, 'accuracy'),
    refused: fitFigure(mentors, 'refused'),
    offTopicRefused: fitFigure(mentors, 'offTopicRefused'),
    offTopicAuroc: fitFigure(mentors, 'offTopicAuroc'),
    calibrationError: fitFigure(mentors, 'calibrationError')
  }
}

function round(value: number): number {
  return Number(value.toFixed(3))
}

/**
 * Fits by the method of moments: the variance of the differences beyond the sampling variance is the variance between
 * mentors.
 */
function fitFigure(mentors: readonly Foretold[], figure: ForetoldFigure): ForesightPrior[ForetoldFigure] {
  const differences = mentors.flatMap((mentor) => {
    const own = measuredShare(mentor.foretold, figure)
    const shown = measuredShare(evaluate(mentor.asked, true), figure)
    if (own === null || shown === null || mentor.foretold.questionCount < LEAST_SAMPLES) return []
    return [{ group: mentor.group, value: shown.logOdds - own.logOdds, variance: own.variance + shown.variance }]
  })
  const groups = [...new Set(differences.map(({ group }) => group))]
  const mean = (of: (one: (typeof differences)[number]) => number): number => {
    const means = groups.map((group) => {
      const some = differences.filter((one) => one.group === group)
      return some.reduce((sum, one) => sum + of(one), 0) / some.length
    })
    return means.reduce((sum, one) => sum + one, 0) / means.length
  }
  const shift = mean(({ value }) => value)
  const spread = mean(({ value, variance }) => (value - shift) ** 2 - variance)
  const width = STUDENT_WIDTHS[Math.min(groups.length, STUDENT_WIDTHS.length) - 1]!
  return { shift: round(shift), deviation: round(width * Math.sqrt(Math.max(0, spread))) }
}

/** Number of predicted figures, and of those whose observed value lay within the interval. */
export interface Coverage {
  readonly within: number
  readonly count: number
}

/** Counts, for each figure, how often the observed value lay within the prediction interval. */
export function coverageOf(
  mentors: readonly Foretold[],
  priorOf: (group: string) => ForesightPrior
): Readonly<Record<ForetoldFigure, Coverage>> {
  const of = (figure: ForetoldFigure): Coverage => {
    const hits = mentors.flatMap(({ group, foretold, asked }) => {
      const interval = foresee(foretold, priorOf(group))[figure]
      const shown = evaluate(asked, true)[figure]
      if (interval === null || shown === null || foretold.questionCount < LEAST_SAMPLES) return []
      return [interval.low <= shown && shown <= interval.high]
    })
    return { within: hits.filter(Boolean).length, count: hits.length }
  }
  return {
    accuracy: of('accuracy'),
    refused: of('refused'),
    offTopicRefused: of('offTopicRefused'),
    offTopicAuroc: of('offTopicAuroc'),
    calibrationError: of('calibrationError')
  }
}

/** Quantiles of the confidences of questions on topic, and of those off topic: means over mentors, all data sets weighing alike. */
export function confidenceQuantiles(mentors: readonly Foretold[]): { good: number[]; nonsense: number[] } {
  const groups = [...new Set(mentors.map(({ group }) => group))]
  const quantiles = (isGood: boolean): number[] =>
    Array.from({ length: 19 }, (_, i) => {
      const ofGroups = groups.map((group) => {
        const values = mentors
          .filter((one) => one.group === group)
          .flatMap(({ asked }) => {
            const confidences = asked
              .filter(({ label }) => (label !== undefined) === isGood)
              .map(({ ranked }) => ranked[0]!.confidence)
              .toSorted((a, b) => a - b)
            return confidences.length === 0 ? [] : [confidences[Math.floor(((i + 1) / 20) * confidences.length)]!]
          })
        return values.reduce((sum, value) => sum + value, 0) / values.length
      })
      return Number((ofGroups.reduce((sum, value) => sum + value, 0) / ofGroups.length).toFixed(3))
    })
  return { good: quantiles(true), nonsense: quantiles(false) }
}
