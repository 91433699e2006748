/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Calibration } from './calibration.ts'
import type { Candidates } from './candidates.ts'
import { minimizeByNewton, type Curve } from './newton.ts'

/** What the off-topic decision looks at. */
export interface TopicEvidence {
  /** Log-odds of the likeliest class, within ±{@link MAX_LOG_ODDS}: how far it stands out; 0 of a class with no other beside it. */
  readonly logOdds: number
  /** Cosine to the nearest sample of any candidate: how near the question is to anything known. */
  readonly similarity: number
}

/** A question is off topic when its score, `intercept + logOddsWeight · logOdds + similarityWeight · similarity`, is below `threshold`. */
export interface TopicRule {
  readonly intercept: number
  readonly logOddsWeight: number
  readonly similarityWeight: number
  readonly threshold: number
}

export const MAX_LOG_ODDS = 14

/**
 * Found on Banking77 with each intent withheld in turn; stands where nothing could be measured, and draws a little where
 * little could. The threshold is for a mentor of one sample an answer: it refuses 18% of Banking77's test questions then, and
 * all of 50 that have nothing to do with banks.
 */
export const DEFAULT_TOPIC_RULE: TopicRule = { intercept: -8, logOddsWeight: 0.55, similarityWeight: 10, threshold: -3 }

const PRIOR_DEVIATION = [8, 0.5, 10] as const

/** Fewer questions answered right than these cannot tell where the lowest twentieth of them begins. */
export const MIN_SCORES_FOR_THRESHOLD = 40

/** Evidence of sample `i`; with `withheld`, as if that class were not among those known. Undefined when no class is left. */
export function topicEvidence(
  { classes, logits, similarities, width }: Candidates,
  i: number,
  { logitWeight, similarityWeight }: Calibration,
  withheld = -1
): TopicEvidence | undefined {
  let count = 0
  let similarity = -1
  let best = -Infinity
  // Σ exp(score − best) over the classes but the best one: 1 / odds of the best.
  let others = 0
  for (let at = i * width; at < (i + 1) * width; at++) {
    if (classes[at] === withheld) continue
    count += 1
    similarity = Math.max(similarity, similarities[at]!)
    const score = logitWeight * logits[at]! + similarityWeight * similarities[at]!
    if (score > best) {
      others = count === 1 ? 0 : (others + 1) * Math.exp(best - score)
      best = score
    } else {
      others += Math.exp(score - best)
    }
  }
  if (count === 0) return undefined
  const logOdds = count === 1 ? 0 : Math.min(MAX_LOG_ODDS, Math.max(-MAX_LOG_ODDS, -Math.log(others)))
  return { logOdds, similarity }
}

/** The greater, the likelier on topic: log-odds of it, where questions on and off topic are equally frequent. */
export function topicScore(rule: TopicRule, evidence: TopicEvidence): number {
  return rule.intercept + rule.logOddsWeight * evidence.logOdds + rule.similarityWeight * evidence.similarity
}

/**
 * Learns how much each piece of evidence tells, by logistic regression.
 * Questions on topic weigh as much as those off it, and each kind of the latter as much as another.
 * A Gaussian prior about {@link DEFAULT_TOPIC_RULE}, which weighs as little as one sample, keeps few or separable samples sane.
 * @param offTopicKinds answers withheld, questions that a user gave, ...; empty kinds count for nothing
 * @returns the rule with the default's threshold, still to be set by {@link topicThreshold}; of one side only, the default rule
 */
export function fitTopicRule(
  onTopic: readonly TopicEvidence[],
  offTopicKinds: readonly (readonly TopicEvidence[])[]
): TopicRule {
  const kinds = offTopicKinds.filter((kind) => kind.length > 0)
  if (onTopic.length === 0 || kinds.length === 0) return DEFAULT_TOPIC_RULE
  const half = (onTopic.length + kinds.reduce((sum, kind) => sum + kind.length, 0)) / 2
  const sides = [
    { evidence: onTopic, sign: 1, weight: half / onTopic.length },
    ...kinds.map((kind) => ({ evidence: kind, sign: -1, weight: half / kinds.length / kind.length }))
  ]
  const { threshold, ...prior } = DEFAULT_TOPIC_RULE
  const priorWeights = Float64Array.of(prior.intercept, prior.logOddsWeight, prior.similarityWeight)
  const weights = minimizeByNewton((point) => logisticCurve(sides, priorWeights, point), priorWeights)
  return { intercept: weights[0]!, logOddsWeight: weights[1]!, similarityWeight: weights[2]!, threshold }
}

/**
 * Where to draw the line: the score that best parts questions answered right from those off topic (the greatest sum of
 * the share kept of the one and the share refused of the other, the mean over the kinds: Youden's J), but not above the one
 * that keeps `coverage` of the former. Withheld answers are the hardest kind of off topic, siblings of what is known; to
 * refuse them all would refuse many a good question too, hence the bound.
 * @returns undefined when fewer than {@link MIN_SCORES_FOR_THRESHOLD} were answered right
 */
export function topicThreshold(
  answeredRight: readonly number[],
  offTopicKinds: readonly (readonly number[])[],
  coverage: number
): number | undefined {
  if (answeredRight.length < MIN_SCORES_FOR_THRESHOLD) return undefined
  const kept = answeredRight.toSorted((a, b) => a - b)
  const bound = kept[Math.floor((1 - coverage) * kept.length)]!
  const kinds = offTopicKinds.filter((kind) => kind.length > 0).map((kind) => kind.toSorted((a, b) => a - b))
  if (kinds.length === 0) return bound
  const below = kinds.map(() => 0)
  let threshold = kept[0]!
  let best = -Infinity
  for (const [lost, score] of kept.entries()) {
    if (score > bound) break
    let refused = 0
    for (const [kind, scores] of kinds.entries()) {
      while (below[kind]! < scores.length && scores[below[kind]!]! < score) below[kind]! += 1
      refused += below[kind]! / scores.length / kinds.length
    }
    const gain = refused - lost / kept.length
    if (gain > best) {
      best = gain
      threshold = score
    }
  }
  return threshold
}

interface Side {
  readonly evidence: readonly TopicEvidence[]
  /** +1 of questions on topic, −1 of those off it. */
  readonly sign: number
  /** Weight of each piece. */
  readonly weight: number
}

function logisticCurve(sides: readonly Side[], prior: Float64Array, point: Float64Array): Curve {
  const gradient = new Float64Array(3)
  const hessian = new Float64Array(9)
  let value = 0
  for (let j = 0; j < 3; j++) {
    const away = (point[j]! - prior[j]!) / PRIOR_DEVIATION[j]!
    value += 0.5 * away * away
    gradient[j] = away / PRIOR_DEVIATION[j]!
    hessian[j * 3 + j] = 1 / PRIOR_DEVIATION[j]! ** 2
  }
  for (const { evidence, sign, weight } of sides) {
    for (const { logOdds, similarity } of evidence) {
      const x = [1, logOdds, similarity] as const
      const margin = sign * (point[0]! + point[1]! * logOdds + point[2]! * similarity)
      const p = 1 / (1 + Math.exp(margin))
      // log(1 + exp(−margin)), without overflow.
      value += weight * (Math.log1p(Math.exp(-Math.abs(margin))) + Math.max(0, -margin))
      for (let j = 0; j < 3; j++) {
        gradient[j]! -= weight * sign * p * x[j]!
        for (let k = 0; k <= j; k++) hessian[j * 3 + k]! += weight * p * (1 - p) * x[j]! * x[k]!
      }
    }
  }
  return { value, gradient, hessian }
}
