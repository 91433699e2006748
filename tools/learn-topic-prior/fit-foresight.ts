/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { evaluate, type EvaluationReport, type JudgedQuestion } from '../../src/learning/evaluation.ts'
import {
  foresee,
  measuredShare,
  type FigurePrior,
  type ForesightPrior,
  type ForetoldFigure,
  type MeasuredShare
} from '../../src/learning/foresight.ts'

/** A mentor's figures as its training foretold them, and as its users' questions showed them. */
export interface Foretold {
  readonly group: string
  readonly name: string
  readonly foretold: EvaluationReport
  /** Judged by the model and the line that the service would answer by. */
  readonly asked: readonly JudgedQuestion[]
}

/** 95th percentiles of Student's distribution by degrees of freedom, to that of the normal distribution. */
const STUDENT_WIDTHS = [Infinity, 6.314, 2.92, 2.353, 2.132, 2.015, 1.943].map((quantile) => quantile / 1.645)

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

/** Held-out and users' figures of one mentor, in log-odds. */
interface Pair {
  readonly group: string
  readonly own: MeasuredShare
  readonly asked: MeasuredShare
  readonly heldOut: number
}

/**
 * Fits random effects by the method of moments: differences vary by chance, between the mentors of a data set and
 * between data sets. A further data set differs from the mean of G by √(1 + 1/G) standard deviations between them,
 * which are known from G alone: hence Student's distribution.
 *
 * The calibration error of the users' questions does not depend on the held-out one (its coefficient is 0.00 once the
 * number of samples is known), so its mean is predicted, by the number of held-out samples.
 */
function fitFigure(mentors: readonly Foretold[], figure: ForetoldFigure): FigurePrior {
  const slope = figure === 'calibrationError' ? 0 : 1
  const pairs = mentors.flatMap((mentor): Pair[] => {
    const own = measuredShare(mentor.foretold, figure)
    const asked = measuredShare(evaluate(mentor.asked, true), figure)
    const heldOut = mentor.foretold.questionCount
    return own === null || asked === null || heldOut < LEAST_SAMPLES
      ? []
      : [{ group: mentor.group, own, asked, heldOut }]
  })
  const sets = Object.values(Object.groupBy(pairs, ({ group }) => group)).map((set) => set ?? [])
  const fewSamples = slope === 0 ? fitFewSamples(sets) : 0
  const differenceOf = ({ own, asked, heldOut }: Pair) =>
    asked.logOdds - slope * own.logOdds - fewSamples / Math.sqrt(heldOut)
  const chanceOf = ({ own, asked }: Pair) => asked.variance + slope ** 2 * own.variance

  const ofSets = sets.map((set) => ({
    mean: meanOf(set, differenceOf),
    chance: meanOf(set, chanceOf),
    spread: sampleVariance(set.map(differenceOf)),
    count: set.length
  }))
  const shift = meanOf(ofSets, ({ mean }) => mean)
  const betweenMentors = Math.max(
    0,
    meanOf(ofSets, ({ spread, chance }) => spread - chance)
  )
  const ofMeans = meanOf(ofSets, ({ chance, count }) => (chance + betweenMentors) / count)
  const betweenSets = Math.max(0, sampleVariance(ofSets.map(({ mean }) => mean)) - ofMeans)
  const width = STUDENT_WIDTHS[Math.min(sets.length, STUDENT_WIDTHS.length) - 1]!
  const deviation = Math.sqrt(width ** 2 * betweenSets * (1 + 1 / sets.length) + betweenMentors)
  return { slope, shift: round(shift), fewSamples: round(fewSamples), deviation: round(deviation) }
}

/** Regresses the users' figure on 1 / √(held-out samples) within the data sets, which weigh alike. */
function fitFewSamples(sets: readonly (readonly Pair[])[]): number {
  let [product, square] = [0, 0]
  for (const set of sets) {
    const predictor = ({ heldOut }: Pair) => 1 / Math.sqrt(heldOut)
    const mean = meanOf(set, predictor)
    const weight = 1 / meanOf(set, ({ asked }) => asked.variance)
    product += weight * meanOf(set, (one) => (predictor(one) - mean) * one.asked.logOdds)
    square += weight * meanOf(set, (one) => (predictor(one) - mean) ** 2)
  }
  return product / square
}

function meanOf<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0) / items.length
}

/** Variance of a sample, unbiased; 0 for one value. */
function sampleVariance(values: readonly number[]): number {
  const mean = meanOf(values, (value) => value)
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1)
}

/** Predicted figures of several mentors. */
export interface Coverage {
  readonly count: number
  /** Number of figures whose observed value lay within the prediction interval. */
  readonly within: number
  /** Mean width of the intervals. */
  readonly width: number
}

/** Counts, for each figure, how often the observed value lay within the prediction interval for as many questions. */
export function coverageOf(
  mentors: readonly Foretold[],
  priorOf: (group: string) => ForesightPrior
): Readonly<Record<ForetoldFigure, Coverage>> {
  const told = mentors
    .filter(({ foretold }) => foretold.questionCount >= LEAST_SAMPLES)
    .map(({ group, foretold, asked }) => {
      const shown = evaluate(asked, true)
      const counts = { known: shown.questionCount, offTopic: shown.offTopicCount }
      return { shown, foreseen: foresee(foretold, priorOf(group), counts) }
    })
  const of = (figure: ForetoldFigure): Coverage => {
    const found = told.flatMap(({ shown, foreseen }) => {
      const [interval, value] = [foreseen[figure], shown[figure]]
      if (interval === null || value === null) return []
      return [{ isWithin: interval.low <= value && value <= interval.high, width: interval.high - interval.low }]
    })
    return {
      count: found.length,
      within: found.filter(({ isWithin }) => isWithin).length,
      width: round(meanOf(found, ({ width }) => width))
    }
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
