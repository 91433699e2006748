/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { scoreOf, type Calibration } from './calibration.ts'
import type { Candidates } from './candidates.ts'
import type { RankedClass } from './evaluation.ts'
import { topicEvidence, topicProbability, type TopicEvidence, type TopicRule } from './off-topic.ts'

/** What turns candidates into an answer, or a refusal. */
export interface DecisionRule {
  readonly calibration: Calibration
  readonly topicRule: TopicRule
  /** The class of questions that were taught as off topic; it is never the answer. */
  readonly offTopicClass?: number | undefined
}

/** What a model makes of a question. */
export interface Decision {
  /**
   * Most confident first. The confidence is the probability that the class is right, of whatever may be asked: {@link topicProbability}
   * times a power of the class's share among all that could be meant. As several answers may fit a question, their sum may pass 1.
   */
  readonly ranked: readonly RankedClass[]
  /** Probability that some class fits, by {@link evidence} alone. */
  readonly topicProbability: number
  readonly evidence: TopicEvidence
  /** Share of the most confident class among all that could be meant. */
  readonly share: number
  readonly isOffTopic: boolean
}

/**
 * Decides about sample `i`; with `withheld`, as if that class were not known.
 * @returns undefined when no class is left
 */
export function decide(
  candidates: Candidates,
  i: number,
  { calibration, topicRule, offTopicClass = -1 }: DecisionRule,
  withheld = -1
): Decision | undefined {
  const evidence = topicEvidence(candidates, i, calibration, offTopicClass, withheld)
  if (evidence === undefined) return undefined
  const onTopic = topicProbability(topicRule, evidence)
  const { classes, width } = candidates
  const places = Array.from({ length: width }, (_, place) => i * width + place).filter((at) => classes[at] !== withheld)
  const scores = places.map((at) => scoreOf(candidates, at, calibration))
  const best = Math.max(...scores)
  const total = scores.reduce((sum, score) => sum + Math.exp(score - best), 0)
  const ranked = places
    .map((at, j) => ({
      class: classes[at]!,
      confidence: onTopic * (Math.exp(scores[j]! - best) / total) ** topicRule.shareExponent
    }))
    .filter((one) => one.class !== offTopicClass)
    .toSorted((a, b) => b.confidence - a.confidence)
  return {
    ranked,
    topicProbability: onTopic,
    evidence,
    share: (ranked[0]!.confidence / onTopic) ** (1 / topicRule.shareExponent),
    isOffTopic: ranked[0]!.confidence < topicRule.leastConfidence
  }
}
