/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auroc, evaluate, type JudgedQuestion } from '../../src/learning/evaluation.ts'

let question = 0
function judged(label: number | undefined, best: number, confidence: number, topicScore = 1): JudgedQuestion {
  return {
    question: question++,
    label,
    ranked: [{ class: best, confidence }],
    topicScore,
    isOffTopic: topicScore < 0
  }
}

/** Ten questions of the same confidence, so many of them right. */
function ten(confidence: number, right: number): JudgedQuestion[] {
  return Array.from({ length: 10 }, (_, i) => judged(0, i < right ? 0 : 1, confidence))
}

test('evaluate() counts right answers, with and without the off-topic rule', () => {
  const report = evaluate(
    [
      judged(0, 0, 0.9),
      judged(0, 0, 0.9, -1),
      judged(1, 0, 0.6),
      judged(1, 1, 0.8),
      judged(undefined, 0, 0.5, -2),
      judged(undefined, 1, 0.5)
    ],
    true
  )
  assert.deepEqual(
    [
      report.questionCount,
      report.offTopicCount,
      report.accuracy,
      report.answeredRight,
      report.refused,
      report.offTopicRefused
    ],
    [4, 2, 0.75, 0.5, 0.25, 0.5]
  )
})

test('evaluate() gives precision, recall and F1 of each class, and null where nothing can be divided', () => {
  const { classes, macroF1 } = evaluate(
    [judged(0, 0, 0.9), judged(0, 1, 0.9), judged(1, 1, 0.9), judged(2, 3, 0.9)],
    true
  )
  assert.deepEqual(classes, [
    { class: 0, support: 2, precision: 1, recall: 0.5, f1: 2 / 3 },
    { class: 1, support: 1, precision: 0.5, recall: 1, f1: 2 / 3 },
    { class: 2, support: 1, precision: null, recall: 0, f1: 0 },
    { class: 3, support: 0, precision: 0, recall: null, f1: null }
  ])
  assert.equal(macroF1, (2 / 3 + 2 / 3) / 4)
})

test('evaluate() lists confusions by frequency and errors by confidence', () => {
  const report = evaluate([judged(0, 1, 0.5), judged(2, 0, 0.9), judged(0, 1, 0.7), judged(1, 1, 0.99)], true)
  assert.deepEqual(report.confusions, [
    { label: 0, predicted: 1, count: 2 },
    { label: 2, predicted: 0, count: 1 }
  ])
  assert.deepEqual(
    report.errors.map((one) => one.ranked[0]!.confidence),
    [0.9, 0.7, 0.5]
  )
})

test('evaluate() measures how far confidence is from the share that is right', () => {
  // Ten at 0.75, of which five are right; ten at 0.25, of which none is: 0.25 off each.
  assert.equal(evaluate([...ten(0.75, 5), ...ten(0.25, 0)], true).calibrationError, 0.25)
  // Too sure here and not sure enough there do not cancel out.
  assert.equal(evaluate([...ten(0.75, 5), ...ten(0.25, 5)], true).calibrationError, 0.25)
  assert.ok(evaluate([...ten(0.5, 5), ...ten(1, 10)], true).calibrationError! < 1e-12)
  assert.equal(evaluate(ten(0.5, 5), false).calibrationError, null)
  assert.deepEqual(evaluate([...ten(0.75, 5), ...ten(0.25, 0)], true).calibration, [
    { count: 10, meanConfidence: 0.25, accuracy: 0 },
    { count: 10, meanConfidence: 0.75, accuracy: 0.5 }
  ])
  assert.equal(evaluate(ten(0.5, 5), false).calibration, null)
  assert.equal(evaluate(ten(0.5, 5), false).confidenceBins.length, 2)
})

test('evaluate() draws the curve of coverage against error and of off topic answered', () => {
  const known = Array.from({ length: 20 }, (_, i) => judged(0, i < 5 ? 1 : 0, 0.9, i))
  const { offTopicCurve, offTopicAuroc } = evaluate([...known, judged(undefined, 0, 0.9, 4.5)], true)
  assert.deepEqual(offTopicCurve[0], { threshold: 0, coverage: 1, errorRate: 0.25, offTopicAnswered: 1 })
  assert.deepEqual(offTopicCurve[5], { threshold: 5, coverage: 0.75, errorRate: 0, offTopicAnswered: 0 })
  assert.equal(offTopicAuroc, 0.75)
})

test('evaluate() of nothing says nothing', () => {
  const report = evaluate([], true)
  assert.deepEqual(
    [
      report.accuracy,
      report.answeredRight,
      report.refused,
      report.offTopicRefused,
      report.calibrationError,
      report.macroF1
    ],
    [null, null, null, null, null, null]
  )
  assert.deepEqual([report.offTopicCurve, report.classes, report.errors], [[], [], []])
})

test('auroc() is the chance that a positive exceeds a negative, equals counted half', () => {
  assert.equal(auroc([3, 4], [1, 2]), 1)
  assert.equal(auroc([1, 2], [3, 4]), 0)
  assert.equal(auroc([1], [1]), 0.5)
  assert.equal(auroc([1, 3], [2, 3]), (0 + 0 + 1 + 0.5) / 4)
  assert.equal(auroc([], [1]), null)
  assert.equal(auroc([1], []), null)
})
