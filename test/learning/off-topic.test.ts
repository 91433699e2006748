/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DEFAULT_TOPIC_RULE,
  fitTopicRule,
  MAX_LOG_ODDS,
  MIN_SCORES_FOR_THRESHOLD,
  topicEvidence,
  topicScore,
  topicThreshold
} from '../../src/learning/off-topic.ts'
import { seededRandom } from './clusters.ts'

const candidates = {
  count: 1,
  width: 3,
  classes: Int32Array.of(4, 7, 9),
  logits: Float64Array.of(3, 2, 1),
  similarities: Float64Array.of(0.5, 0.8, 0.2)
}
const logitsOnly = { logitWeight: 1, similarityWeight: 0 }

test('topicEvidence() is the log-odds of the best class and the greatest similarity', () => {
  const { logOdds, similarity } = topicEvidence(candidates, 0, logitsOnly)!
  const p = Math.exp(3) / (Math.exp(3) + Math.exp(2) + Math.exp(1))
  assert.ok(Math.abs(logOdds - Math.log(p / (1 - p))) < 1e-9)
  assert.equal(similarity, 0.8)
})

test('topicEvidence() without a class is as if it did not exist', () => {
  const { logOdds, similarity } = topicEvidence(candidates, 0, logitsOnly, 7)!
  assert.ok(Math.abs(logOdds - 2) < 1e-9, 'odds of e³ to e¹')
  assert.equal(similarity, 0.5)
})

test('topicEvidence() finds the best class wherever it stands', () => {
  const { logOdds } = topicEvidence(candidates, 0, { logitWeight: 0, similarityWeight: 10 })!
  assert.ok(Math.abs(logOdds + Math.log(Math.exp(-3) + Math.exp(-6))) < 1e-9)
})

test('topicEvidence() of one class knows similarity alone, and of none nothing', () => {
  const one = { ...candidates, width: 1, classes: Int32Array.of(4), logits: Float64Array.of(3) }
  assert.deepEqual(topicEvidence(one, 0, logitsOnly), { logOdds: 0, similarity: 0.5 })
  assert.equal(topicEvidence(one, 0, logitsOnly, 4), undefined)
})

test('topicEvidence() bounds log-odds that overflow', () => {
  const sure = { ...candidates, logits: Float64Array.of(900, 0, 0) }
  assert.equal(topicEvidence(sure, 0, logitsOnly)!.logOdds, MAX_LOG_ODDS)
})

function evidence(count: number, logOdds: number, similarity: number, seed: number) {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => ({
    logOdds: logOdds + 2 * random() - 1,
    similarity: similarity + 0.2 * random() - 0.1
  }))
}

test('fitTopicRule() scores what is on topic above what is not', () => {
  const onTopic = evidence(300, 4, 0.8, 1)
  const offTopic = evidence(300, 1, 0.5, 2)
  const rule = fitTopicRule(onTopic, [offTopic])
  assert.ok(onTopic.every((one) => topicScore(rule, one) > 0))
  assert.ok(offTopic.every((one) => topicScore(rule, one) < 0))
})

test('fitTopicRule() learns which evidence tells', () => {
  // Log-odds alike on both sides.
  const rule = fitTopicRule(evidence(2000, 2, 0.85, 1), [evidence(2000, 2, 0.55, 2)])
  assert.ok(rule.logOddsWeight < 0.4 * DEFAULT_TOPIC_RULE.logOddsWeight)
  assert.ok(rule.similarityWeight > DEFAULT_TOPIC_RULE.similarityWeight)
})

test('fitTopicRule() weighs a few supplied questions as much as many withheld ones', () => {
  const onTopic = evidence(1000, 4, 0.8, 1)
  const withheld = evidence(1000, 1, 0.75, 2)
  const supplied = evidence(10, 4, 0.2, 3)
  const without = fitTopicRule(onTopic, [withheld, []])
  const with10 = fitTopicRule(onTopic, [withheld, supplied])
  const mean = (rule: typeof without) => supplied.reduce((sum, one) => sum + topicScore(rule, one), 0) / supplied.length
  assert.ok(mean(with10) < mean(without) - 1)
  const repeated = Array.from({ length: 100 }, () => supplied).flat()
  assert.ok(Math.abs(mean(fitTopicRule(onTopic, [withheld, repeated])) - mean(with10)) < 1)
})

test('fitTopicRule() of one side alone is the default rule', () => {
  assert.deepEqual(fitTopicRule([], [evidence(9, 1, 0.5, 1)]), DEFAULT_TOPIC_RULE)
  assert.deepEqual(fitTopicRule(evidence(9, 1, 0.5, 1), [[]]), DEFAULT_TOPIC_RULE)
})

const hundred = Array.from({ length: 100 }, (_, i) => i)

test('topicThreshold() parts the two sides where they part', () => {
  assert.equal(topicThreshold(hundred, [hundred.map((x) => x - 100)], 0.9), 0)
})

test('topicThreshold() refuses no more good questions than coverage allows', () => {
  // Off topic lies amid the good: to part them best would refuse 50.
  assert.equal(topicThreshold(hundred, [hundred.map((x) => x / 2)], 0.95), 5)
})

test('topicThreshold() without anything off topic is the coverage alone', () => {
  assert.equal(topicThreshold(hundred, [[], []], 0.98), 2)
})

test('topicThreshold() of too few scores is undefined', () => {
  assert.equal(topicThreshold(hundred.slice(0, MIN_SCORES_FOR_THRESHOLD - 1), [[-1]], 0.9), undefined)
  assert.notEqual(topicThreshold(hundred.slice(0, MIN_SCORES_FOR_THRESHOLD), [[-1]], 0.9), undefined)
})
