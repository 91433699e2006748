/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { minimizeByNewton } from '../../src/learning/newton.ts'
import {
  ownEvidenceOf,
  ownShare,
  slopeOf,
  type Threshold,
  type TopicEvidence,
  type TopicPrior
} from '../../src/learning/off-topic.ts'
import type { MeasuredMentor, SeenQuestion } from './mentors.ts'

/** Number of samples at which a mentor's own share in its rule is one half. */
const SAMPLES_OF_HALF_SHARE = 20
/**
 * Below 1, since several answers often fit one question. Of 0.3 to 0.5: the least calibration error of Banking77 among other questions is
 * 0.018 at 0.3, 0.019 at 0.35 and 0.022 at 0.5; the chance that a known question is more confident than another is the same to 0.002.
 */
const SHARE_EXPONENT = 0.35
/**
 * How far the log-odds of the threshold move with the share of held-out samples answered right, at one phrase per answer. By
 * least squares, the thresholds that refuse 20% of the good questions of drawn mentors move by 4.6 to 8.4, depending on
 * which data set is left out.
 */
const RIGHT_SHARE_WEIGHT = 6
/**
 * Slopes that are tried for the growth of the evidence's weights with the logarithm of the phrases per answer; the one
 * with the least loss is used.
 */
const SLOPES = [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4] as const
/**
 * Weight of a question whose answer was left out, relative to other out-of-scope questions. It is harder than users'
 * own out-of-scope questions: for mentors drawn from real logs the rule refuses 0.61 to 0.71 of the former and 0.82 to
 * 0.87 of the latter.
 */
const WITHHELD_WEIGHT = 1 / 3
/**
 * Number of fits after which the midpoints of the mentors' own scores, which depend on the weights, no longer change.
 */
const ROUNDS = 4
/** L2 regularization strength, relative to the mean loss of the mentors. */
const PENALTY = 1e-4

/** What a mentor's questions are fitted by: values beside the evidence, equal for all of them. */
function columnsOf(mentor: MeasuredMentor, prior: TopicPrior | undefined): readonly number[] {
  const { sampleCount, classCount, own } = mentor
  const sums = prior === undefined ? undefined : ownEvidenceOf(mentor, own.answeredRight, own.withheld, prior)
  const share = ownShare(sums)
  return [1, Math.log(sampleCount / classCount), Math.log(classCount), share, share * (sums?.middle ?? 0)]
}

function rowOf({ logOdds, margin, similarity, gramSimilarity }: TopicEvidence, columns: readonly number[]): number[] {
  return [logOdds, margin, similarity, gramSimilarity, ...columns]
}

/** A prior, and the mean loss of the mentors by it. */
interface Fitted {
  readonly prior: TopicPrior
  readonly loss: number
}

/**
 * Learns the prior from mentors by logistic regression: whether a question is one that the mentor knows. Each mentor weighs as
 * much as another, and of each the known questions as much as the others.
 */
export function fitPrior(mentors: readonly MeasuredMentor[], thresholds: readonly Threshold[]): TopicPrior {
  const fits = SLOPES.map((phrasesSlope) => {
    let fitted: Fitted | undefined
    for (let round = 0; round < ROUNDS; round++) {
      fitted = fitOnce(mentors, fitted?.prior, { phrasesSlope, thresholds })
    }
    return fitted!
  })
  return fits.reduce((best, one) => (one.loss < best.loss ? one : best)).prior
}

interface WeighedRow {
  readonly x: readonly number[]
  /** 1 of a known question, −1 of another. */
  readonly sign: number
  readonly weight: number
}

function weightOf({ isKnown, isWithheld }: SeenQuestion): number {
  return !isKnown && isWithheld ? WITHHELD_WEIGHT : 1
}

function rowsOf(mentor: MeasuredMentor, before: TopicPrior | undefined, phrasesSlope: number): WeighedRow[] {
  const slope = slopeOf(mentor, { phrasesSlope })
  const columns = columnsOf(mentor, before)
  const side = (known: boolean) =>
    mentor.questions.reduce((sum, one) => sum + (one.isKnown === known ? weightOf(one) : 0), 0)
  const sides = [side(false), side(true)] as const
  return mentor.questions.map((one) => ({
    x: rowOf(one.evidence, columns).map((value) => slope * value),
    sign: one.isKnown ? 1 : -1,
    weight: (0.5 * weightOf(one)) / sides[one.isKnown ? 1 : 0]
  }))
}

function fitOnce(
  mentors: readonly MeasuredMentor[],
  before: TopicPrior | undefined,
  { phrasesSlope, thresholds }: Pick<TopicPrior, 'phrasesSlope' | 'thresholds'>
): Fitted {
  const rows = mentors.flatMap((mentor) => rowsOf(mentor, before, phrasesSlope))
  const width = rows[0]!.x.length
  const lossAt = (point: Float64Array) => {
    const gradient = new Float64Array(width)
    const hessian = new Float64Array(width * width)
    let value = 0
    for (let j = 0; j < width; j++) {
      value += 0.5 * PENALTY * point[j]! ** 2
      gradient[j] = PENALTY * point[j]!
      hessian[j * width + j] = PENALTY
    }
    for (const { x, sign, weight: ofMentor } of rows) {
      const weight = ofMentor / mentors.length
      const margin = sign * x.reduce((sum, of, j) => sum + of * point[j]!, 0)
      const p = 1 / (1 + Math.exp(margin))
      value += weight * (Math.log1p(Math.exp(-Math.abs(margin))) + Math.max(0, -margin))
      for (let j = 0; j < width; j++) {
        gradient[j]! -= weight * sign * p * x[j]!
        for (let k = 0; k <= j; k++) hessian[j * width + k]! += weight * p * (1 - p) * x[j]! * x[k]!
      }
    }
    return { value, gradient, hessian }
  }
  const weights = minimizeByNewton(lossAt, new Float64Array(width))
  const round = (j: number): number => Number(weights[j]!.toFixed(3))
  const prior = {
    intercept: round(4),
    logOddsWeight: round(0),
    marginWeight: round(1),
    similarityWeight: round(2),
    gramWeight: round(3),
    phrasesWeight: round(5),
    classesWeight: round(6),
    ownIntercept: round(7),
    ownMiddleWeight: round(8),
    phrasesSlope,
    samplesOfHalfShare: SAMPLES_OF_HALF_SHARE,
    shareExponent: SHARE_EXPONENT,
    rightShareWeight: RIGHT_SHARE_WEIGHT,
    thresholds
  }
  return { prior, loss: lossAt(weights).value }
}
