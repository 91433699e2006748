/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Candidates } from './candidates.ts'
import { TOPIC_PRIOR } from './topic-prior.ts'

/** Evidence on whether any answer fits a question. */
export interface TopicEvidence {
  /** Log-odds of the likeliest class, within ±{@link MAX_LOG_ODDS}; 0 when it is the only class. */
  readonly logOdds: number
  /**
   * Logarithm of the ratio of its probability to the second class's, at most {@link MAX_LOG_ODDS}; 0 when it is the
   * only class.
   */
  readonly margin: number
  /** Cosine similarity to the nearest sample of any candidate. */
  readonly similarity: number
  /** Cosine similarity of the character n-grams to the nearest sample of any candidate. */
  readonly gramSimilarity: number
}

/**
 * Rule that turns evidence into the probability that some answer fits: 1 / (1 + exp(−score)), where the score is the
 * weighted sum of the evidence plus the intercept. It also has the threshold that a question's confidence must reach to be
 * answered.
 */
export interface TopicRule {
  readonly intercept: number
  readonly logOddsWeight: number
  readonly marginWeight: number
  readonly similarityWeight: number
  readonly gramWeight: number
  /** Exponent of a class's share; below 1, since several answers often fit one question. */
  readonly shareExponent: number
  /** A question whose confidence is below this is off topic. */
  readonly leastConfidence: number
}

/** The part of a rule that weights the evidence. */
export type TopicWeights = Omit<TopicRule, 'leastConfidence' | 'shareExponent'>

/** Out-of-fold results of a mentor's own samples under the rule learned from other mentors. */
export interface OwnEvidence {
  /** Number of held-out samples. */
  readonly count: number
  /** Share of them that were answered right. */
  readonly rightShare: number
  /**
   * Midpoint of the mean score of the samples answered right and the mean score of all with their own class withheld,
   * at a slope of 1.
   */
  readonly middle: number
}

/** Data of a mentor for {@link topicRuleOf}. */
export interface TopicSetting {
  readonly sampleCount: number
  readonly classCount: number
  /** Undefined: the rule is the prior of other mentors. */
  readonly own?: OwnEvidence | undefined
}

export const MAX_LOG_ODDS = 14
/** Share of held-out samples answered right by which the threshold is that of {@link TopicPrior}'s table. */
const USUAL_RIGHT_SHARE = 0.8

/**
 * Prior learned from other mentors: the weights of the evidence, of a mentor's size and of its own samples, and the
 * threshold.
 */
export type TopicPrior = { readonly [name in Exclude<keyof typeof TOPIC_PRIOR, 'thresholds'>]: number } & {
  /** Thresholds by number of phrases per answer, ascending. */
  readonly thresholds: readonly Threshold[]
}

/** The threshold of mentors with a number of phrases per answer. */
export interface Threshold {
  readonly phrases: number
  readonly leastConfidence: number
}

/**
 * Computes the evidence of sample `i`; withheld classes count as unknown. Undefined when no class is left.
 * @param scores scores of its candidates, from `scoresOf`
 */
export function topicEvidence(
  candidates: Candidates,
  i: number,
  scores: Float64Array,
  withheld = -1,
  alsoWithheld = -1
): TopicEvidence | undefined {
  const { classes, similarities, gramSimilarities, width } = candidates
  let count = 0
  let similarity = -1
  let gramSimilarity = 0
  let best = -Infinity
  let second = -Infinity
  // Σ exp(score − best) over the classes but the best one: 1 / odds of the best.
  let others = 0
  for (let at = i * width; at < (i + 1) * width; at++) {
    if (classes[at] === withheld || classes[at] === alsoWithheld) continue
    count += 1
    similarity = Math.max(similarity, similarities[at]!)
    gramSimilarity = Math.max(gramSimilarity, gramSimilarities[at]!)
    const score = scores[at - i * width]!
    if (score > best) {
      others = count === 1 ? 0 : (others + 1) * Math.exp(best - score)
      second = best
      best = score
    } else {
      others += Math.exp(score - best)
      second = Math.max(second, score)
    }
  }
  if (count === 0) return undefined
  if (count === 1) return { logOdds: 0, margin: 0, similarity, gramSimilarity }
  const logOdds = Math.min(MAX_LOG_ODDS, Math.max(-MAX_LOG_ODDS, -Math.log(others)))
  return { logOdds, margin: Math.min(MAX_LOG_ODDS, best - second), similarity, gramSimilarity }
}

/** Log-odds that a question is on topic, where on-topic and off-topic questions are equally frequent. */
export function topicScore(rule: TopicWeights, evidence: TopicEvidence): number {
  return (
    rule.intercept +
    rule.logOddsWeight * evidence.logOdds +
    rule.marginWeight * evidence.margin +
    rule.similarityWeight * evidence.similarity +
    rule.gramWeight * evidence.gramSimilarity
  )
}

