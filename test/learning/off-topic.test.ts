/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decide } from '../../src/learning/decision.ts'
import { scoresOf } from '../../src/learning/calibration.ts'
import {
  leastConfidenceOf,
  MAX_LOG_ODDS,
  ownEvidenceOf,
  ownShare,
  topicEvidence,
  topicProbability,
  topicRuleOf,
  topicScore,
  type TopicEvidence
} from '../../src/learning/off-topic.ts'
import { TOPIC_PRIOR } from '../../src/learning/topic-prior.ts'

const candidates = {
  count: 1,
  width: 3,
  classes: Int32Array.of(4, 7, 9),
  logits: Float64Array.of(3, 2, 1),
  similarities: Float64Array.of(0.5, 0.8, 0.2),
  gramSimilarities: Float64Array.of(0.1, 0.3, 0.4)
}
const logitsOnly = { logitWeight: 1, similarityWeight: 0, gramWeight: 0 }

test('topicEvidence() is how far the best class stands out, and the greatest similarities', () => {
  const { logOdds, margin, similarity, gramSimilarity } = topicEvidence(
    candidates,
    0,
    scoresOf(candidates, 0, logitsOnly)
  )!
  const p = Math.exp(3) / (Math.exp(3) + Math.exp(2) + Math.exp(1))
  assert.ok(Math.abs(logOdds - Math.log(p / (1 - p))) < 1e-9)
  assert.ok(Math.abs(margin - 1) < 1e-9)
  assert.deepEqual([similarity, gramSimilarity], [0.8, 0.4])
})

test('topicEvidence() without classes is as if they did not exist', () => {
  const { logOdds, margin, similarity } = topicEvidence(candidates, 0, scoresOf(candidates, 0, logitsOnly), 7)!
  assert.ok(Math.abs(logOdds - 2) < 1e-9 && Math.abs(margin - 2) < 1e-9, 'odds of e³ to e¹')
  assert.equal(similarity, 0.5)
  const both = topicEvidence(candidates, 0, scoresOf(candidates, 0, logitsOnly), 4, 7)!
  assert.deepEqual([both.logOdds, both.margin], [0, 0], 'a class alone')
})

test('topicEvidence() finds the best class wherever it stands', () => {
  const { logOdds } = topicEvidence(
    candidates,
    0,
    scoresOf(candidates, 0, { logitWeight: 0, similarityWeight: 10, gramWeight: 0 })
  )!
  assert.ok(Math.abs(logOdds + Math.log(Math.exp(-3) + Math.exp(-6))) < 1e-9)
})

test('topicEvidence() of one class knows similarities alone, and of none nothing', () => {
  const one = { ...candidates, width: 1, classes: Int32Array.of(4), logits: Float64Array.of(3) }
  const alone = { logOdds: 0, margin: 0, similarity: 0.5, gramSimilarity: 0.1 }
  assert.deepEqual(topicEvidence(one, 0, scoresOf(one, 0, logitsOnly)), alone)
  assert.equal(topicEvidence(one, 0, scoresOf(one, 0, logitsOnly), 4), undefined)
})

test('topicEvidence() bounds what overflows', () => {
  const sure = topicEvidence(
    { ...candidates, logits: Float64Array.of(900, 0, 0) },
    0,
    scoresOf({ ...candidates, logits: Float64Array.of(900, 0, 0) }, 0, logitsOnly)
  )!
  assert.deepEqual([sure.logOdds, sure.margin], [MAX_LOG_ODDS, MAX_LOG_ODDS])
})

const near: TopicEvidence = { logOdds: 9, margin: 9, similarity: 0.95, gramSimilarity: 0.8 }
const far: TopicEvidence = { logOdds: -2, margin: 0.3, similarity: 0.2, gramSimilarity: 0.05 }

test('topicRuleOf() tells what is near from what is far, of mentors of any size', () => {
  for (const classCount of [2, 20, 400]) {
    for (const phrases of [1, 3, 50]) {
      const rule = topicRuleOf({ sampleCount: phrases * classCount, classCount })
      assert.ok(topicProbability(rule, near) > 0.8, `${classCount} × ${phrases}`)
      assert.ok(topicProbability(rule, far) < 0.2, `${classCount} × ${phrases}`)
    }
  }
})

test('topicRuleOf() lets evidence tell more, the more phrases an answer has', () => {
  const one = topicRuleOf({ sampleCount: 20, classCount: 20 })
  const hundred = topicRuleOf({ sampleCount: 2000, classCount: 20 })
  assert.equal(one.similarityWeight, TOPIC_PRIOR.similarityWeight)
  const slope = 1 + TOPIC_PRIOR.phrasesSlope * Math.log(100)
  assert.ok(slope > 1.2 && Math.abs(hundred.similarityWeight - slope * TOPIC_PRIOR.similarityWeight) < 1e-9)
  assert.ok(Math.abs(hundred.logOddsWeight - slope * TOPIC_PRIOR.logOddsWeight) < 1e-9)
})

