/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { scoresOf, type Calibration } from './calibration.ts'
import type { Candidates } from './candidates.ts'
import type { RankedClass } from './evaluation.ts'
import { topicEvidence, topicProbability, type TopicEvidence, type TopicRule } from './off-topic.ts'

/** Parameters that turn candidates into an answer or a refusal. */
export interface DecisionRule {
  readonly calibration: Calibration
  readonly topicRule: TopicRule
  /** The off-topic class, which is never the answer. */
  readonly offTopicClass?: number | undefined
}

/** A model's decision on a question. */
export interface Decision {
  /**
   * Most confident first. The confidence is the probability that the class is right for a question of any kind: {@link
   * topicProbability}, times the share of all classes but the off-topic one, times a power of the class's share among
   * these. Several answers may fit a question, so the sum may exceed 1.
   */
  readonly ranked: readonly RankedClass[]
  /** Probability that some class fits, by {@link evidence} alone. */
  readonly topicProbability: number
  readonly evidence: TopicEvidence
  /** Share of the most confident class in the softmax over the candidates. */
  readonly share: number
  readonly isOffTopic: boolean
}

/**
 * Decides about sample `i`; the class `withheld` counts as unknown.
 * @returns undefined when no class is left
 */
export function decide(
  candidates: Candidates,
  i: number,
  { calibration, topicRule, offTopicClass = -1 }: DecisionRule,
  withheld = -1
): Decision | undefined {
  const scores = scoresOf(candidates, i, calibration)
  const evidence = topicEvidence(candidates, i, scores, offTopicClass, withheld)
  if (evidence === undefined) return undefined
  const onTopic = topicProbability(topicRule, evidence)
  const { classes, width } = candidates
  // `share` first holds the score, then the share: a training decides about all its samples several times, so objects
  // are reused.
  const possible: { class: number; share: number }[] = []
  let best = -Infinity
  for (let place = 0; place < width; place++) {
    const k = classes[i * width + place]!
    if (k === withheld) continue
    possible.push({ class: k, share: scores[place]! })
    best = Math.max(best, scores[place]!)
  }
  let total = 0
  for (const one of possible) total += one.share = Math.exp(one.share - best)
  for (const one of possible) one.share /= total
  const shares = possible.filter((one) => one.class !== offTopicClass).toSorted((a, b) => b.share - a.share)
  // A question like one that was taught as off topic loses confidence in full: this share is not raised to the power.
  const known = 1 - (possible.find((one) => one.class === offTopicClass)?.share ?? 0)
  const ranked = shares.map((one) => ({
    class: one.class,
    confidence: known === 0 ? 0 : onTopic * known * (one.share / known) ** topicRule.shareExponent
  }))
  return {
    ranked,
    topicProbability: onTopic,
    evidence,
    share: shares[0]!.share,
    isOffTopic: ranked[0]!.confidence < topicRule.leastConfidence
  }
}