/** Probability that some answer fits. */
export function topicProbability(rule: TopicWeights, evidence: TopicEvidence): number {
  return 1 / (1 + Math.exp(-topicScore(rule, evidence)))
}

/**
 * Weight of a mentor's own samples in its rule: 0 without any, one half at {@link TOPIC_PRIOR}'s number of samples. The
 * rest is the prior's.
 */
export function ownShare(own: OwnEvidence | undefined): number {
  return own === undefined ? 0 : own.count / (own.count + TOPIC_PRIOR.samplesOfHalfShare)
}

/**
 * Factor of a mentor's evidence, relative to a mentor with one phrase per answer. With more phrases, a question that is
 * near none of them is off topic with more certainty.
 */
export function slopeOf(
  { sampleCount, classCount }: Omit<TopicSetting, 'own'>,
  prior: Pick<TopicPrior, 'phrasesSlope'> = TOPIC_PRIOR
): number {
  return 1 + prior.phrasesSlope * Math.log(sampleCount / classCount)
}

/**
 * Rule of a mentor: the prior of many others (`topic-prior.ts`), shifted by the mentor's size and by the out-of-fold results
 * of its own samples. It changes smoothly with each sample, and is the prior's where nothing could be held out.
 */
export function topicRuleOf(setting: TopicSetting, prior: TopicPrior = TOPIC_PRIOR): TopicRule {
  const { sampleCount, classCount, own } = setting
  const slope = slopeOf(setting, prior)
  const intercept =
    prior.intercept +
    prior.phrasesWeight * Math.log(sampleCount / classCount) +
    prior.classesWeight * Math.log(classCount) +
    ownShare(own) * (prior.ownIntercept + prior.ownMiddleWeight * (own?.middle ?? 0))
  return {
    intercept: slope * intercept,
    logOddsWeight: slope * prior.logOddsWeight,
    marginWeight: slope * prior.marginWeight,
    similarityWeight: slope * prior.similarityWeight,
    gramWeight: slope * prior.gramWeight,
    shareExponent: prior.shareExponent,
    leastConfidence: leastConfidenceOfMentor(setting, prior)
  }
}

/**
 * Threshold for a number of phrases per answer, moved by the share of a mentor's held-out samples that were answered right.
 * Where it is small, users' good questions have a small confidence too, and the usual threshold would refuse more of them than
 * of other mentors. The more phrases an answer has, the less it moves.
 */
function leastConfidenceOfMentor({ sampleCount, classCount, own }: TopicSetting, prior: TopicPrior): number {
  const phrases = sampleCount / classCount
  const usual = leastConfidenceOf(prior.thresholds, phrases)
  const weight = (prior.rightShareWeight * ownShare(own)) / Math.sqrt(phrases)
  const factor = Math.exp(weight * ((own?.rightShare ?? USUAL_RIGHT_SHARE) - USUAL_RIGHT_SHARE))
  // The odds of the threshold are multiplied.
  return (usual * factor) / (1 - usual + usual * factor)
}

/** Threshold for a number of phrases per answer, interpolated by the logarithm of the number; 0 without thresholds. */
export function leastConfidenceOf(thresholds: readonly Threshold[], phrases: number): number {
  const after = thresholds.findIndex((one) => one.phrases > phrases)
  if (after < 0) return thresholds.at(-1)?.leastConfidence ?? 0
  const upper = thresholds[after]!
  const lower = thresholds[after - 1] ?? upper
  if (lower === upper) return upper.leastConfidence
  const way = Math.log(phrases / lower.phrases) / Math.log(upper.phrases / lower.phrases)
  return lower.leastConfidence + way * (upper.leastConfidence - lower.leastConfidence)
}

/**
 * Summarises the out-of-fold results of a mentor's samples.
 * @param answeredRight evidence of the samples that got their own class
 * @param withheld evidence of all samples without their own class
 */
export function ownEvidenceOf(
  { sampleCount, classCount }: Omit<TopicSetting, 'own'>,
  answeredRight: readonly TopicEvidence[],
  withheld: readonly TopicEvidence[],
  prior: TopicPrior = TOPIC_PRIOR
): OwnEvidence | undefined {
  if (withheld.length === 0) return undefined
  const setting = { sampleCount, classCount }
  const rule = topicRuleOf(setting, prior)
  const slope = slopeOf(setting, prior)
  const mean = (of: readonly TopicEvidence[]) =>
    of.reduce((sum, one) => sum + topicScore(rule, one) / slope, 0) / of.length
  const right = answeredRight.length === 0 ? 0 : mean(answeredRight)
  return {
    count: withheld.length,
    rightShare: answeredRight.length / withheld.length,
    middle: (right + mean(withheld)) / 2
  }
}