test('topicRuleOf() never jumps when a mentor gets one more phrase', () => {
  for (let count = 20; count < 400; count++) {
    const own = { rightShare: 0.5, middle: 1.5 }
    const one = topicRuleOf({ sampleCount: count, classCount: 20, own: { ...own, count: count - 20 } })
    const next = topicRuleOf({ sampleCount: count + 1, classCount: 20, own: { ...own, count: count - 19 } })
    assert.ok(Math.abs(one.intercept - next.intercept) < 0.1, `${count} phrases: ${one.intercept}, ${next.intercept}`)
    const jump = Math.abs(one.leastConfidence - next.leastConfidence)
    assert.ok(jump < 0.03, `${count} phrases: ${one.leastConfidence}, ${next.leastConfidence}`)
  }
})

test('decide() takes what was taught as off topic from the confidence in full, and divides the rest by a power of the shares', () => {
  const topicRule = { ...topicRuleOf({ sampleCount: 30, classCount: 2 }), shareExponent: 0.35 }
  const { ranked, topicProbability: onTopic } = decide(candidates, 0, {
    calibration: logitsOnly,
    topicRule,
    offTopicClass: 7
  })!
  const [four, seven, nine] = [Math.exp(3), Math.exp(2), Math.exp(1)]
  const known = (four + nine) / (four + seven + nine)
  assert.deepEqual(
    ranked.map((one) => one.class),
    [4, 9]
  )
  for (const [place, share] of [four / (four + nine), nine / (four + nine)].entries()) {
    assert.ok(Math.abs(ranked[place]!.confidence - onTopic * known * share ** 0.35) < 1e-9, `${place}`)
  }
})

test('leastConfidenceOf() goes from one threshold to the next by the logarithm of the phrases, and no further', () => {
  const thresholds = [
    { phrases: 1, leastConfidence: 0.3 },
    { phrases: 4, leastConfidence: 0.5 },
    { phrases: 16, leastConfidence: 0.4 }
  ]
  const found = [0.5, 1, 2, 4, 8, 16, 1000].map((phrases) => leastConfidenceOf(thresholds, phrases))
  for (const [i, wanted] of [0.3, 0.3, 0.4, 0.5, 0.45, 0.4, 0.4].entries()) {
    assert.ok(Math.abs(found[i]! - wanted) < 1e-9, found.join(' '))
  }
})

test('topicRuleOf() never jumps its threshold when a mentor gets one more phrase', () => {
  for (let count = 20; count < 400; count++) {
    const one = topicRuleOf({ sampleCount: count, classCount: 20 })
    const next = topicRuleOf({ sampleCount: count + 1, classCount: 20 })
    assert.ok(Math.abs(one.leastConfidence - next.leastConfidence) < 0.02, `${count} phrases`)
  }
})

/** Threshold of a mentor of 20 answers by its held-out samples. */
function threshold(phrases: number, rightShare: number, count = 40): number {
  const own = { count, rightShare, middle: 1 }
  return topicRuleOf({ sampleCount: 20 * phrases, classCount: 20, own }).leastConfidence
}

function usualThreshold(phrases: number): number {
  return topicRuleOf({ sampleCount: 20 * phrases, classCount: 20 }).leastConfidence
}

test('topicRuleOf() lowers its threshold where few held-out samples are answered right, the less the more phrases there are', () => {
  assert.ok(Math.abs(threshold(2, 0.8) - usualThreshold(2)) < 1e-9)
  assert.ok(threshold(2, 0.6) < usualThreshold(2) - 0.05 && threshold(2, 0.9) > usualThreshold(2) + 0.03)
  assert.ok(
    usualThreshold(2) - threshold(2, 0.6, 4) < (usualThreshold(2) - threshold(2, 0.6)) / 2,
    'fewer samples say less'
  )
  assert.ok(usualThreshold(100) - threshold(100, 0.6) < (usualThreshold(2) - threshold(2, 0.6)) / 4)
  for (const rightShare of [0, 1]) assert.ok(threshold(2, rightShare) > 0 && threshold(2, rightShare) < 1)
})

function many(evidence: TopicEvidence): TopicEvidence[] {
  return Array.from({ length: 100 }, () => evidence)
}

test('ownEvidenceOf() moves the rule against questions that other answers’ samples score too well', () => {
  const size = { sampleCount: 200, classCount: 20 }
  const clear = topicRuleOf({ ...size, own: ownEvidenceOf(size, many(near), many(far)) })
  const blurred = topicRuleOf({ ...size, own: ownEvidenceOf(size, many(near), many({ ...near, logOdds: 3 })) })
  assert.ok(topicScore(blurred, near) < topicScore(clear, near) - 1)
})

test('ownEvidenceOf() counts what was answered right', () => {
  const size = { sampleCount: 200, classCount: 20 }
  const { count, rightShare } = ownEvidenceOf(size, many(near).slice(0, 80), many(far))!
  assert.deepEqual([count, rightShare], [100, 0.8])
})

test('ownEvidenceOf() of nothing held out leaves the rule to others', () => {
  const size = { sampleCount: 20, classCount: 20 }
  assert.equal(ownEvidenceOf(size, [], []), undefined)
  assert.equal(ownShare(undefined), 0)
  assert.equal(ownShare({ count: TOPIC_PRIOR.samplesOfHalfShare, rightShare: 1, middle: 0 }), 0.5)
})
